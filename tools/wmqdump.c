/* SPDX-License-Identifier: MIT */
/*
 * metacube-wmqdump - what is in a queue file, or in a folder of them; and
 * whether it is whole.
 *
 * Reads only, and takes no lock: the queue may be in use.  Then the newest
 * file can end within a commit that is just being written, which is nobody's
 * business yet.
 */
#include "config.h"

#include "wmqdump/print.h"

#include <metacube/host.h>
#include <metacube/queue.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE	4096

enum { WHOLE = 0, DAMAGED = 1, FAILED = 2 };	/* exit status */

struct dump {
	struct print_how	 how;
	bool			 check;		/* and print no records */
	uint64_t		 from, to;
	const char		*path;		/* of the file that is read */
	int			 fd;
	uint64_t		 printed;	/* up to this record */
	/* What the files so far say of the next one. */
	bool			 began;
	struct segment_scan	 before;
	uint64_t		 files, first_seq;
};

static int64_t
file_read(void *arg, uint64_t offset, void *data, size_t len)
{
	struct dump *dump = arg;
	size_t have = 0;
	ssize_t got;

	while (have < len) {
		got = pread(dump->fd, (char *)data + have, len - have,
		    (off_t)(offset + have));
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return -1;
		if (got == 0)
			break;
		have += (size_t)got;
	}
	return (int64_t)have;
}

/* The scan has found this record good; it is read once more to be shown. */
static void
record_show(struct dump *dump, uint64_t seq, uint64_t offset)
{
	static uint8_t data[SEGMENT_HASH_SIZE + RECORD_MAX];
	struct wmq_record head;
	int64_t got = file_read(dump, offset - SEGMENT_HASH_SIZE, data,
	    sizeof(data));

	if (got > SEGMENT_HASH_SIZE && segment_record_read(data +
	    SEGMENT_HASH_SIZE, (size_t)got - SEGMENT_HASH_SIZE, seq,
	    &head) > 0)
		print_record(&dump->how, &head, data + SEGMENT_HASH_SIZE +
		    RECORD_HEAD_SIZE);
	mc_wipe(data, sizeof(data));
}

static void
passed(void *arg, uint64_t seq, uint64_t offset)
{
	struct dump *dump = arg;

	if (dump->check || seq <= dump->printed || seq < dump->from ||
	    seq > dump->to)
		return;
	dump->printed = seq;
	record_show(dump, seq, offset);
}

static int
damage(const struct dump *dump, uint64_t offset, const char *what)
{
	fflush(stdout);
	fprintf(stderr, "%s: byte %llu: %s\n", dump->path,
	    (unsigned long long)offset, what);
	return DAMAGED;
}

/* Does the file go on where the one before ended? */
static int
chain_check(const struct dump *dump, const struct segment_header *header)
{
	if (!dump->began)
		return WHOLE;
	if (memcmp(header->epoch, dump->before.header.epoch, 16) != 0)
		return damage(dump, 16, "another epoch than that of the file "
		    "before");
	if (header->first_seq != dump->before.next_seq)
		return damage(dump, 32, "does not begin with the record after "
		    "the last one of the file before");
	if (memcmp(header->previous, dump->before.hash,
	    SEGMENT_HASH_SIZE) != 0)
		return damage(dump, 56, "does not continue the file before "
		    "(hash)");
	return WHOLE;
}

static int
scan_judge(const struct dump *dump, enum segment_end end,
    const struct segment_scan *scan, bool newest)
{
	char what[128];

	if (end == SEGMENT_DAMAGED && scan->fault != NULL)
		return damage(dump, 0, scan->fault);
	if (end == SEGMENT_DAMAGED || (!newest && scan->size != scan->end)) {
		snprintf(what, sizeof(what), "damaged; here should be record "
		    "%llu%s", (unsigned long long)scan->next_seq,
		    end == SEGMENT_DAMAGED ? "" : ", or the end of the file");
		return damage(dump, scan->end, what);
	}
	if (end == SEGMENT_TORN)
		fprintf(stderr, "%s: byte %llu: what follows is a commit that "
		    "is being written, or was torn\n", dump->path,
		    (unsigned long long)scan->end);
	return WHOLE;
}

/* A queue in use goes on while it is read, so that what is behind a record
 * may be newer than the record seemed: only what is found twice is there. */
static enum segment_end
scan_twice(struct dump *dump, struct segment_scan *scan)
{
	const struct segment_source source = { file_read, dump };
	enum segment_end end = segment_scan(&source, passed, dump, scan);
	uint64_t before;

	while (end == SEGMENT_DAMAGED && scan->fault == NULL) {
		before = scan->end;
		end = segment_scan(&source, passed, dump, scan);
		if (scan->end == before)
			break;
	}
	return end;
}

static int
failed(const char *path)
{
	fprintf(stderr, "metacube-wmqdump: %s: %s\n", path, strerror(errno));
	return FAILED;
}

