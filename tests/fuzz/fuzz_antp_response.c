/* SPDX-License-Identifier: MIT */
/*
 * fuzz_antp_response - any bytes as a response.  What is understood has a whole
 * head, which needs every one of its bytes, and means the same when it is
 * written again, and names no other file than it may.
 */
#include <metacube/antp.h>

#include <stdlib.h>
#include <string.h>

static void
check_head(const char *text, size_t head)
{
	struct antp_response response;
	const char *why;

	for (size_t len = 0; len < head; len++)
		if (antp_response_read(text, len, &response, &why) > 0)
			abort();
}

static void
check_again(const struct antp_response *response)
{
	struct antp_response again;
	char text[ANTP_HEAD_MAX];
	const char *why;
	size_t len = antp_response_write(response, text);

	if (antp_response_read(text, len, &again, &why) != (int)len ||
	    memcmp(response, &again, sizeof(again)) != 0)
		abort();
}

/* What a file is written by must be a name that antp knows. */
static void
check_file(const struct antp_response *response)
{
	if (response->status < 100 && response->file[0] != '\0' &&
	    !antp_is_queue_file(response->file) &&
	    !antp_is_freeze_file(response->file))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct antp_response response;
	const char *why = NULL;
	char *text = malloc(size + 1);
	int head;

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	head = antp_response_read(text, size, &response, &why);
	if (head > 0) {
		check_head(text, (size_t)head);
		check_again(&response);
		check_file(&response);
	} else if ((head == -1) != (why != NULL)) {
		abort();
	}
	free(text);
	return 0;
}
