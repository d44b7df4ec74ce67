/* SPDX-License-Identifier: MIT */
#include "conf_scan.h"
#include "cutap.h"

#include <string.h>

/* What conf_scan says of the text: its lines, one after the other. */
static const char *
said(const char *text, size_t len)
{
	static char all[8192];
	struct errors errors = { 0 };
	bool fine = conf_scan("f", text, len, &errors);

	all[0] = '\0';
	CU_ASSERT_EQUAL(fine, errors.count == 0);
	for (size_t i = 0; i < errors.count; i++) {
		strncat(all, errors.lines[i], 1000);
		strcat(all, "\n");
		if (i == 6)
			break;
	}
	errors_clear(&errors);
	return all;
}

static const char *
scan(const char *text)
{
	return said(text, strlen(text));
}

#define SAYS(text, what)	CU_ASSERT_STRING_EQUAL(scan(text), what)

static void
accepted(void)
{
	SAYS("", "");
	SAYS("a = 1;\nb = \"x\";\n", "");
	SAYS("g = { a = 1; }; h: { a = 2; };", "");
	SAYS("l = ( { a = 1; }, { a = 2; } );", "");
	SAYS("a = 2147483647; b = -2147483648; c = 0x7fffffff;", "");
	SAYS("a = 9223372036854775807L; b = -9223372036854775808LL;", "");
	SAYS("a = 99999999999.5; b = 1e300; c = 2.5e-10;", "");
}

static void
overflow(void)
{
	SAYS("\na = 2147483648;", "f:2: 2147483648: does not fit into 32 "
	    "bits; write an L behind it\n");
	SAYS("a = -2147483649;", "f:1: -2147483649: does not fit into 32 "
	    "bits; write an L behind it\n");
	SAYS("a = 0xFFFFFFFF;", "f:1: 0xFFFFFFFF: does not fit into 32 bits; "
	    "write an L behind it\n");
	SAYS("a = 9223372036854775808L;", "f:1: 9223372036854775808L: no "
	    "number is so large\n");
	SAYS("a = 99999999999999999999999;", "f:1: 99999999999999999999999: "
	    "does not fit into 32 bits; write an L behind it\n");
	SAYS("a = [ 1, 9000000000 ];", "f:1: 9000000000: does not fit into "
	    "32 bits; write an L behind it\n");
}

static void
not_code(void)
{
	SAYS("# 9000000000 @include \"x\"\n", "");
	SAYS("// 9000000000\n/* 9000000000\n @include */ a = 1;", "");
	SAYS("a = \"9000000000 # @include\";", "");
	SAYS("a = \"\\\" 9000000000\";", "");
	SAYS("a9000000000 = 1;", "");
	SAYS("a = \"caf\xc3\xa9\"; # \xc3\xa9\n", "");
}

static void
include(void)
{
	SAYS("@include \"/etc\"\n", "f:1: @include is not possible here\n");
	SAYS("a = 1;\n  @include \"x\"", "f:2: @include is not possible "
	    "here\n");
}

static void
doubles(void)
{
	SAYS("a = 1;\nb = 2;\na = 3;", "f:3: a: set a second time (first on "
	    "line 1)\n");
	SAYS("g = { a = 1;\na = 2; }; a = 3;", "f:2: a: set a second time "
	    "(first on line 1)\n");
	SAYS("g = { a = 1; };\ng = { a = 1; };", "f:2: g: set a second time "
	    "(first on line 1)\n");
}

static void
foreign_bytes(void)
{
	SAYS("\xef\xbb\xbf" "a = 1;", "f:1: begins with a byte order mark: "
	    "save the file as UTF-8 without one\n");
	SAYS("\nk\xc3\xa9y = 1;", "f:2: byte 0xc3 outside a string: only "
	    "ASCII is possible there\n");
	CU_ASSERT_STRING_EQUAL(said("a\0b", 3), "f:1: a NUL byte: this is not "
	    "a text file\n");
}

static void
unfinished(void)
{
	SAYS("a = 1;\nb = \"x;\nc = 2;\n", "f:2: this string has no end\n");
	SAYS("a = \"x\\", "f:1: this string has no end\n");
	SAYS("a = 1;\n/* b = 2;\n", "f:2: this comment has no end\n");
}

static void
deep(void)
{
	char text[4096];

	memset(text, '(', sizeof(text));
	CU_ASSERT_STRING_EQUAL(said(text, sizeof(text)),
	    "f:1: more than 15 groups inside each other\n");
	memset(text, '}', sizeof(text));
	CU_ASSERT_STRING_EQUAL(said(text, sizeof(text)), "");
}

static void
all_of_them(void)
{
	SAYS("a = 9000000000;\na = 1;\n@include \"x\"\n",
	    "f:1: 9000000000: does not fit into 32 bits; write an L behind "
	    "it\nf:2: a: set a second time (first on line 1)\n"
	    "f:3: @include is not possible here\n");
}

/* Every text of two bytes, each cut out so that a sanitizer sees more. */
static void
any_bytes(void)
{
	char text[2];

	for (unsigned i = 0; i < 65536; i++) {
		text[0] = (char)(i >> 8);
		text[1] = (char)i;
		said(text, sizeof(text));
	}
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "what is right is accepted", accepted },
		{ "integers that do not fit are refused", overflow },
		{ "comments and strings are understood", not_code },
		{ "@include is refused", include },
		{ "double settings name both lines", doubles },
		{ "a byte order mark and other bytes are refused",
		    foreign_bytes },
		{ "unfinished strings and comments name their begin",
		    unfinished },
		{ "nesting is bounded", deep },
		{ "all errors are reported", all_of_them },
		{ "any bytes are survived", any_bytes },
		{ NULL, NULL }
	};

	return cutap_run("conf_scan", tests);
}
