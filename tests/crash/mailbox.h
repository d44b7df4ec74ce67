/* SPDX-License-Identifier: MIT */
/*
 * mailbox - a folder with a folder for each address, and in that a file for
 * each mail that was handed over for it.
 */
#ifndef TESTS_CRASH_MAILBOX_H
#define TESTS_CRASH_MAILBOX_H

#include <stdbool.h>

#define MAILBOX_CODE	27

/* The sendmail of the test: standard input into that folder; an exit status. */
int	mailbox_deliver(const char *folder);

/* All codes that were mailed to this address, at most max. */
unsigned mailbox_codes(const char *folder, const char *address,
	    char codes[][MAILBOX_CODE], unsigned max);

#endif
