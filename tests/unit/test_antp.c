/* SPDX-License-Identifier: MIT */
/*
 * The heads of ANTP/1.0: what is understood, and why all else is not.
 */
#include "cutap.h"

#include <metacube/antp.h>

#include <CUnit/CUnit.h>

#include <stdio.h>
#include <string.h>

#define EPOCH	"00112233445566778899aabbccddeeff"
#define DIGEST	"ffeeddccbbaa99887766554433221100"

/* Requests */

static void
get(void)
{
	static const char text[] = "ANTP/1.0 GET 20260130-7.wmq 4096 0\n"
	    "Wait: 30\r\nX-Other: anything\r\n"
	    "Applied: " EPOCH " 77 5 " DIGEST "\n\r\nrest";
	struct antp_request request;
	const char *why = NULL;

	CU_ASSERT_EQUAL(antp_request_read(text, sizeof(text) - 1, &request,
	    &why), (int)sizeof(text) - 5);
	CU_ASSERT_PTR_NULL(why);
	CU_ASSERT_EQUAL(request.verb, ANTP_GET);
	CU_ASSERT_STRING_EQUAL(request.file, "20260130-7.wmq");
	CU_ASSERT_EQUAL(request.offset, 4096);
	CU_ASSERT_EQUAL(request.length, 0);
	CU_ASSERT_EQUAL(request.wait_s, 30);
	CU_ASSERT_EQUAL(request.applied.pointer.seq, 77);
	CU_ASSERT_EQUAL(request.applied.pointer.epoch[15], 0xff);
	CU_ASSERT_EQUAL(request.applied.count, 5);
	CU_ASSERT_EQUAL(request.applied.digest[0], 0xff);
}

static void
other_verbs(void)
{
	struct antp_request request;
	const char *why;

	CU_ASSERT_EQUAL(antp_request_read("ANTP/1.0 FIRST\n\n", 16, &request,
	    &why), 16);
	CU_ASSERT_EQUAL(request.verb, ANTP_FIRST);
	CU_ASSERT_EQUAL(request.wait_s, 0);
	CU_ASSERT_EQUAL(request.applied.pointer.seq, 0);
	CU_ASSERT_EQUAL(antp_request_read("ANTP/1.0 CLOSE\r\n\r\n", 18,
	    &request, &why), 18);
	CU_ASSERT_EQUAL(request.verb, ANTP_CLOSE);
}

/* Each byte less, and more is asked for. */
static void
in_pieces(void)
{
	static const char text[] =
	    "ANTP/1.0 GET 20260130.wmq 0 0\r\nWait: 5\r\n\r\n";
	struct antp_request request;
	const char *why;

	for (size_t len = 0; len < sizeof(text) - 1; len++)
		CU_ASSERT_EQUAL(antp_request_read(text, len, &request, &why),
		    0);
	CU_ASSERT_EQUAL(antp_request_read(text, sizeof(text) - 1, &request,
	    &why), (int)sizeof(text) - 1);
}

struct bad {
	const char	*text;
	const char	*why;
};

