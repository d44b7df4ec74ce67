/* SPDX-License-Identifier: MIT */
/*
 * asking - a test's side of the control socket, and of the account server's.
 */
#ifndef TESTS_CRASH_ASKING_H
#define TESTS_CRASH_ASKING_H

#include <metacube/account.h>
#include <metacube/module.h>

#define ASKING_PROOF	32
#define ASKING_VALUES	12

/* The connection's end without an answer. */
#define ASKING_LOST	(-1)

struct asking_answer {
	int	status;		/* enum mc_status, or ASKING_LOST */
	char	text[256];
	char	value[ASKING_VALUES][128];	/* second column, by row */
};

struct asking_reply {
	int		result;	/* as in acctserv.proto, or ASKING_LOST */
	char		text[256], display[32];
	uint32_t	retry_ms;
	uint64_t	seq;
	size_t		bytes;	/* of the answer on the wire */
	char		document[ACCOUNT_DOCUMENT_SIZE];
};

/* A descriptor, or -1: nobody listens there. */
int	asking_connect(const char *socket);

/* The server has not closed it. */
bool	asking_is_open(int fd);

/* account VERB NAME [MORE]; proof may be NULL. */
void	asking_command(int fd, const char *verb, const char *name,
	    const char *more, const uint8_t *proof,
	    struct asking_answer *answer_r);
void	asking_ask(int fd, const char *verb, const char *name,
	    const uint8_t *proof, struct asking_answer *answer_r);

/* One question to the account server's own socket. */
void	asking_request(int fd, Metacube__AccountRequest *,
	    struct asking_reply *reply_r);

#endif
