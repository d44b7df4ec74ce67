/* SPDX-License-Identifier: MIT */
/*
 * metacubed - the program: all of it is in libmetacube, so that modules and
 * host share one copy.
 */
#include "command.h"

int
main(int argc, char **argv)
{
	return metacubed_main(argc, argv);
}
