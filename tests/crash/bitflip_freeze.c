/* SPDX-License-Identifier: MIT */
/*
 * bitflip_freeze - no bit of a freeze can be another one without being seen.
 *
 *	bitflip_freeze [--rounds N] [--seed N] [--build FOLDER]
 *
 * First every bit of a small freeze, alone; then, in each round, one bit
 * somewhere in a freeze of several chunks: in the header, in what is
 * encrypted, in a tag.  The reader must refuse the file, and before that hand
 * out nothing that is not in the good one; with the digest and without.
 *
 * The control turns no bit: the file is accepted then, which must count as a
 * violation, or the refusals prove nothing.
 */
#include "../unit/freeze_files.h"
#include "campaign.h"
#include "scratch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SMALL	3
#define LARGE	1500		/* accounts */

struct file {
	const char		*path;
	struct freeze_keys	*keys;
	uint8_t			*good;		/* accounts of the good one */
	size_t			 good_len;
	off_t			 size;
	int			 fd;
};

static void
die(const char *what)
{
	printf("Bail out! %s\n", what);
	exit(99);
}

/* The accounts of the file, one behind the other; false: refused.  Whatever
 * is handed out is compared with the good ones. */
static bool
accepted(const struct file *file, bool undigested, unsigned *violations)
{
	char why[FREEZE_WHY];
	struct freeze_header header;
	struct freeze_reader *reader = freeze_open(file->path, file->keys,
	    &header, why);
	const void *accounts;
	size_t at = 0, len = 1;
	int result = 0;

	if (reader == NULL)
		return false;
	if (undigested)
		freeze_undigested(reader);
	while (result == 0 && len > 0) {
		result = freeze_next(reader, &accounts, &len, why);
		if (result == 0 && (len > file->good_len - at ||
		    memcmp(file->good + at, accounts, len) != 0)) {
			printf("# VIOLATION: other accounts were read\n");
			++*violations;
			break;
		}
		at += len;
	}
	freeze_close(&reader);
	return result == 0;
}

static void
good_read(struct file *file)
{
	char why[FREEZE_WHY];
	struct freeze_header header;
	struct freeze_reader *reader = freeze_open(file->path, file->keys,
	    &header, why);
	const void *accounts;
	size_t len;

	if (reader == NULL)
		die(why);
	file->good = malloc((size_t)header.size);
	file->size = (off_t)header.size;
	file->good_len = 0;
	while (freeze_next(reader, &accounts, &len, why) == 0 && len > 0) {
		memcpy(file->good + file->good_len, accounts, len);
		file->good_len += len;
	}
	freeze_close(&reader);
}

static void
file_make(struct file *file, const char *name, uint64_t accounts)
{
	struct freeze_header header;
	char why[FREEZE_WHY];

	file->keys = freeze_test_keys(0x5a);
	file->path = strdup(scratch_path(name));
	if (!freeze_make(file->path, file->keys, accounts, 7, &header, why))
		die(why);
	good_read(file);
	file->fd = open(file->path, O_RDWR | O_CLOEXEC);
	if (file->fd == -1)
		die("open");
}

static void
file_free(struct file *file)
{
	close(file->fd);
	freeze_keys_free(&file->keys);
	free(file->good);
	free((char *)file->path);
}

static void
flip(const struct file *file, off_t byte, uint8_t bits)
{
	uint8_t value;

	if (pread(file->fd, &value, 1, byte) != 1)
		die("pread");
	value ^= bits;
	if (pwrite(file->fd, &value, 1, byte) != 1)
		die("pwrite");
}

static unsigned
flip_one(const struct file *file, off_t byte, unsigned bit)
{
	unsigned violations = 0;

	flip(file, byte, (uint8_t)(1 << bit));
	for (int undigested = 0; undigested < 2; undigested++)
		if (accepted(file, undigested != 0, &violations)) {
			printf("# VIOLATION: accepted with bit %u of byte %ld "
			    "turned\n", bit, (long)byte);
			violations++;
		}
	flip(file, byte, (uint8_t)(1 << bit));
	return violations;
}

static unsigned
every_bit(void)
{
	struct file file;
	unsigned violations = 0;

	file_make(&file, "small", SMALL);
	for (off_t byte = 0; byte < file.size; byte++)
		for (unsigned bit = 0; bit < 8; bit++)
			violations += flip_one(&file, byte, bit);
	file_free(&file);
	return violations;
}

/* Every third in the header, which is little. */
static off_t
place_choose(const struct file *file, unsigned *seed)
{
	if (rand_r(seed) % 3 == 0)
		return rand_r(seed) % FREEZE_HEADER_SIZE;
	return (off_t)((uint64_t)rand_r(seed) % (uint64_t)file->size);
}

static unsigned
rounds_run(const struct file *file, const struct campaign_options *options)
{
	unsigned seed = options->seed, violations = 0;

	for (unsigned i = 0; i < options->rounds; i++) {
		violations += flip_one(file, place_choose(file, &seed),
		    (unsigned)rand_r(&seed) % 8);
		campaign_progress(options, i + 1, violations);
	}
	return violations;
}

static unsigned
control_run(const struct file *file)
{
	unsigned noticed = 0, violations = 0;

	for (int i = 0; i < CAMPAIGN_CONTROLS; i++)
		noticed += accepted(file, i % 2 == 0, &violations) &&
		    violations == 0;
	return noticed;
}

int
main(int argc, char **argv)
{
	struct campaign_options options = { .rounds = 2000 };
	unsigned violations, noticed;
	struct file file;

	campaign_begin(&options, argc, argv);
	scratch_make();
	violations = every_bit();
	campaign_result(violations == 0, "every bit of a small freeze counts");
	file_make(&file, "large", LARGE);
	violations += rounds_run(&file, &options);
	campaign_result(violations == 0,
	    "no turned bit of a large one is accepted");
	noticed = control_run(&file);
	campaign_result(noticed == CAMPAIGN_CONTROLS,
	    "the control, the file as it is, would be noticed");
	file_free(&file);
	scratch_remove();
	campaign_end(&options, "bitflip-freeze", violations, noticed);
	return 0;
}
