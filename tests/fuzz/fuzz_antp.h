/* SPDX-License-Identifier: MIT */
/*
 * fuzz_antp - any bytes as a message of ANTP.  What is understood has a whole
 * head, which needs every one of its bytes, and means the same when it is
 * written again.
 *
 * Which of the two messages it is says who includes this: MESSAGE, READ and
 * WRITE before, and after it check_own, with what else must hold.
 */
#include <metacube/antp.h>

#include <stdlib.h>
#include <string.h>

/* Any text; NULL: it was not understood. */
static void	check_own(const char *text, const MESSAGE *);

static void
check_head(const char *text, size_t head)
{
	MESSAGE message;
	const char *why;

	for (size_t len = 0; len < head; len++)
		if (READ(text, len, &message, &why) > 0)
			abort();
}

static void
check_again(const MESSAGE *message)
{
	MESSAGE again;
	char text[ANTP_HEAD_MAX];
	const char *why;
	size_t len = WRITE(message, text);

	if (READ(text, len, &again, &why) != (int)len ||
	    memcmp(message, &again, sizeof(again)) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	MESSAGE message;
	const char *why = NULL;
	char *text = malloc(size + 1);
	int head;

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	head = READ(text, size, &message, &why);
	if (head > 0) {
		check_head(text, (size_t)head);
		check_again(&message);
	} else if ((head == -1) != (why != NULL)) {
		abort();
	}
	check_own(text, head > 0 ? &message : NULL);
	free(text);
	return 0;
}
