/* SPDX-License-Identifier: MIT */
/*
 * fuzz_antp_request - any bytes as a request.  What is understood has a whole
 * head, which needs every one of its bytes, and means the same when it is
 * written again; URLs and names along with it.
 */
#include <metacube/antp.h>

#include <stdlib.h>
#include <string.h>

static void
check_head(const char *text, size_t head)
{
	struct antp_request request;
	const char *why;

	for (size_t len = 0; len < head; len++)
		if (antp_request_read(text, len, &request, &why) > 0)
			abort();
}

static void
check_again(const struct antp_request *request)
{
	struct antp_request again;
	char text[ANTP_HEAD_MAX];
	const char *why;
	size_t len = antp_request_write(request, text);

	if (antp_request_read(text, len, &again, &why) != (int)len ||
	    memcmp(request, &again, sizeof(again)) != 0)
		abort();
}

static void
try_text(const char *text)
{
	struct antp_url url;

	if (antp_is_queue_file(text) && antp_is_freeze_file(text))
		abort();
	if (antp_url_read(text, &url) == NULL && url.file[0] != '\0' &&
	    !antp_is_queue_file(url.file) && !antp_is_freeze_file(url.file))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct antp_request request;
	const char *why = NULL;
	char *text = malloc(size + 1);
	int head;

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	try_text(text);
	head = antp_request_read(text, size, &request, &why);
	if (head > 0) {
		check_head(text, (size_t)head);
		check_again(&request);
	} else if ((head == -1) != (why != NULL)) {
		abort();
	}
	free(text);
	return 0;
}
