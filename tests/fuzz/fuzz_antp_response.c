/* SPDX-License-Identifier: MIT */
/*
 * fuzz_antp_response - any bytes as a response, which names no other file than
 * it may.
 */
#define MESSAGE	struct antp_response
#define READ	antp_response_read
#define WRITE	antp_response_write
#include "fuzz_antp.h"

/* What a file is written by must be a name that antp knows. */
static void
check_own(const char *text, const struct antp_response *response)
{
	(void)text;
	if (response != NULL && response->status < 100 &&
	    response->file[0] != '\0' &&
	    !antp_is_queue_file(response->file) &&
	    !antp_is_freeze_file(response->file))
		abort();
}
