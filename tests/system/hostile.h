/* SPDX-License-Identifier: MIT */
/*
 * hostile - the parts of the program: wire.c is the connection, words.c what
 * comes over it in words, hostile.c what it is told to do.
 */
#ifndef SYSTEM_HOSTILE_H
#define SYSTEM_HOSTILE_H

#include <metacube/proto/envelope.pb-c.h>

#include <gnutls/gnutls.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct hostile {
	const char		*cert, *key, *priority;
	unsigned		 seconds;
	int			 buffer;	/* for what comes; 0: usual */
	bool			 hex;
	struct sockaddr_storage	 to;
	socklen_t		 to_len;
	int			 fd;
	bool			 secure, closed;
	gnutls_certificate_credentials_t credentials;
	gnutls_session_t	 session;
	Metacube__Login		 login;
	ProtobufCBinaryData	 frame;		/* the last that came */
	uint64_t		 deadline;
};

/* wire.c.  What cannot go on ends the program. */
void		 die(const char *, ...)
		    __attribute__((noreturn, format(printf, 1, 2)));
uint64_t	 now_ms(void);
void		*zalloc(size_t);
void		 resolve(struct hostile *, char *address);
int		 dial(struct hostile *);
void		 secure(struct hostile *);	/* the TLS handshake */
void		 write_all(struct hostile *, const void *, size_t);
bool		 read_all(struct hostile *, uint8_t *, size_t); /* or closed */
void		 send_frame(struct hostile *, const uint8_t *, size_t);
void		 send_message(struct hostile *, const Metacube__Envelope *);
Metacube__Envelope *receive(struct hostile *);	/* NULL: closed */

/* words.c */
ProtobufCBinaryData unhex(const char *);
void		 print_hex(const uint8_t *, size_t);
char		*line_of(const char *path);	/* its first */
size_t		 number(const char *);
const char	*kind_of(const Metacube__Envelope *);
void		 print_message(const struct hostile *,
		    const Metacube__Envelope *);

#endif
