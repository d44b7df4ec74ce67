/* SPDX-License-Identifier: MIT */
/* The parts of acctserv.cgi that know nothing of each other. */
#include "cutap.h"

#include "field.h"
#include "form.h"
#include "html.h"
#include "rate.h"
#include "request.h"
#include "token.h"

#include <stdio.h>
#include <string.h>

#define COOKIE	"00112233445566778899aabbccddeeff"
#define OTHER	"10112233445566778899aabbccddeeff"
#define NOW	INT64_C(1700000000)

/* -- form ------------------------------------------------------------------- */

/* What was read, as "name=value;" of each pair; or the fault's number. */
static const char *
parsed(const char *text, size_t len)
{
	static char shown[4096], copy[4096];
	struct form form;
	enum form_fault fault;
	size_t used = 0;

	memcpy(copy, text, len);
	fault = form_parse(copy, len, &form);
	snprintf(shown, sizeof(shown), "%d", fault);
	if (fault != FORM_FINE) {
		CU_ASSERT_EQUAL(form.count, 0);
		return shown;
	}
	shown[0] = '\0';
	for (size_t i = 0; i < form.count; i++)
		used += (size_t)snprintf(shown + used, sizeof(shown) - used,
		    "%s=%s;", form.pairs[i].name, form.pairs[i].value);
	return shown;
}

