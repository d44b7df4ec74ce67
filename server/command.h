/* SPDX-License-Identifier: MIT */
/*
 * command - what metacubed's command line asks for.
 */
#ifndef SERVER_COMMAND_H
#define SERVER_COMMAND_H

/* Exported by the library for main.c alone.  Returns the exit status. */
int	metacubed_main(int argc, char **argv);

#endif
