/* SPDX-License-Identifier: MIT */
/* fuzz_antp_request - any bytes as a request, and as a URL or name. */
#define MESSAGE	struct antp_request
#define READ	antp_request_read
#define WRITE	antp_request_write
#include "fuzz_antp.h"

static void
check_own(const char *text, const struct antp_request *request)
{
	struct antp_url url;

	(void)request;
	if (antp_is_queue_file(text) && antp_is_freeze_file(text))
		abort();
	if (antp_url_read(text, &url) == NULL && url.file[0] != '\0' &&
	    !antp_is_queue_file(url.file) && !antp_is_freeze_file(url.file))
		abort();
}