static void
forms(void)
{
	static const struct {
		const char	*text, *expected;
	} cases[] = {
		{ "", "" },
		{ "&&", "" },
		{ "a=1", "a=1;" },
		{ "a=1&b=2", "a=1;b=2;" },
		{ "a=1&", "a=1;" },
		{ "&a=1", "a=1;" },
		{ "a", "a=;" },
		{ "a&b=", "a=;b=;" },
		{ "=1", "=1;" },
		{ "a=b=c", "a=b=c;" },
		{ "a+b=c+d", "a b=c d;" },
		{ "%61=%2B%26%3d", "a=+&=;" },
		{ "a=%C3%A4", "a=\xc3\xa4;" },
		{ "a=\xc3\xa4", "a=\xc3\xa4;" },
		{ "a=%F0%9F%98%80", "a=\xf0\x9f\x98\x80;" },
		{ "a=%e0%a0%80%ef%bf%bf", "a=\xe0\xa0\x80\xef\xbf\xbf;" },
		{ "a=%", "1" },
		{ "a=%4", "1" },
		{ "a=%4&b=1", "1" },
		{ "a=%g1", "1" },
		{ "a=%1g", "1" },
		{ "a=%00", "1" },
		{ "%00=a", "1" },
		{ "a=%80", "1" },
		{ "a=%c0%ae", "1" },
		{ "a=%c3", "1" },
		{ "a=%c3&b=%a4", "1" },
		{ "a=%e0%9f%80", "1" },
		{ "a=%ed%a0%80", "1" },
		{ "a=%f0%8f%80%80", "1" },
		{ "a=%f4%90%80%80", "1" },
		{ "a=%f5%80%80%80", "1" },
		{ "a=1&a=1", "2" },
		{ "a&b&a", "2" },
		{ "%61=1&a=2", "2" },
		{ "&=&=", "2" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		CU_ASSERT_STRING_EQUAL(parsed(cases[i].text,
		    strlen(cases[i].text)), cases[i].expected);
	CU_ASSERT_STRING_EQUAL(parsed("a=b\0c", 5), "1");
}

static const char *
repeated(const char *begin, char what, size_t times)
{
	static char text[4000];
	size_t len = strlen(begin);

	strcpy(text, begin);
	memset(text + len, what, times);
	text[len + times] = '\0';
	return text;
}

static void
form_limits(void)
{
	char text[512];
	size_t len = 0;
	const char *long_text;

	for (int i = 0; i < FORM_PAIRS; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%d=x&", i);
	CU_ASSERT_NOT_EQUAL(parsed(text, len)[1], '\0');
	strcpy(text + len, "y=1");
	CU_ASSERT_STRING_EQUAL(parsed(text, len + 3), "3");
	long_text = repeated("a=", 'x', FORM_VALUE);
	CU_ASSERT_EQUAL(parsed(long_text, strlen(long_text))[0], 'a');
	long_text = repeated("a=", 'x', FORM_VALUE + 1);
	CU_ASSERT_STRING_EQUAL(parsed(long_text, strlen(long_text)), "3");
	long_text = repeated("", 'x', FORM_NAME);
	CU_ASSERT_EQUAL(parsed(long_text, strlen(long_text))[0], 'x');
	long_text = repeated("", 'x', FORM_NAME + 1);
	CU_ASSERT_STRING_EQUAL(parsed(long_text, strlen(long_text)), "3");
}

/* -- html ------------------------------------------------------------------- */

static void
escapes(void)
{
	static const char expected[] =
	    "<a title=\"&lt;&gt;&amp;&quot;&#39;x\">100%</a>";
	struct html html = { 0 };

	html_write(&html, "<a title=\"%s\">100%%</a>", "<>&\"'x");
	CU_ASSERT_EQUAL(html.len, strlen(expected));
	CU_ASSERT_EQUAL(memcmp(html.data, expected, html.len), 0);
	html_clear(&html);
	for (int i = 0; i < 5000; i++)
		html_write(&html, "%s", "<>");
	CU_ASSERT_EQUAL(html.len, 5000 * strlen("&lt;&gt;"));
	CU_ASSERT_EQUAL(memcmp(html.data + html.len - 8, "&lt;&gt;", 8), 0);
	html_clear(&html);
	CU_ASSERT_PTR_NULL(html.data);
}

/* -- token ------------------------------------------------------------------ */

static struct token_key key = { .len = 32, .data = "a key for this test" };

static enum token_fault
checked(const char *token, const char *cookie, const char *page, int64_t now)
{
	return token_check(&key, cookie, page, now, token);
}

static void
tokens(void)
{
	char token[TOKEN_SIZE], changed[TOKEN_SIZE];
	struct token_key other = key;

	CU_ASSERT_TRUE(token_make(&key, COOKIE, "/a", NOW, token));
	CU_ASSERT_EQUAL(strlen(token), TOKEN_SIZE - 1);
	CU_ASSERT_EQUAL(checked(token, COOKIE, "/a", NOW), TOKEN_FINE);
	CU_ASSERT_EQUAL(checked(token, COOKIE, "/a", NOW + TOKEN_LIFE_S - 1),
	    TOKEN_FINE);
	CU_ASSERT_EQUAL(checked(token, COOKIE, "/a", NOW + TOKEN_LIFE_S),
	    TOKEN_EXPIRED);
	CU_ASSERT_EQUAL(checked(token, COOKIE, "/a", NOW - 1), TOKEN_WRONG);
	CU_ASSERT_EQUAL(checked(token, COOKIE, "/b", NOW), TOKEN_WRONG);
	CU_ASSERT_EQUAL(checked(token, OTHER, "/a", NOW), TOKEN_WRONG);
	CU_ASSERT_EQUAL(checked("", COOKIE, "/a", NOW), TOKEN_WRONG);
	for (size_t i = 0; i < TOKEN_SIZE - 1; i++) {
		strcpy(changed, token);
		changed[i] ^= 1;
		CU_ASSERT_EQUAL(checked(changed, COOKIE, "/a", NOW),
		    TOKEN_WRONG);
	}
	other.data[31] = 1;
	CU_ASSERT_EQUAL(token_check(&other, COOKIE, "/a", NOW, token),
	    TOKEN_WRONG);
}

static bool
found(const char *header)
{
	char cookie[TOKEN_COOKIE];

	return token_cookie_find(header, "c", cookie) &&
	    strcmp(cookie, COOKIE) == 0;
}

static void
cookies(void)
{
	char first[TOKEN_COOKIE], second[TOKEN_COOKIE];

	CU_ASSERT_TRUE(found("c=" COOKIE));
	CU_ASSERT_TRUE(found("a=b; c=" COOKIE "; d=e"));
	CU_ASSERT_TRUE(found("cc=1;c=" COOKIE ";"));
	CU_ASSERT_FALSE(found(""));
	CU_ASSERT_FALSE(found("c"));
	CU_ASSERT_FALSE(found("c="));
	CU_ASSERT_FALSE(found("d=" COOKIE));
	CU_ASSERT_FALSE(found("c=" COOKIE "0"));
	CU_ASSERT_FALSE(found("c=0" COOKIE));
	CU_ASSERT_FALSE(found("c=\"" COOKIE "\""));
	CU_ASSERT_FALSE(found("c=0011223344556677889-aabbccddeeff"));
	CU_ASSERT_FALSE(found("c=" OTHER "; c=" COOKIE));
	CU_ASSERT_TRUE(token_cookie_make(first));
	CU_ASSERT_TRUE(token_cookie_make(second));
	CU_ASSERT_EQUAL(strlen(first), TOKEN_COOKIE - 1);
	CU_ASSERT_STRING_NOT_EQUAL(first, second);
}

/* -- rate ------------------------------------------------------------------- */

static void
rates(void)
{
	static struct rate rate = { .per_minute = 3 };

	for (int i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(rate_take(&rate, "192.0.2.1", 7, 1000), 0);
	CU_ASSERT_EQUAL(rate_take(&rate, "192.0.2.1", 7, 1000), 20);
	CU_ASSERT_EQUAL(rate_take(&rate, "192.0.2.2", 7, 1000), 0);
	CU_ASSERT_EQUAL(rate_take(&rate, "192.0.2.1", 7, 20999), 1);
	CU_ASSERT_EQUAL(rate_take(&rate, "192.0.2.1", 7, 21000), 0);
	CU_ASSERT_EQUAL(rate_take(&rate, "192.0.2.1", 7, 21000), 20);
	for (int i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(rate_take(&rate, i == 1 ? "2001:db8::1" :
		    "2001:db8::2", 7, 1000), 0);
	CU_ASSERT_EQUAL(rate_take(&rate, "2001:db8::3", 7, 1000), 20);
	CU_ASSERT_EQUAL(rate_take(&rate, "2001:db8:0:1::3", 7, 1000), 0);
	rate.per_minute = 0;
	CU_ASSERT_EQUAL(rate_take(&rate, "2001:db8::3", 7, 1000), 0);
}

/* -- request ---------------------------------------------------------------- */

static void
accepts(void)
{
	static const struct {
		const char	*accept;
		bool		 wanted;
	} cases[] = {
		{ "", true },
		{ "*/*", true },
		{ "text/html", true },
		{ "TEXT/HTML", true },
		{ "text/*", true },
		{ "image/png, text/html;level=1;q=0.3", true },
		{ "text/html ;q=0.001", true },
		{ "*/*;q=0.1,image/*", true },
		{ "text/html;q=0", false },
		{ "text/html; Q=0.000, */*", false },
		{ "*/*, text/*;q=0", false },
		{ "text/*;q=0, text/html", true },
		{ "text/plain", false },
		{ "text/htmlx", false },
		{ "application/json,text/css", false },
		{ " , ,", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		CU_ASSERT_EQUAL(request_accepts(cases[i].accept, "text/html"),
		    cases[i].wanted);
}

static void
requests(void)
{
	char *envp[] = {
		(char[]) { "REQUEST_METHOD=POST" },
		(char[]) { "REQUEST_METHODS=GET" },
		(char[]) { "CONTENT_LENGTH=12" },
		(char[]) { "REMOTE_ADDR=192.0.2.1:80" },
		(char[]) { "HTTPS=off" }, NULL
	};
	struct request request;

	request_read(envp, &request);
	CU_ASSERT_STRING_EQUAL(request.method, "POST");
	CU_ASSERT_STRING_EQUAL(request.path, "");
	CU_ASSERT_STRING_EQUAL(request.address, "");
	CU_ASSERT_FALSE(request.https);
	CU_ASSERT_EQUAL(request_length(&request), 12);
	request.length = "-1";
	CU_ASSERT_EQUAL(request_length(&request), -1);
	request.length = "1000000000000000";
	CU_ASSERT_EQUAL(request_length(&request), -1);
	request.length = "";
	CU_ASSERT_EQUAL(request_length(&request), 0);
}

/* -- text ------------------------------------------------------------------- */

/* A sentence that is missing in a translation would be an empty place. */
static void
sentences(void)
{
	for (int i = T_NONE + 1; i < T_COUNT; i++)
		CU_ASSERT_TRUE(text((enum text)i) != NULL &&
		    text((enum text)i)[0] != '\0');
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "forms are decoded, or refused as a whole", forms },
		{ "and have limits", form_limits },
		{ "text in HTML is escaped", escapes },
		{ "tokens count for one cookie, page and hour", tokens },
		{ "cookies are found among others", cookies },
		{ "forms from one address", rates },
		{ "what a visitor accepts", accepts },
		{ "the meta-variables of CGI", requests },
		{ "no sentence is missing", sentences },
		{ NULL, NULL }
	};

	return cutap_run("web", tests);
}
