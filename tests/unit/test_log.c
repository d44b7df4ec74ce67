/* SPDX-License-Identifier: MIT */
/* Log lines: whole, bounded, and never what a stranger wants them to be. */

#include "cutap.h"

#include "log.h"
#include "process.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS	4
#define ROUNDS	500

static struct mc_host host = { .name = "gateway" };
static char dir[] = "/tmp/metacube-log-XXXXXX";
static char file[64], renamed[64];
static char text[4 * 1024 * 1024];

/* What is in the file, which is emptied. */
static const char *
logged(const char *name)
{
	FILE *in = fopen(name, "r");
	size_t len;

	CU_ASSERT_PTR_NOT_NULL_FATAL(in);
	len = fread(text, 1, sizeof(text) - 1, in);
	text[len] = '\0';
	fclose(in);
	CU_ASSERT_EQUAL(truncate(name, 0), 0);
	return text;
}

/* The line without its time, which has a fixed length. */
static const char *
line(void)
{
	const char *all = logged(file);

	CU_ASSERT_TRUE_FATAL(strlen(all) > 25);
	CU_ASSERT_EQUAL(all[10], 'T');
	CU_ASSERT_EQUAL(all[19], '.');
	CU_ASSERT_EQUAL(all[23], 'Z');
	return all + 25;
}

static void
begin(enum log_format format, enum mc_level level)
{
	CU_ASSERT_EQUAL_FATAL(log_open(file, format, level), MC_OK);
}

static void
test_text(void)
{
	begin(LOG_TEXT, MC_NOTE);
	mc_log(&host, MC_NOTE, "%d players", 35);
	CU_ASSERT_STRING_EQUAL(line(), "NOTE  gateway 35 players\n");
	request_set(17);
	mc_log(&host, MC_ERROR, "lost");
	CU_ASSERT_STRING_EQUAL(line(), "ERROR gateway #17 lost\n");
	request_set(0);
	mc_log(NULL, MC_WARN, "the host");
	CU_ASSERT_STRING_EQUAL(line(), "WARN  metacubed the host\n");
}

static void
test_level(void)
{
	begin(LOG_TEXT, MC_WARN);
	mc_log(&host, MC_DEBUG, "no");
	mc_log(&host, MC_NOTE, "no");
	CU_ASSERT_STRING_EQUAL(logged(file), "");
	mc_log(&host, MC_WARN, "yes");
	CU_ASSERT_STRING_EQUAL(line(), "WARN  gateway yes\n");
	begin(LOG_TEXT, MC_DEBUG);
	mc_log(&host, MC_DEBUG, "yes");
	CU_ASSERT_STRING_EQUAL(line(), "DEBUG gateway yes\n");
}

static void
check_quoted(const char *quoted, const char *expected)
{
	char whole[256];

	mc_log(&host, MC_NOTE, "<%s>", quoted);
	snprintf(whole, sizeof(whole), "NOTE  gateway <%s>\n", expected);
	CU_ASSERT_STRING_EQUAL(line(), whole);
}

static void
test_control(void)
{
	begin(LOG_TEXT, MC_NOTE);
	check_quoted("a\nERROR forged", "a\\x0aERROR forged");
	check_quoted("\033[31mred", "\\x1b[31mred");
	check_quoted("tab\there\x7f", "tab\\x09here\\x7f");
	check_quoted("Zo\xc3\xab \xe2\x82\xac \xf0\x9f\x98\x80",
	    "Zo\xc3\xab \xe2\x82\xac \xf0\x9f\x98\x80");
	check_quoted("\xff\xc0\xaf", "\\xff\\xc0\\xaf");
	check_quoted("\xc2\x9b", "\\xc2\\x9b");		/* C1 */
	check_quoted("\xed\xa0\x80", "\\xed\\xa0\\x80");	/* surrogate */
	check_quoted("\xe2\x80\xae", "\\xe2\\x80\\xae"); /* right to left */
	check_quoted("\xe2\x82", "\\xe2\\x82");		/* torn */
}

static void
test_long(void)
{
	static char much[100000];
	const char *all;

	begin(LOG_TEXT, MC_NOTE);
	memset(much, 'x', sizeof(much) - 1);
	mc_log(&host, MC_NOTE, "%s", much);
	all = logged(file);
	CU_ASSERT_TRUE(strlen(all) <= LOG_LINE_MAX);
	CU_ASSERT_STRING_EQUAL(all + strlen(all) - 6, "xx...\n");
	memset(much, '\x01', sizeof(much) - 1);	/* four times as long */
	mc_log(&host, MC_NOTE, "%s", much);
	all = logged(file);
	CU_ASSERT_TRUE(strlen(all) <= LOG_LINE_MAX);
	CU_ASSERT_STRING_EQUAL(all + strlen(all) - 4, "...\n");
}

