/* SPDX-License-Identifier: MIT */
/* Log lines: whole, bounded, and never what a stranger wants them to be. */

#include "cutap.h"

#include "log.h"
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

/* systemd's journal has the time, and wants the level as <N>; whether it is
 * the one who reads is decided by device and inode. */
static void
test_journal(void)
{
	char stream[64];
	struct stat st;

	CU_ASSERT_EQUAL_FATAL(stat(file, &st), 0);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	begin(LOG_TEXT, MC_DEBUG);
	mc_log(&host, MC_NOTE, "%d players", 35);
	CU_ASSERT_STRING_EQUAL(logged(file), "<5>gateway: 35 players\n");
	request_set(17);
	mc_log(&host, MC_ERROR, "lost\n<7>forged");
	request_set(0);
	CU_ASSERT_STRING_EQUAL(logged(file),
	    "<3>gateway #17: lost\\x0a<7>forged\n");
	mc_log(NULL, MC_WARN, "the host");
	CU_ASSERT_STRING_EQUAL(logged(file), "<4>metacubed: the host\n");
	mc_log(NULL, MC_DEBUG, "details");
	CU_ASSERT_STRING_EQUAL(logged(file), "<7>metacubed: details\n");
	begin(LOG_JSON, MC_NOTE);
	mc_log(&host, MC_NOTE, "JSON is JSON there, too");
	CU_ASSERT_EQUAL(logged(file)[0], '{');
	setenv("JOURNAL_STREAM", "1:2", 1);
	begin(LOG_TEXT, MC_NOTE);
	mc_log(&host, MC_NOTE, "somebody else's journal");
	CU_ASSERT_STRING_EQUAL(line(),
	    "NOTE  gateway somebody else's journal\n");
	unsetenv("JOURNAL_STREAM");
}

/* A terminal is for people: the time of day, and a column of names. */
static void
test_terminal(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	char said[LOG_LINE_MAX] = "";
	size_t len = 0;
	ssize_t got;

	CU_ASSERT_TRUE_FATAL(master != -1 && grantpt(master) == 0 &&
	    unlockpt(master) == 0);
	CU_ASSERT_EQUAL_FATAL(log_open(ptsname(master), LOG_TEXT, MC_NOTE),
	    MC_OK);
	request_set(17);
	mc_log(&host, MC_WARN, "\033[2Jlost");
	request_set(0);
	do {	/* it may come in parts */
		got = read(master, said + len, sizeof(said) - 1 - len);
		len += got > 0 ? (size_t)got : 0;
	} while (got > 0 && said[len - 1] != '\n');
	begin(LOG_TEXT, MC_NOTE);
	close(master);
	CU_ASSERT_TRUE_FATAL(len > 13);
	CU_ASSERT_STRING_EQUAL(said + 13, "\033[33mWARN \033[0m "
	    "gateway          #17 \\x1b[2Jlost\r\n");
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
		{ "the journal gets <N>, and no time", test_journal },
		{ "a terminal gets what people read", test_terminal },
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
