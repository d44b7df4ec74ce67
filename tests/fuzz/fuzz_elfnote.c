/* SPDX-License-Identifier: MIT */
/*
 * fuzz_elfnote - any bytes as a module's file: as they are, and behind an ELF
 * header that is right, so that program headers and notes are reached too.
 */
#include "elfnote.h"

#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static ElfW(Ehdr) header;
static int fd = -1;

static void
begin(void)
{
	int own = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	fd = memfd_create("module", MFD_CLOEXEC);
	if (fd == -1 || own == -1 ||
	    read(own, &header, sizeof(header)) != sizeof(header))
		abort();
	close(own);
	header.e_type = ET_DYN;
	header.e_phoff = sizeof(header);
}

static void
put(const void *bytes, size_t len, size_t offset)
{
	if (pwrite(fd, bytes, len, (off_t)offset) != (ssize_t)len)
		abort();
}

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* The first byte is the number of program headers, the next ones are they. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elfnote note;

	if (fd == -1)
		begin();
	if (ftruncate(fd, 0) == -1)
		abort();
	put(data, size, 0);
	elfnote_read(fd, &note);
	if (size == 0)
		return 0;
	header.e_phnum = data[0];
	put(&header, sizeof(header), 0);
	put(data + 1, size - 1, sizeof(header));
	elfnote_read(fd, &note);
	return 0;
}