static void
test_json(void)
{
	const char *all;

	begin(LOG_JSON, MC_NOTE);
	request_set(5);
	mc_log(&host, MC_WARN, "say \"hi\"\\\n\xff");
	request_set(0);
	all = logged(file);
	CU_ASSERT_EQUAL(strncmp(all, "{\"time\":\"20", 11), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(all, "\"level\":\"warn\","
	    "\"instance\":\"gateway\",\"request\":5,"
	    "\"text\":\"say \\\"hi\\\"\\\\\\u000a\\u00ff\"}\n"));
	mc_log(&host, MC_NOTE, "plain");
	CU_ASSERT_PTR_NOT_NULL(strstr(logged(file),
	    "\"instance\":\"gateway\",\"text\":\"plain\"}\n"));
}

static void
test_fail(void)
{
	begin(LOG_TEXT, MC_NOTE);
	CU_ASSERT_EQUAL(mc_fail(&host, MC_UNAVAILABLE, "no disk"),
	    MC_UNAVAILABLE);
	CU_ASSERT_STRING_EQUAL(line(), "ERROR gateway no disk\n");
	CU_ASSERT_EQUAL(mc_fail(&host, MC_DENIED, "not you"), MC_DENIED);
	CU_ASSERT_STRING_EQUAL(line(), "WARN  gateway not you\n");
}

/* Whoever logs in an error path still has its errno. */
static void
test_errno(void)
{
	begin(LOG_TEXT, MC_NOTE);
	errno = ENOSPC;
	mc_log(&host, MC_NOTE, "full");
	CU_ASSERT_EQUAL(errno, ENOSPC);
}

static void
test_reopen(void)
{
	begin(LOG_TEXT, MC_NOTE);
	mc_log(&host, MC_NOTE, "before");
	CU_ASSERT_EQUAL(rename(file, renamed), 0);
	mc_log(&host, MC_NOTE, "still there");
	CU_ASSERT_EQUAL(log_reopen(), MC_OK);
	mc_log(&host, MC_NOTE, "after");
	CU_ASSERT_STRING_EQUAL(line(), "NOTE  gateway after\n");
	CU_ASSERT_PTR_NOT_NULL(strstr(logged(renamed), "still there\n"));
	remove(renamed);
}

static void
test_unusable(void)
{
	begin(LOG_TEXT, MC_NOTE);
	CU_ASSERT_EQUAL(log_open("/nonexistent/log", LOG_TEXT, MC_NOTE),
	    MC_UNAVAILABLE);
	CU_ASSERT_PTR_NOT_NULL(strstr(logged(file), "/nonexistent/log"));
	mc_log(&host, MC_NOTE, "goes on");
	CU_ASSERT_STRING_EQUAL(line(), "NOTE  gateway goes on\n");
}

static void *
log_much(void *arg)
{
	for (int i = 0; i < ROUNDS; i++)
		mc_log(&host, MC_NOTE, "thread %d line %04d end", *(int *)arg,
		    i);
	return NULL;
}

/* Also while the file is opened again. */
static void
test_threads(void)
{
	pthread_t threads[THREADS];
	int numbers[THREADS], whole = 0;
	const char *at;

	begin(LOG_TEXT, MC_NOTE);
	for (int i = 0; i < THREADS; i++) {
		numbers[i] = i;
		pthread_create(&threads[i], NULL, log_much, &numbers[i]);
	}
	for (int i = 0; i < 50; i++)
		CU_ASSERT_EQUAL(log_reopen(), MC_OK);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (at = logged(file); *at != '\0'; at = strchr(at, '\n') + 1) {
		int thread, number, len = 0;

		sscanf(at + 25, "NOTE  gateway thread %1d line %4d end%n",
		    &thread, &number, &len);
		CU_ASSERT_TRUE_FATAL(len != 0 && at[25 + len] == '\n');
		whole++;
	}
	CU_ASSERT_EQUAL(whole, THREADS * ROUNDS);
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "a line has level, instance, request", test_text },
		{ "the level decides", test_level },
		{ "control characters are escaped", test_control },
		{ "a line is bounded", test_long },
		{ "JSON is JSON", test_json },
		{ "mc_fail logs and returns", test_fail },
		{ "errno is kept", test_errno },
		{ "a renamed file is opened anew", test_reopen },
		{ "a file that cannot be opened changes nothing",
		  test_unusable },
		{ "lines of threads do not mix", test_threads },
		{ NULL, NULL }
	};
	int status;

	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(file, sizeof(file), "%s/log", dir);
	snprintf(renamed, sizeof(renamed), "%s/log.1", dir);
	status = cutap_run("log", tests);
	log_open("", LOG_TEXT, MC_NOTE);
	remove(file);
	rmdir(dir);
	return status;
}
