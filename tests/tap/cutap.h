/* SPDX-License-Identifier: MIT */
/*
 * cutap - CUnit tests that report as TAP, for automake's driver.
 *
 *	int
 *	main(void)
 *	{
 *		static const struct cutap_test tests[] = {
 *			{ "an empty file is fine", empty },
 *			{ NULL, NULL }
 *		};
 *		return cutap_run("conf_scan", tests);
 *	}
 *
 * A failed assertion is a comment with file, line and condition, and makes
 * its test "not ok".  The exit status is 0 also then, since TAP has said it;
 * what is left for it are crashes and sanitizers.
 */
#ifndef TESTS_CUTAP_H
#define TESTS_CUTAP_H

#include <CUnit/CUnit.h>

struct cutap_test {
	const char	*name;
	void		(*run)(void);
};

/* The list ends with a zero entry. */
int	cutap_run(const char *suite, const struct cutap_test *);

/* Several lists as one program; they end with a zero entry too. */
struct cutap_suite {
	const char		 *name;
	const struct cutap_test	 *tests;
};

int	cutap_run_all(const struct cutap_suite *);

#endif
