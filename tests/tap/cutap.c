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

int
cutap_run(const char *name, const struct cutap_test *tests)
{
	CU_pSuite suite;
	unsigned count = 0;

	if (CU_initialize_registry() != CUE_SUCCESS ||
	    (suite = CU_add_suite(name, NULL, NULL)) == NULL) {
		printf("Bail out! %s\n", CU_get_error_msg());
		return 1;
	}
	for (; tests[count].name != NULL; count++) {
		if (CU_add_test(suite, tests[count].name,
		    tests[count].run) == NULL) {
			printf("Bail out! %s: %s\n", tests[count].name,
			    CU_get_error_msg());
			return 1;
		}
	}
	printf("1..%u\n", count);
	fflush(stdout);
	CU_set_test_complete_handler(test_complete);
	CU_run_all_tests();
	CU_cleanup_registry();
	return 0;
}
