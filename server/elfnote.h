/* SPDX-License-Identifier: MIT */
/*
 * elfnote - what a shared object says about itself before any of it runs.
 *
 *	ELF header -> program headers -> PT_NOTE segments ->
 *	    { name size, data size, type, "MetaCube", abi major, abi minor }
 *
 * Reads with pread and checks every offset against the size of the file.  It
 * does not map or load anything.
 */
#ifndef SERVER_ELFNOTE_H
#define SERVER_ELFNOTE_H

#include <stdint.h>

struct elfnote {
	uint32_t	abi_major, abi_minor;
};

/* NULL: fine; else what is wrong with the file, as words after its name. */
const char	*elfnote_read(int fd, struct elfnote *note_r);

#endif