static void
refused_requests(void)
{
	static const struct bad bad[] = {
		{ "\n", "not ANTP/1.0" },
		{ "\r\n", "not ANTP/1.0" },
		{ "GET / HTTP/1.0\r\n\r\n", "not ANTP/1.0" },
		{ "ANTP/1.1 FIRST\n\n", "not ANTP/1.0" },
		{ "antp/1.0 FIRST\n\n", "not ANTP/1.0" },
		{ "ANTP/1.0  FIRST\n\n", "verb is not known" },
		{ "ANTP/1.0 PUT a 0 0\n\n", "verb is not known" },
		{ "ANTP/1.0 FIRSTLINGS\n\n", "verb is not known" },
		{ "ANTP/1.0 FIRST now\n\n", "after the end" },
		{ "ANTP/1.0 FIRST \n\n", "after the end" },
		{ "ANTP/1.0 GET\n\n", "ends too early" },
		{ "ANTP/1.0 GET a\n\n", "ends too early" },
		{ "ANTP/1.0 GET a 0\n\n", "ends too early" },
		{ "ANTP/1.0 GET  0 0\n\n", "file's name" },
		{ "ANTP/1.0 GET a -1 0\n\n", "offset is malformed" },
		{ "ANTP/1.0 GET a +1 0\n\n", "offset is malformed" },
		{ "ANTP/1.0 GET a 01 0\n\n", "offset is malformed" },
		{ "ANTP/1.0 GET a 0x1 0\n\n", "offset is malformed" },
		{ "ANTP/1.0 GET a 18446744073709551616 0\n\n", "offset" },
		{ "ANTP/1.0 GET a 1 x\n\n", "length is malformed" },
		{ "ANTP/1.0 GET a 0 0 0\n\n", "after the end" },
		{ "ANTP/1.0 GET a 2 18446744073709551615\n\n", "too large" },
		{ "ANTP/1.0 GET a\t0 0\n\n", "not printable" },
		{ "ANTP/1.0 GET a 0 0\r\r\n\n", "not printable" },
		{ "ANTP/1.0 GET \303\244 0 0\n\n", "not printable" },
		{ "ANTP/1.0 FIRST\nno header\n\n", "no name" },
		{ "ANTP/1.0 FIRST\n: x\n\n", "no name" },
		{ "ANTP/1.0 FIRST\nWait:5\n\n", "no space" },
		{ "ANTP/1.0 FIRST\nWait: 5s\n\n", "number of seconds" },
		{ "ANTP/1.0 FIRST\nWait: 61\n\n", "longer than 60" },
		{ "ANTP/1.0 FIRST\nWait: 0\nwait: 1\n\n", "twice" },
		{ "ANTP/1.0 FIRST\nApplied: " EPOCH " 0 5 " DIGEST "\n\n",
		  "sequence number is 0" },
		{ "ANTP/1.0 FIRST\nApplied: 0" EPOCH " 1 5 " DIGEST "\n\n",
		  "epoch" },
		{ "ANTP/1.0 FIRST\nApplied: " EPOCH " 1 5 x" DIGEST "\n\n",
		  "digest" },
		{ "ANTP/1.0 FIRST\nApplied: " EPOCH " 1 -5 " DIGEST "\n\n",
		  "count" },
		{ "ANTP/1.0 FIRST\nApplied: 00112233445566778899AABBCCDDEEFF"
		  " 1 5 " DIGEST "\n\n", "epoch" },
		{ "ANTP/1.0 FIRST\nApplied: " EPOCH " 1 5\n\n", "too early" },
		{ "ANTP/1.0 FIRST\nApplied: " EPOCH " 1 5 " DIGEST "\n"
		  "Applied: " EPOCH " 1 5 " DIGEST "\n\n", "twice" },
	};
	struct antp_request request;
	const char *why;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why = "";
		if (antp_request_read(bad[i].text, strlen(bad[i].text),
		    &request, &why) != -1 ||
		    strstr(why, bad[i].why) == NULL) {
			fprintf(stderr, "# %s: %s\n", bad[i].text, why);
			CU_FAIL("it was not refused for this reason");
		}
	}
	CU_ASSERT_EQUAL(antp_request_read("ANTP/1.0 FIRST\0\n\n", 17,
	    &request, &why), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "not printable"));
}

static void
long_heads(void)
{
	char text[ANTP_HEAD_MAX + 1];
	struct antp_request request;
	const char *why = "";

	memset(text, 'x', sizeof(text));
	memcpy(text, "ANTP/1.0 FIRST\nX: ", 18);
	CU_ASSERT_EQUAL(antp_request_read(text, ANTP_HEAD_MAX - 1, &request,
	    &why), 0);
	CU_ASSERT_EQUAL(antp_request_read(text, ANTP_HEAD_MAX, &request,
	    &why), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "4096"));
	memcpy(text + ANTP_HEAD_MAX - 2, "\n\n", 2);
	CU_ASSERT_EQUAL(antp_request_read(text, ANTP_HEAD_MAX, &request,
	    &why), ANTP_HEAD_MAX);
	memcpy(text + ANTP_HEAD_MAX - 2, "x\n\n", 3);
	CU_ASSERT_EQUAL(antp_request_read(text, ANTP_HEAD_MAX + 1, &request,
	    &why), -1);
}

static void
request_round(void)
{
	struct antp_request request = {
		.verb = ANTP_GET, .file = "20260130.wmq", .offset = 112,
		.length = UINT64_MAX - 112, .wait_s = ANTP_WAIT_MAX,
		.applied.pointer.seq = UINT64_MAX, .applied.count = 3
	}, back;
	char text[ANTP_HEAD_MAX];
	const char *why;
	size_t len;

	memset(request.applied.digest, 0xa5, 16);
	len = antp_request_write(&request, text);
	CU_ASSERT_EQUAL(antp_request_read(text, len, &back, &why), (int)len);
	CU_ASSERT_EQUAL(memcmp(&request, &back, sizeof(back)), 0);
	memset(&request, 0, sizeof(request));
	for (int verb = ANTP_FIRST; verb <= ANTP_CLOSE; verb++) {
		request.verb = (enum antp_verb)verb;
		len = antp_request_write(&request, text);
		CU_ASSERT_EQUAL(antp_request_read(text, len, &back, &why),
		    (int)len);
		CU_ASSERT_EQUAL(memcmp(&request, &back, sizeof(back)), 0);
	}
}

