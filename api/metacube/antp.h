/* SPDX-License-Identifier: MIT */
/*
 * metacube/antp.h - ANTP/1.0: how the files of a queue are carried.
 *
 * Lines of text ended by LF (a CR before it is dropped), one request at a
 * time on a lasting connection, mutual TLS:
 *
 *	ANTP/1.0 GET <file> <offset> <length>	length 0: to the end
 *	ANTP/1.0 FIRST
 *	ANTP/1.0 CLOSE
 *	Wait: <seconds>				long poll, at most ANTP_WAIT_MAX
 *	Applied: <epoch> <seq> <count> <digest>	what the replica's store holds
 *	<other header lines are ignored>
 *	<empty line>
 *
 *	ANTP/1.0 <status> <file> <offset> <length>
 *	Head: <epoch> <seq> <time>		the server's last record
 *	Digest: <epoch> <seq> <count> <digest>	what the server's store holds
 *	<empty line>
 *	<length bytes>
 *
 *	ANTP/1.0 <status, 100 or more> <text>	and the server closes
 *	<empty line>
 *
 * A status has three digits ("010").  OK carries at least one byte of the file
 * asked for, and never more than was asked for; NEWFILE names the file that
 * follows the one asked for, which is finished (FIRST: the file to begin
 * with), from offset 0; EMPTY: nothing new, ask again (FIRST: the file is "-",
 * there is none yet).  Epochs and digests are 32 hexadecimal digits in lower
 * case, times UTC milliseconds.
 *
 * Pure functions, any thread; nothing is logged.
 */
#ifndef METACUBE_ANTP_H
#define METACUBE_ANTP_H

#include <metacube/tcapw.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ANTP_HEAD_MAX	4096	/* bytes of all lines with the empty one */
#define ANTP_FILE_SIZE	64	/* a file's name, with the NUL */
#define ANTP_WAIT_MAX	60	/* seconds */
#define ANTP_PORT	7746

enum antp_verb { ANTP_GET = 1, ANTP_FIRST, ANTP_CLOSE };

enum antp_status {
	ANTP_OK = 10, ANTP_NEWFILE = 20, ANTP_EMPTY = 30,
	ANTP_BAD_REQUEST = 100, ANTP_NO_FILE = 104, ANTP_BAD_OFFSET = 116,
	ANTP_SERVER_ERROR = 150, ANTP_TRY_LATER = 153
};

struct antp_request {
	enum antp_verb		verb;
	char			file[ANTP_FILE_SIZE];
	uint64_t		offset, length;
	unsigned		wait_s;
	struct tcapw_position	applied;	/* pointer.seq 0: not said */
};

struct antp_response {
	unsigned		status;
	char			file[ANTP_FILE_SIZE];
	uint64_t		offset, length;
	char			text[128];	/* status 100 or more */
	struct wmq_pointer	head;		/* all zero: not said */
	uint64_t		head_ms;
	struct tcapw_position	digest;		/* pointer.seq 0: not said */
};

/* "antp://host:port/file"; port and file may be left out. */
struct antp_url {
	char	endpoint[256];			/* "host:port" */
	char	file[ANTP_FILE_SIZE];
};

/* Both return the length of the head with its empty line when it is there
 * whole, 0 when more bytes are needed, -1 when it is malformed or too long:
 * then why_r says what is wrong. */
int	antp_request_read(const char *bytes, size_t len,
	    struct antp_request *request_r, const char **why_r);
int	antp_response_read(const char *bytes, size_t len,
	    struct antp_response *response_r, const char **why_r);

/* Return the length. */
size_t	antp_request_write(const struct antp_request *,
	    char out[ANTP_HEAD_MAX]);
size_t	antp_response_write(const struct antp_response *,
	    char out[ANTP_HEAD_MAX]);

/* NULL: fine; else what is wrong. */
const char *antp_url_read(const char *url, struct antp_url *url_r);

/* Looks like a queue file ("20260130.wmq", "20260130-7.wmq") or a freeze
 * ("<8 hex digits>-<seq>.freeze"); nothing else is ever served or written. */
bool	antp_is_queue_file(const char *name);
bool	antp_is_freeze_file(const char *name);

#ifdef __cplusplus
}
#endif
#endif
