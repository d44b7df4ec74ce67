/* SPDX-License-Identifier: MIT */
#include "proxy.h"

#include <string.h>

#define HEAD_SIZE	16

enum { LOCAL = 0x20, PROXY = 0x21 };
enum { TCP4 = 0x11, TCP6 = 0x21 };

static const uint8_t signature[12] = {
	0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a
};

/* The addresses as they stand on the wire; the port follows both of them. */
static bool
read_source(uint8_t family, const uint8_t *at, size_t len,
    struct address *source)
{
	if (family == TCP4 && len >= 12) {
		memset(source, 0, sizeof(*source));
		source->sa.in.sin_family = AF_INET;
		memcpy(&source->sa.in.sin_addr, at, 4);
		memcpy(&source->sa.in.sin_port, at + 8, 2);
		source->len = sizeof(source->sa.in);
		return true;
	}
	if (family == TCP6 && len >= 36) {
		memset(source, 0, sizeof(*source));
		source->sa.in6.sin6_family = AF_INET6;
		memcpy(&source->sa.in6.sin6_addr, at, 16);
		memcpy(&source->sa.in6.sin6_port, at + 32, 2);
		source->len = sizeof(source->sa.in6);
		return true;
	}
	return false;
}

ssize_t
proxy_parse(const uint8_t *data, size_t len, struct address *source)
{
	size_t rest, known = len < sizeof(signature) ? len : sizeof(signature);

	if (memcmp(data, signature, known) != 0)
		return -1;
	if (len > 12 && data[12] != LOCAL && data[12] != PROXY)
		return -1;
	if (len < HEAD_SIZE)
		return 0;
	rest = (size_t)data[14] << 8 | data[15];
	if (HEAD_SIZE + rest > PROXY_MAX)
		return -1;
	if (len < HEAD_SIZE + rest)
		return 0;
	if (data[12] == PROXY &&
	    !read_source(data[13], data + HEAD_SIZE, rest, source))
		return -1;
	return (ssize_t)(HEAD_SIZE + rest);
}
