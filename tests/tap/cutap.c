/* SPDX-License-Identifier: MIT */
#include "cutap.h"

#include <CUnit/TestRun.h>

#include <stdio.h>

static unsigned done;

static void
failures_print(const CU_FailureRecord *failure, const CU_Test *test)
{
	for (; failure != NULL; failure = failure->pNext) {
		if (failure->pTest != test)
			continue;
		printf("# %s:%u: %s\n", failure->strFileName,
		    failure->uiLineNumber, failure->strCondition);
	}
}

static void
test_complete(const CU_pTest test, const CU_pSuite suite,
    const CU_pFailureRecord failures)
{
	(void)suite;
	failures_print(failures, test);
	printf("%sok %u - %s\n", failures == NULL ? "" : "not ", ++done,
	    test->pName);
	fflush(stdout);
}

/* The number of tests added, or -1 having said why. */
static int
suite_add(const struct cutap_suite *suite)
{
	CU_pSuite added = CU_add_suite(suite->name, NULL, NULL);
	int count = 0;

	if (added == NULL) {
		printf("Bail out! %s: %s\n", suite->name, CU_get_error_msg());
		return -1;
	}
	for (; suite->tests[count].name != NULL; count++) {
		if (CU_add_test(added, suite->tests[count].name,
		    suite->tests[count].run) == NULL) {
			printf("Bail out! %s: %s\n", suite->tests[count].name,
			    CU_get_error_msg());
			return -1;
		}
	}
	return count;
}

int
cutap_run_all(const struct cutap_suite *suites)
{
	int count = 0, added;

	if (CU_initialize_registry() != CUE_SUCCESS) {
		printf("Bail out! %s\n", CU_get_error_msg());
		return 1;
	}
	for (; suites->name != NULL; suites++) {
		if ((added = suite_add(suites)) < 0)
			return 1;
		count += added;
	}
	printf("1..%d\n", count);
	fflush(stdout);
	CU_set_test_complete_handler(test_complete);
	CU_run_all_tests();
	CU_cleanup_registry();
	return 0;
}

int
cutap_run(const char *name, const struct cutap_test *tests)
{
	const struct cutap_suite suites[] = {
		{ name, tests },
		{ NULL, NULL }
	};

	return cutap_run_all(suites);
}