/* Responses */

static void
ok(void)
{
	static const char text[] = "ANTP/1.0 010 00112233-77.freeze 5 9\r\n"
	    "Head: " EPOCH " 78 1790000000000\n"
	    "Digest: " EPOCH " 77 5 " DIGEST "\nMore: to come\n\n123456789";
	struct antp_response response;
	const char *why;

	CU_ASSERT_EQUAL(antp_response_read(text, sizeof(text) - 1, &response,
	    &why), (int)sizeof(text) - 10);
	CU_ASSERT_EQUAL(response.status, ANTP_OK);
	CU_ASSERT_STRING_EQUAL(response.file, "00112233-77.freeze");
	CU_ASSERT_EQUAL(response.offset, 5);
	CU_ASSERT_EQUAL(response.length, 9);
	CU_ASSERT_EQUAL(response.head.seq, 78);
	CU_ASSERT_EQUAL(response.head_ms, 1790000000000);
	CU_ASSERT_EQUAL(response.digest.pointer.seq, 77);
	for (size_t len = 0; len < sizeof(text) - 10; len++)
		CU_ASSERT_EQUAL(antp_response_read(text, len, &response,
		    &why), 0);
}

static void
error(void)
{
	static const char text[] = "ANTP/1.0 104 there is no such file\n\n";
	struct antp_response response;
	const char *why;

	CU_ASSERT_EQUAL(antp_response_read(text, sizeof(text) - 1, &response,
	    &why), (int)sizeof(text) - 1);
	CU_ASSERT_EQUAL(response.status, ANTP_NO_FILE);
	CU_ASSERT_STRING_EQUAL(response.text, "there is no such file");
}

static void
refused_responses(void)
{
	static const struct bad bad[] = {
		{ "ANTP/2.0 010 20260130.wmq 0 1\n\n", "not ANTP/1.0" },
		{ "ANTP/1.0\n\n", "not ANTP/1.0" },
		{ "ANTP/1.0 10 20260130.wmq 0 1\n\n", "three digits" },
		{ "ANTP/1.0 0100 20260130.wmq 0 1\n\n", "three digits" },
		{ "ANTP/1.0 1x0 oops\n\n", "three digits" },
		{ "ANTP/1.0 100\n\n", "three digits" },
		{ "ANTP/1.0 011 20260130.wmq 0 1\n\n", "status is not known" },
		{ "ANTP/1.0 010 ../../etc/passwd 0 1\n\n", "no name" },
		{ "ANTP/1.0 010 20261330.wmq 0 1\n\n", "no name" },
		{ "ANTP/1.0 010 - 0 1\n\n", "OK carries nothing" },
		{ "ANTP/1.0 010 20260130.wmq 0 0\n\n", "OK carries nothing" },
		{ "ANTP/1.0 020 20260130.wmq 1 0\n\n", "NEWFILE" },
		{ "ANTP/1.0 020 20260130.wmq 0 1\n\n", "NEWFILE" },
		{ "ANTP/1.0 020 - 0 0\n\n", "NEWFILE" },
		{ "ANTP/1.0 030 20260130.wmq 5 1\n\n", "EMPTY" },
		{ "ANTP/1.0 030 20260130.wmq 5\n\n", "too early" },
		{ "ANTP/1.0 010 20260130.wmq 1 18446744073709551615\n\n",
		  "too large" },
		{ "ANTP/1.0 030 - 0 0\nHead: " EPOCH " 1\n\n", "too early" },
		{ "ANTP/1.0 030 - 0 0\nHead: " EPOCH " 1 2 3\n\n", "after" },
		{ "ANTP/1.0 030 - 0 0\nHead: " EPOCH " 1 2\nHead: " EPOCH
		  " 1 2\n\n", "twice" },
		{ "ANTP/1.0 030 - 0 0\nDigest: " EPOCH " 1 2 3\n\n",
		  "digest" },
	};
	struct antp_response response;
	char text[256];
	const char *why;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why = "";
		if (antp_response_read(bad[i].text, strlen(bad[i].text),
		    &response, &why) != -1 ||
		    strstr(why, bad[i].why) == NULL) {
			fprintf(stderr, "# %s: %s\n", bad[i].text, why);
			CU_FAIL("it was not refused for this reason");
		}
	}
	snprintf(text, sizeof(text), "ANTP/1.0 150 %0128d\n\n", 0);
	CU_ASSERT_EQUAL(antp_response_read(text, strlen(text), &response,
	    &why), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "too long"));
}

