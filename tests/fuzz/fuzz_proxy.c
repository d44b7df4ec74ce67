/* SPDX-License-Identifier: MIT */
/*
 * PROXY headers: what is decided on a part of the input must not change when
 * more of it comes.
 */
#include "proxy.h"

#include <stdlib.h>

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* May more input turn the earlier answer into the later one? */
static bool
agree(ssize_t earlier, ssize_t later, size_t len)
{
	if (earlier == 0)
		return later <= 0 || (size_t)later > len;
	return earlier == later;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct address source = { 0 };
	char text[ENDPOINT_TEXT_SIZE];
	ssize_t len = proxy_parse(data, size, &source), part;

	if (len > (ssize_t)size || len > PROXY_MAX)
		abort();
	if (source.len != 0)
		address_text(&source, text);
	for (size_t n = 0; n < size && n <= PROXY_MAX; n++) {
		part = proxy_parse(data, n, &source);
		if (!agree(part, len, n))
			abort();
	}
	return 0;
}
