/* SPDX-License-Identifier: MIT */
/*
 * ctl - the parts of metacubectl.
 */
#ifndef TOOLS_CTL_H
#define TOOLS_CTL_H

#include <metacube/proto/envelope.pb-c.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ctl_exit {
	CTL_FINE = 0,
	CTL_REFUSED,		/* or failed: the server has said why */
	CTL_USAGE,
	CTL_UNREACHABLE		/* no server, or it went away */
};

#define CTL_SECRET_MAX	1024

/* What belongs to a command beside its words. */
struct ctl_secret {
	uint8_t	data[32];
	size_t	len;		/* 0: none */
};

/* ctl_socket.c: all say on standard error what failed. */
int		 ctl_connect(const char *path);		/* -1: failed */
bool		 ctl_send(int fd, char **words, size_t count,
		    const struct ctl_secret *);
Metacube__Envelope *ctl_receive(int fd);		/* NULL: failed */
void		 ctl_wait_end(int fd);	/* until the server has closed it */

/* ctl_print.c */
void		 ctl_print(const Metacube__Output *);
void		 ctl_print_json(const Metacube__Output *);

/* ctl_password.c: the password for a new or changed account becomes the
 * secret.  file and fd: where it is, NULL and -1: asked for twice on the
 * terminal.  false: failed, said why. */
bool		 ctl_password(const char *name, const char *file, int fd,
		    struct ctl_secret *);

/* pki.c: certificates, without a server. */
int		 pki_main(int argc, char **argv);

#endif
