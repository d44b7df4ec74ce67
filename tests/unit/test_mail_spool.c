/* SPDX-License-Identifier: MIT */
/*
 * mail_sendmail's spool: what is left of a mail that was given up, and for how
 * long.
 */
#include "cutap.h"
#include "scratch.h"

#include "../../modules/mail_sendmail/mail_sendmail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST	"1763697600000-0123456789abcdef"
#define SECOND	"1763697600001-0123456789abcdef"
#define MESSAGE	"To: joe@example.com\nSubject: Hello\n\nYour code: ABCDEFGH\n"

static const char *spool;

static void
give_up(const char *id)
{
	CU_ASSERT_EQUAL_FATAL(spool_write(spool, id, MESSAGE,
	    strlen(MESSAGE)), 0);
	CU_ASSERT_EQUAL_FATAL(spool_publish(spool, id), 0);
	CU_ASSERT_EQUAL(spool_fail(spool, id, "no such user"), 0);
	CU_ASSERT_EQUAL(spool_open(spool, id), -1);
}

static void
prepare(void)
{
	spool = scratch_make();
	CU_ASSERT_EQUAL_FATAL(spool_prepare(spool), 0);
}

static void
header_only(void)
{
	size_t len;
	char *left;

	prepare();
	give_up(FIRST);
	left = scratch_read(scratch_path("failed/" FIRST), &len);
	CU_ASSERT_STRING_EQUAL(left, "To: joe@example.com\nSubject: Hello\n\n"
	    "Given up: no such user\n");
	free(left);
	scratch_remove();
}

static bool
is_there(const char *name)
{
	return access(scratch_path(name), F_OK) == 0;
}

static void
age(const char *name, time_t seconds)
{
	struct timespec times[2] = { { seconds, 0 }, { seconds, 0 } };

	CU_ASSERT_EQUAL_FATAL(utimensat(AT_FDCWD, scratch_path(name), times,
	    0), 0);
}

/* By when it was given up; what is not ours stays. */
static void
prunes(void)
{
	size_t gone = 99;

	prepare();
	give_up(FIRST);
	give_up(SECOND);
	scratch_text("failed/note", "look at " FIRST);
	age("failed/" FIRST, 1000);
	age("failed/" SECOND, 2000);
	age("failed/note", 1000);
	CU_ASSERT_EQUAL(spool_prune(spool, 1000000, &gone), 0);
	CU_ASSERT_EQUAL(gone, 0);
	CU_ASSERT_EQUAL(spool_prune(spool, 2000000, &gone), 0);
	CU_ASSERT_EQUAL(gone, 1);
	CU_ASSERT_FALSE(is_there("failed/" FIRST));
	CU_ASSERT_TRUE(is_there("failed/" SECOND));
	CU_ASSERT_TRUE(is_there("failed/note"));
	scratch_remove();
	CU_ASSERT_EQUAL(spool_prune("/nowhere", 1, &gone), -1);
	CU_ASSERT_EQUAL(errno, ENOENT);
	CU_ASSERT_EQUAL(gone, 0);
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "the header is left, not the text", header_only },
		{ "and that for a while", prunes },
		{ NULL, NULL }
	};

	return cutap_run("mail_spool", tests);
}