static int
file_header(struct dump *dump)
{
	uint8_t bytes[SEGMENT_HEADER_SIZE];
	struct segment_header header;
	int64_t got = file_read(dump, 0, bytes, sizeof(bytes));
	const char *fault;

	if (got == -1)
		return failed(dump->path);
	fault = segment_header_read(bytes, (size_t)got, &header);
	if (fault != NULL)
		return damage(dump, 0, fault);
	if (!dump->check)
		print_header(&dump->how, dump->path, &header);
	return chain_check(dump, &header);
}

static int
file_scan(struct dump *dump, bool newest)
{
	struct segment_scan scan;
	enum segment_end end;
	int status = file_header(dump);

	if (status != WHOLE)
		return status;
	end = scan_twice(dump, &scan);
	if (end == SEGMENT_UNREADABLE)
		return failed(dump->path);
	status = scan_judge(dump, end, &scan, newest);
	if (!dump->began)
		dump->first_seq = scan.header.first_seq;
	dump->before = scan;
	dump->began = true;
	dump->files++;
	return status;
}

/* missing: the file may have been deleted since it was listed. */
static int
file_dump(struct dump *dump, const char *path, bool newest, bool missing)
{
	int status;

	dump->path = path;
	dump->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (dump->fd == -1 && errno == ENOENT && missing && !dump->began)
		return WHOLE;
	if (dump->fd == -1)
		return failed(path);
	status = file_scan(dump, newest);
	close(dump->fd);
	return status;
}

static int
is_queue_file(const struct dirent *entry)
{
	return queue_is_name(entry->d_name);
}

static int
older_first(const struct dirent **left, const struct dirent **right)
{
	return queue_compare((*left)->d_name, (*right)->d_name);
}

static int
folder_dump(struct dump *dump, const char *folder)
{
	struct dirent **entries;
	int status = WHOLE, count = scandir(folder, &entries, is_queue_file,
	    older_first);
	char path[PATH_SIZE];

	if (count == -1)
		return failed(folder);
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder,
		    entries[i]->d_name);
		if (status == WHOLE)
			status = file_dump(dump, path, i + 1 == count, true);
		free(entries[i]);
	}
	free(entries);
	if (count == 0) {
		fprintf(stderr, "metacube-wmqdump: %s: no queue files\n",
		    folder);
		status = FAILED;
	}
	return status;
}

static int
dump_path(struct dump *dump, const char *path)
{
	struct stat st;

	if (stat(path, &st) == -1)
		return failed(path);
	return S_ISDIR(st.st_mode) ? folder_dump(dump, path) :
	    file_dump(dump, path, true, false);
}

static void
summary(const struct dump *dump)
{
	printf("%llu file%s, records %llu to %llu: whole\n",
	    (unsigned long long)dump->files, dump->files == 1 ? "" : "s",
	    (unsigned long long)dump->first_seq,
	    (unsigned long long)dump->before.next_seq - 1);
}

static int
usage(FILE *file, int status)
{
	fputs("usage: metacube-wmqdump [--check] [--json] [--personal] "
	    "[--from SEQ] [--to SEQ]\n"
	    "           FILE|FOLDER\n", file);
	return status;
}

static bool
number_read(const char *text, uint64_t *number_r)
{
	char *end;

	errno = 0;
	*number_r = strtoull(text, &end, 10);
	return errno == 0 && *text >= '0' && *text <= '9' && *end == '\0';
}

static const struct option options[] = {
	{ "check",	no_argument,		NULL, 'c' },
	{ "json",	no_argument,		NULL, 'j' },
	{ "personal",	no_argument,		NULL, 'p' },
	{ "from",	required_argument,	NULL, 'f' },
	{ "to",		required_argument,	NULL, 't' },
	{ "help",	no_argument,		NULL, 'h' },
	{ "version",	no_argument,		NULL, 'v' },
	{ NULL, 0, NULL, 0 }
};

/* -1: go on. */
static int
option_take(struct dump *dump, int option)
{
	switch (option) {
	case 'c':
		dump->check = true;
		return -1;
	case 'j':
		dump->how.json = true;
		return -1;
	case 'p':
		dump->how.personal = true;
		return -1;
	case 'f':
		return number_read(optarg, &dump->from) ? -1 :
		    usage(stderr, FAILED);
	case 't':
		return number_read(optarg, &dump->to) ? -1 :
		    usage(stderr, FAILED);
	case 'h':
		return usage(stdout, WHOLE);
	case 'v':
		puts("metacube-wmqdump " PACKAGE_VERSION);
		return WHOLE;
	default:
		return usage(stderr, FAILED);
	}
}

int
main(int argc, char **argv)
{
	struct dump dump = { .to = UINT64_MAX };
	int option, status = -1;

	while (status == -1 && (option = getopt_long(argc, argv, "h", options,
	    NULL)) != -1)
		status = option_take(&dump, option);
	if (status != -1)
		return status;
	if (optind + 1 != argc)
		return usage(stderr, FAILED);
	status = dump_path(&dump, argv[optind]);
	if (status == WHOLE && dump.check && dump.files > 0)
		summary(&dump);
	if (fflush(stdout) != 0)
		return failed("standard output");
	return status;
}
