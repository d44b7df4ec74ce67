/* SPDX-License-Identifier: MIT */
/* Names: one account for Joe and joe, and none that only looks like his. */
#include "cutap.h"

#include <metacube/name.h>

#include <string.h>

static bool
folds_to(const char *name, const char *wanted)
{
	char folded[MC_NAME_SIZE];

	return mc_name_fold(name, folded) == NULL &&
	    strcmp(folded, wanted) == 0;
}

static bool
is_refused(const char *name)
{
	char folded[MC_NAME_SIZE];

	return mc_name_fold(name, folded) != NULL;
}

static void
folding(void)
{
	CU_ASSERT_TRUE(folds_to("joe", "joe"));
	CU_ASSERT_TRUE(folds_to("JoE", "joe"));
	CU_ASSERT_TRUE(folds_to("A.b_c-9", "a.b_c-9"));
	CU_ASSERT_TRUE(folds_to("42", "42"));
	CU_ASSERT_TRUE(folds_to("0123456789012345678901234567890",
	    "0123456789012345678901234567890"));
}

static void
refusal(void)
{
	static const char *const names[] = {
		"", "j", "joe ", " joe", "jo e", ".joe", "joe.", "-joe",
		"joe_", "jo/e", "../joe", "jo\ne", "jo\x7f" "e", "joe\\",
		"01234567890123456789012345678901",
		"j\xc3\xb6" "e",		/* o with two dots */
		"j\xd0\xbe" "e",		/* a Cyrillic o */
		"\xef\xbd\x8aoe",		/* a wide j */
		"jo\xcc\x88" "e",		/* two dots that combine */
		"joe\xe2\x80\x8b",		/* no width at all */
		"\xff\xfe", "jo\xc0\xae" "e"	/* no UTF-8 */
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		CU_ASSERT_TRUE(is_refused(names[i]));
}

static void
each_byte(void)
{
	char name[] = "j?e";

	for (int c = 1; c < 256; c++) {
		name[1] = (char)c;
		CU_ASSERT_EQUAL(is_refused(name), strchr(
		    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		    "0123456789._-", c) == NULL);
	}
}

static void
huge(void)
{
	static char name[10001];

	memset(name, 'j', sizeof(name) - 1);
	CU_ASSERT_TRUE(is_refused(name));
	CU_ASSERT_FALSE(mc_key_valid(name));
	CU_ASSERT_FALSE(mc_text_valid(name, sizeof(name) - 2));
	CU_ASSERT_TRUE(mc_text_valid(name, sizeof(name) - 1));
}

static void
keys(void)
{
	CU_ASSERT_TRUE(mc_key_valid("newbie-island"));
	CU_ASSERT_TRUE(mc_key_valid("w"));
	CU_ASSERT_TRUE(mc_key_valid("0123456789012345678901234567890123456789"
	    "01234567890123456789012"));
	CU_ASSERT_FALSE(mc_key_valid("0123456789012345678901234567890123456789"
	    "012345678901234567890123"));
	CU_ASSERT_FALSE(mc_key_valid(""));
	CU_ASSERT_FALSE(mc_key_valid("."));
	CU_ASSERT_FALSE(mc_key_valid(".."));
	CU_ASSERT_FALSE(mc_key_valid("a/b"));
	CU_ASSERT_FALSE(mc_key_valid("a..b"));
	CU_ASSERT_FALSE(mc_key_valid("-a"));
	CU_ASSERT_FALSE(mc_key_valid("a-"));
	CU_ASSERT_FALSE(mc_key_valid("A"));
	CU_ASSERT_FALSE(mc_key_valid("a_b"));
}

static void
good_texts(void)
{
	CU_ASSERT_TRUE(mc_text_valid("", 0));
	CU_ASSERT_TRUE(mc_text_valid("Hi, Amanda!", 100));
	CU_ASSERT_TRUE(mc_text_valid("gr\xc3\xbc\xc3\x9f", 6));
	CU_ASSERT_TRUE(mc_text_valid("\xf0\x9f\x91\x8b \xe4\xbd\xa0", 8));
	CU_ASSERT_TRUE(mc_text_valid("\xf4\x8f\xbf\xbf\xee\x80\x80", 7));
	CU_ASSERT_TRUE(mc_text_valid("\xc2\xa0", 2));
}

static void
bad_texts(void)
{
	static const char *const texts[] = {
		"a\tb", "a\nb", "\x1b[31m", "\x7f",
		"\xc2\x80", "\xc2\x9f",			/* C1 */
		"\xe2\x80\xa8", "\xe2\x80\xae", "\xe2\x81\xa6",	/* order */
		"\x80", "\xbf\xbf", "\xc3", "\xc3(", "\xe4\xbd", "\xf0\x9f\x91",
		"\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf",
		"\xed\xa0\x80", "\xed\xbf\xbf", "\xf4\x90\x80\x80",
		"\xf8\x88\x80\x80\x80", "\xff"
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		CU_ASSERT_FALSE(mc_text_valid(texts[i], 100));
	CU_ASSERT_FALSE(mc_text_valid("four", 3));
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "capitals are folded", folding },
		{ "what is no name is refused", refusal },
		{ "each byte, in the middle of a name", each_byte },
		{ "10,000 characters", huge },
		{ "keys are safe as file names", keys },
		{ "texts that are fine", good_texts },
		{ "texts that are not", bad_texts },
		{ NULL, NULL }
	};

	return cutap_run("name", tests);
}
