/* SPDX-License-Identifier: MIT */
/* Texts that are put together, and numbers in files. */
#include "cutap.h"
#include <metacube/bytes.h>
#include <metacube/text.h>

#include <string.h>

static void
grows(void)
{
	char out[16];
	struct mc_text text = { out, sizeof(out) };

	mc_text_add(&text, "%s", "Joe");
	CU_ASSERT_STRING_EQUAL(out, "Joe");
	mc_text_add(&text, " has %d", 3);
	CU_ASSERT_STRING_EQUAL(out, "Joe has 3");
	CU_ASSERT_EQUAL(text.room, sizeof(out) - strlen(out));
	CU_ASSERT_PTR_EQUAL(text.at, out + strlen(out));
}

static void
cut_off(void)
{
	char out[8] = "......!";
	struct mc_text text = { out, 6 }, none = { out, 0 };

	mc_text_add(&none, "Amanda");
	CU_ASSERT_STRING_EQUAL(out, "......!");
	CU_ASSERT_EQUAL(none.room, 0);
	mc_text_add(&text, "Am");
	mc_text_add(&text, "anda");
	CU_ASSERT_STRING_EQUAL(out, "Amand");
	CU_ASSERT_EQUAL(text.room, 1);
	mc_text_add(&text, "?");
	CU_ASSERT_STRING_EQUAL(out, "Amand");
	CU_ASSERT_EQUAL(out[6], '!');
}

/* Byte by byte, and not where a number would stand by itself. */
static void
little_endian(void)
{
	static const uint8_t bytes[] = {
		0xff, 0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01, 0xff
	};
	uint8_t at[sizeof(bytes)];

	CU_ASSERT_EQUAL(mc_get16(bytes + 1), 0x0708);
	CU_ASSERT_EQUAL(mc_get32(bytes + 1), 0x05060708);
	CU_ASSERT_EQUAL(mc_get64(bytes + 1), 0x0102030405060708);
	memset(at, 0xff, sizeof(at));
	mc_put64(at + 1, 0x0102030405060708);
	CU_ASSERT_EQUAL(memcmp(at, bytes, sizeof(at)), 0);
	memset(at, 0xff, sizeof(at));
	mc_put32(at + 5, 0x01020304);
	CU_ASSERT_EQUAL(memcmp(at + 5, bytes + 5, 5), 0);
	CU_ASSERT_EQUAL(at[4], 0xff);
	memset(at, 0xff, sizeof(at));
	mc_put16(at + 7, 0x0102);
	CU_ASSERT_EQUAL(memcmp(at + 7, bytes + 7, 3), 0);
	CU_ASSERT_EQUAL(at[6], 0xff);
}

static void
hexadecimal(void)
{
	static const uint8_t bytes[] = { 0x00, 0x09, 0xa0, 0xff };
	char out[10] = "........!";

	mc_hex(out, bytes, sizeof(bytes));
	CU_ASSERT_STRING_EQUAL(out, "0009a0ff");
	mc_hex(out, bytes, 0);
	CU_ASSERT_STRING_EQUAL(out, "");
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "a text grows piece by piece", grows },
		{ "what does not fit is cut off", cut_off },
		{ "numbers in files are little-endian", little_endian },
		{ "bytes as digits", hexadecimal },
		{ NULL, NULL }
	};

	return cutap_run("text", tests);
}
