/* SPDX-License-Identifier: MIT */
#include "cutap.h"
#include "proxy.h"

#include <string.h>

#define SIGNATURE 0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, \
	0x49, 0x54, 0x0a

static const uint8_t tcp4[] = {
	SIGNATURE, 0x21, 0x11, 0, 12, 192, 0, 2, 7, 198, 51, 100, 1,
	0x30, 0x39, 0x1e, 0x3c, 0xff	/* one byte of what follows */
};

static const uint8_t tcp6[] = {
	SIGNATURE, 0x21, 0x21, 0, 40,
	0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
	0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,
	0x30, 0x39, 0x1e, 0x3c, 4, 0, 1, 0	/* and a record */
};

static void
ipv4(void)
{
	struct address source = { 0 };
	char text[ENDPOINT_TEXT_SIZE];

	CU_ASSERT_EQUAL(proxy_parse(tcp4, sizeof(tcp4), &source), 28);
	address_text(&source, text);
	CU_ASSERT_STRING_EQUAL(text, "192.0.2.7:12345");
}

static void
ipv6(void)
{
	struct address source = { 0 };
	char text[ENDPOINT_TEXT_SIZE];

	CU_ASSERT_EQUAL(proxy_parse(tcp6, sizeof(tcp6), &source),
	    (ssize_t)sizeof(tcp6));
	address_text(&source, text);
	CU_ASSERT_STRING_EQUAL(text, "[2001:db8::1]:12345");
}

static void
local(void)
{
	static const uint8_t data[] = { SIGNATURE, 0x20, 0, 0, 0 };
	struct address source = { 0 };

	CU_ASSERT_EQUAL(proxy_parse(data, sizeof(data), &source), 16);
	CU_ASSERT_EQUAL(source.len, 0);
}

static void
pieces(void)
{
	struct address source = { 0 };

	for (size_t len = 0; len < 28; len++)
		CU_ASSERT_EQUAL(proxy_parse(tcp4, len, &source), 0);
	CU_ASSERT_EQUAL(source.len, 0);
}

static ssize_t
parse_with(size_t at, uint8_t byte)
{
	struct address source = { 0 };
	uint8_t data[sizeof(tcp4)];

	memcpy(data, tcp4, sizeof(data));
	data[at] = byte;
	return proxy_parse(data, sizeof(data), &source);
}

static void
malformed(void)
{
	struct address source = { 0 };

	CU_ASSERT_EQUAL(proxy_parse((const uint8_t *)"PROXY ", 6, &source),
	    -1);
	for (size_t at = 0; at < 12; at++)
		CU_ASSERT_EQUAL(parse_with(at, 0x99), -1);
	CU_ASSERT_EQUAL(parse_with(12, 0x11), -1);	/* version 1 */
	CU_ASSERT_EQUAL(parse_with(12, 0x22), -1);	/* no such command */
	CU_ASSERT_EQUAL(parse_with(13, 0x12), -1);	/* UDP */
	CU_ASSERT_EQUAL(parse_with(13, 0x31), -1);	/* unix */
	CU_ASSERT_EQUAL(parse_with(14, 0x10), -1);	/* 4 KiB of it */
	CU_ASSERT_EQUAL(parse_with(15, 11), -1);	/* too short for IPv4 */
	CU_ASSERT_EQUAL(parse_with(15, 14), 0);		/* more is to come */
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "IPv4", ipv4 },
		{ "IPv6, with further records", ipv6 },
		{ "LOCAL keeps the address", local },
		{ "pieces are not enough", pieces },
		{ "all else is refused", malformed },
		{ NULL, NULL }
	};

	return cutap_run("proxy", tests);
}
