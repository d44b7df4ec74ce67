/* SPDX-License-Identifier: MIT */
#include "elfnote.h"

#include <metacube/module.h>

#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEGMENTS_MAX	64
#define NOTES_MAX	(64 * 1024)	/* bytes of one PT_NOTE segment */

struct file {
	int		fd;
	uint64_t	size;
};

/* The ELF header of the code that runs here: what fits to it fits to us. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

static bool
inside(const struct file *file, uint64_t offset, uint64_t len)
{
	return offset <= file->size && len <= file->size - offset;
}

static bool
read_at(const struct file *file, uint64_t offset, void *to, size_t len)
{
	return inside(file, offset, len) &&
	    pread(file->fd, to, len, (off_t)offset) == (ssize_t)len;
}

static const char *
header_fault(const ElfW(Ehdr) *header)
{
	const ElfW(Ehdr) *own = &__ehdr_start;

	if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
		return "is not an ELF file";
	if (header->e_ident[EI_CLASS] != own->e_ident[EI_CLASS] ||
	    header->e_ident[EI_DATA] != own->e_ident[EI_DATA] ||
	    header->e_machine != own->e_machine)
		return "was built for another kind of processor";
	if (header->e_type != ET_DYN)
		return "is not a shared object";
	if (header->e_phentsize != sizeof(ElfW(Phdr)) ||
	    header->e_phnum == 0 || header->e_phnum > SEGMENTS_MAX)
		return "is damaged: its program headers make no sense";
	return NULL;
}

static const char *
segments_fault(const struct file *file, const ElfW(Phdr) *segments,
    unsigned count)
{
	bool loads = false, dynamic = false;

	for (unsigned i = 0; i < count; i++) {
		if (segments[i].p_type != PT_GNU_STACK &&
		    !inside(file, segments[i].p_offset, segments[i].p_filesz))
			return "is truncated: a segment ends beyond the file";
		loads |= segments[i].p_type == PT_LOAD;
		dynamic |= segments[i].p_type == PT_DYNAMIC;
	}
	return loads && dynamic ? NULL :
	    "is damaged: it has nothing that could be loaded";
}

/* One note of ours in the segment's bytes. */
static bool
note_find(const unsigned char *bytes, size_t len, size_t align,
    struct elfnote *note_r)
{
	ElfW(Nhdr) note;
	size_t at = 0, name, data;

	while (len - at >= sizeof(note)) {
		memcpy(&note, bytes + at, sizeof(note));
		at += sizeof(note);
		name = ((size_t)note.n_namesz + align - 1) & ~(align - 1);
		if (name > len - at)
			return false;
		data = ((size_t)note.n_descsz + align - 1) & ~(align - 1);
		if (note.n_type == MC_NOTE_ABI &&
		    note.n_namesz == sizeof(MC_NOTE_NAME) &&
		    note.n_descsz == sizeof(*note_r) &&
		    note.n_descsz <= len - at - name &&
		    memcmp(bytes + at, MC_NOTE_NAME, note.n_namesz) == 0) {
			memcpy(note_r, bytes + at + name, sizeof(*note_r));
			return true;
		}
		if (data > len - at - name)
			return false;
		at += name + data;
	}
	return false;
}

static bool
segment_search(const struct file *file, const ElfW(Phdr) *segment,
    struct elfnote *note_r)
{
	size_t len = segment->p_filesz;
	unsigned char *bytes;
	bool found;

	if (segment->p_type != PT_NOTE || len > NOTES_MAX || len == 0)
		return false;
	bytes = malloc(len);
	if (bytes == NULL)
		abort();
	found = read_at(file, segment->p_offset, bytes, len) &&
	    note_find(bytes, len, segment->p_align == 8 ? 8 : 4, note_r);
	free(bytes);
	return found;
}

const char *
elfnote_read(int fd, struct elfnote *note_r)
{
	ElfW(Phdr) segments[SEGMENTS_MAX];
	ElfW(Ehdr) header;
	struct file file = { .fd = fd };
	struct stat st;
	const char *why;

	if (fstat(fd, &st) == -1)
		return "cannot be examined";
	file.size = (uint64_t)st.st_size;
	if (!read_at(&file, 0, &header, sizeof(header)))
		return "is too short for a module";
	if ((why = header_fault(&header)) != NULL)
		return why;
	if (!read_at(&file, header.e_phoff, segments,
	    header.e_phnum * sizeof(segments[0])))
		return "is truncated: its program headers are missing";
	why = segments_fault(&file, segments, header.e_phnum);
	if (why != NULL)
		return why;
	for (unsigned i = 0; i < header.e_phnum; i++) {
		if (segment_search(&file, &segments[i], note_r))
			return NULL;
	}
	return "is no MetaCube module: it carries no MetaCube note "
	    "(MC_MODULE_NOTE)";
}
