/* SPDX-License-Identifier: MIT */
/*
 * mailbox_take - the sendmail of the crash tests.
 *
 *	mailbox_take FOLDER [OPTION...] < MESSAGE
 */
#include "mailbox.h"

#include <stddef.h>
#include <sysexits.h>

int
main(int argc, char **argv)
{
	return argc < 2 ? EX_USAGE : mailbox_deliver(argv[1]);
}