static void
response_round(void)
{
	struct antp_response answers[] = {
		{ .status = ANTP_OK, .file = "20260130-123.wmq", .offset = 7,
		  .length = 8, .head.epoch[3] = 7, .head.seq = 5,
		  .head_ms = 6, .digest.pointer.seq = 5 },
		{ .status = ANTP_NEWFILE, .file = "20260131.wmq" },
		{ .status = ANTP_EMPTY },
		{ .status = ANTP_EMPTY, .file = "20260131.wmq", .offset = 112 },
		{ .status = ANTP_TRY_LATER, .text = "there is no freeze yet" },
	}, back;
	char text[ANTP_HEAD_MAX];
	const char *why;
	size_t len;

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		len = antp_response_write(&answers[i], text);
		CU_ASSERT_EQUAL(antp_response_read(text, len, &back, &why),
		    (int)len);
		CU_ASSERT_EQUAL(memcmp(&answers[i], &back, sizeof(back)), 0);
	}
}

/* Names and URLs */

static void
file_names(void)
{
	static const char *const queue[] = {
		"20260130.wmq", "20260130-7.wmq", "20260130-007.wmq"
	};
	static const char *const freeze[] = {
		"00112233-77.freeze", "89abcdef-18446744073709551615.freeze"
	};
	static const char *const none[] = {
		"", "-", ".wmq", "2026013.wmq", "202601300.wmq",
		"20261330.wmq", "20260100.wmq", "20260132.wmq",
		"20260130-.wmq", "20260130-0001.wmq", "20260130.wmq.new",
		"20260130-x.wmq", "../20260130.wmq", "20260130/1.wmq", "lock",
		"0011223-1.freeze", "001122334-1.freeze", "00112233-.freeze",
		"0011223G-1.freeze", "00112233-01.freeze",
		"00112233-0.freeze", "00112233-1.freeze.new",
		"00112233-123456789012345678901.freeze"
	};

	for (size_t i = 0; i < sizeof(queue) / sizeof(queue[0]); i++) {
		CU_ASSERT_TRUE(antp_is_queue_file(queue[i]));
		CU_ASSERT_FALSE(antp_is_freeze_file(queue[i]));
	}
	for (size_t i = 0; i < sizeof(freeze) / sizeof(freeze[0]); i++) {
		CU_ASSERT_TRUE(antp_is_freeze_file(freeze[i]));
		CU_ASSERT_FALSE(antp_is_queue_file(freeze[i]));
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		CU_ASSERT_FALSE(antp_is_queue_file(none[i]));
		CU_ASSERT_FALSE(antp_is_freeze_file(none[i]));
	}
}

static void
urls(void)
{
	static const struct {
		const char *url, *endpoint, *file;
	} good[] = {
		{ "antp://accounts.example.org", "accounts.example.org:7746",
		  "" },
		{ "antp://192.0.2.7:99/", "192.0.2.7:99", "" },
		{ "antp://[2001:db8::1]/20260130.wmq", "[2001:db8::1]:7746",
		  "20260130.wmq" },
		{ "antp://h:65535/00112233-7.freeze", "h:65535",
		  "00112233-7.freeze" },
	};
	static const struct bad bad[] = {
		{ "http://h/", "antp://" }, { "antp://", "no host" },
		{ "antp:///x", "no host" }, { "antp://[::1", "no host" },
		{ "antp://h:0", "port" }, { "antp://h:65536", "port" },
		{ "antp://h:", "port" }, { "antp://h:1234567890", "port" },
		{ "antp://joe@h/", "between" },
		{ "antp://h/x.wmq", "names no queue file" },
		{ "antp://h/../20260130.wmq", "names no queue file" },
	};
	struct antp_url url;
	const char *why;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		CU_ASSERT_PTR_NULL(antp_url_read(good[i].url, &url));
		CU_ASSERT_STRING_EQUAL(url.endpoint, good[i].endpoint);
		CU_ASSERT_STRING_EQUAL(url.file, good[i].file);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why = antp_url_read(bad[i].text, &url);
		CU_ASSERT_PTR_NOT_NULL_FATAL(why);
		CU_ASSERT_PTR_NOT_NULL(strstr(why, bad[i].why));
	}
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "GET with all its lines", get },
		{ "FIRST and CLOSE", other_verbs },
		{ "a request that comes byte by byte", in_pieces },
		{ "malformed requests, each for its reason",
		  refused_requests },
		{ "heads that are too long", long_heads },
		{ "requests there and back", request_round },
		{ "OK with all its lines", ok },
		{ "an error", error },
		{ "malformed responses, each for its reason",
		  refused_responses },
		{ "responses there and back", response_round },
		{ "what a file may be called", file_names },
		{ "URLs", urls },
		{ NULL, NULL }
	};
	static const struct cutap_suite suites[] = {
		{ "antp", tests }, { NULL, NULL }
	};

	return cutap_run_all(suites);
}
