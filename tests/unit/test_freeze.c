/* SPDX-License-Identifier: MIT */
/*
 * Freeze files: what is written is read, the same again gives the same bytes,
 * and nothing else is ever accepted.
 */
#include "cutap.h"
#include "freeze_files.h"
#include "scratch.h"

#include <metacube/bytes.h>
#include <metacube/pwq.h>
#include <metacube/segment.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALED		(FREEZE_CHUNK + 16)
#define MANY		2000	/* accounts: several chunks */

static struct freeze_keys *keys;
static char why[FREEZE_WHY];

/* What the linker takes from the writer (--wrap): fails the call with that
 * number (from 1) with this error; 0: none. */
static int fail_at, fail_error, fail_calls;

static bool
fails(void)
{
	if (fail_at == 0 || ++fail_calls != fail_at)
		return false;
	errno = fail_error;
	return true;
}

ssize_t	__real_pwrite(int, const void *, size_t, off_t);
ssize_t	__wrap_pwrite(int, const void *, size_t, off_t);
int	__real_fsync(int);
int	__wrap_fsync(int);
int	__real_rename(const char *, const char *);
int	__wrap_rename(const char *, const char *);
ssize_t	__real_read(int, void *, size_t);
ssize_t	__wrap_read(int, void *, size_t);

/* Every other write is a short one. */
ssize_t
__wrap_pwrite(int fd, const void *data, size_t len, off_t offset)
{
	static unsigned calls;

	if (fails())
		return -1;
	return __real_pwrite(fd, data, calls++ % 2 == 0 && len > 1 ?
	    len / 2 : len, offset);
}

int
__wrap_fsync(int fd)
{
	return fails() ? -1 : __real_fsync(fd);
}

int
__wrap_rename(const char *from, const char *to)
{
	return fails() ? -1 : __real_rename(from, to);
}

ssize_t
__wrap_read(int fd, void *data, size_t len)
{
	return fails() ? -1 : __real_read(fd, data, len);
}

static void
begin(void)
{
	scratch_make();
	keys = freeze_test_keys(0x11);
	fail_at = 0;
	why[0] = '\0';
}

static void
end(void)
{
	freeze_keys_free(&keys);
	CU_ASSERT_PTR_NULL(keys);
	scratch_remove();
}

static bool
make(const char *name, uint64_t count)
{
	struct freeze_header header;
	bool made = freeze_make(scratch_path(name), keys, count, 42, &header,
	    why);

	if (!made)
		fprintf(stderr, "# %s\n", why);
	return made;
}

static bool
refused(const char *name, const char *words)
{
	long count;

	why[0] = '\0';
	count = freeze_read_all(scratch_path(name), keys, false, why);
	if (count == -1 && strstr(why, words) != NULL &&
	    strstr(why, name) != NULL)
		return true;
	fprintf(stderr, "# %ld accounts, %s\n", count, why);
	return false;
}

static bool
there(const char *name)
{
	return access(scratch_path(name), F_OK) == 0;
}

static void
comes_back(void)
{
	struct freeze_header made, header;
	struct freeze_reader *reader;
	const void *accounts;
	const uint8_t *at;
	uint8_t expected[PWQ_MAX];
	uint64_t n = 0;
	size_t len, size, left;

	begin();
	CU_ASSERT_TRUE_FATAL(freeze_make(scratch_path("a"), keys, MANY, 42,
	    &made, why));
	reader = freeze_open(scratch_path("a"), keys, &header, why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(reader);
	CU_ASSERT_EQUAL(memcmp(&made, &header, sizeof(made)), 0);
	CU_ASSERT_EQUAL(header.position.count, MANY);
	CU_ASSERT_EQUAL(header.position.pointer.seq, 42);
	CU_ASSERT_EQUAL(header.position.last_uid, MANY * 3 + 5);
	CU_ASSERT_EQUAL(header.time, 1700000000);
	CU_ASSERT_EQUAL(header.offset, 112);
	while (freeze_next(reader, &accounts, &left, why) == 0 && left > 0)
		for (at = accounts; left > 0; at += 2 + len, left -= 2 + len) {
			len = mc_get16(at);
			size = freeze_account_bytes(++n, expected);
			CU_ASSERT_TRUE_FATAL(len == size &&
			    memcmp(at + 2, expected, len) == 0);
		}
	CU_ASSERT_EQUAL(n, MANY);
	freeze_close(&reader);
	CU_ASSERT_PTR_NULL(reader);
	CU_ASSERT_FALSE(there("a.new"));
	end();
}

static void
digest_right(void)
{
	struct freeze_header header;
	uint8_t digest[16] = { 0 }, bytes[PWQ_MAX];

	begin();
	CU_ASSERT_TRUE(freeze_make(scratch_path("a"), keys, 10, 42, &header,
	    why));
	for (uint64_t n = 1; n <= 10; n++)
		pwq_digest_add(digest, bytes, freeze_account_bytes(n, bytes));
	CU_ASSERT_EQUAL(memcmp(header.position.digest, digest, 16), 0);
	CU_ASSERT_EQUAL(freeze_read_all(scratch_path("a"), keys, true, why),
	    10);
	end();
}

static void
nobody_is_fine(void)
{
	begin();
	CU_ASSERT_TRUE(make("a", 0));
	CU_ASSERT_EQUAL(freeze_read_all(scratch_path("a"), keys, false, why),
	    0);
	end();
}

static void
same_bytes(void)
{
	char *first, *second;
	size_t len, size;

	begin();
	CU_ASSERT_TRUE(make("a", MANY));
	CU_ASSERT_TRUE(make("b", MANY));
	first = scratch_read(scratch_path("a"), &len);
	second = scratch_read(scratch_path("b"), &size);
	CU_ASSERT_EQUAL(len, size);
	CU_ASSERT_EQUAL(memcmp(first, second, len), 0);
	free(first);
	free(second);
	end();
}

/* What is secret cannot be found in the file, and others cannot read it. */
static void
secret(void)
{
	struct stat st;
	char *file;
	size_t len;

	begin();
	CU_ASSERT_TRUE(make("a", 100));
	file = scratch_read(scratch_path("a"), &len);
	CU_ASSERT_PTR_NULL(memmem(file, len, "$y$j9T$", 7));
	CU_ASSERT_PTR_NULL(memmem(file, len, "player", 6));
	CU_ASSERT_EQUAL(stat(scratch_path("a"), &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 0777, 0600);
	free(file);
	end();
}

/* Each bit of a small file, alone. */
static void
no_bit_flips(void)
{
	unsigned accepted = 0;
	char *file;
	size_t len;

	begin();
	CU_ASSERT_TRUE(make("a", 3));
	file = scratch_read(scratch_path("a"), &len);
	for (size_t bit = 0; bit < len * 8; bit++) {
		file[bit / 8] ^= (char)(1 << bit % 8);
		scratch_write("b", file, len, 0600);
		if (freeze_read_all(scratch_path("b"), keys, true, why) != -1)
			accepted++;
		file[bit / 8] ^= (char)(1 << bit % 8);
	}
	CU_ASSERT_EQUAL(accepted, 0);
	scratch_write("b", file, len, 0600);	/* the control */
	CU_ASSERT_EQUAL(freeze_read_all(scratch_path("b"), keys, true, why),
	    3);
	free(file);
	end();
}

/* Every length but the right one. */
static void
no_cut(void)
{
	unsigned accepted = 0;
	char *file;
	size_t len;

	begin();
	CU_ASSERT_TRUE(make("a", 3));
	file = scratch_read(scratch_path("a"), &len);
	for (size_t cut = 0; cut < len; cut++) {
		scratch_write("b", file, cut, 0600);
		if (freeze_read_all(scratch_path("b"), keys, true, why) != -1)
			accepted++;
	}
	CU_ASSERT_EQUAL(accepted, 0);
	scratch_write("b", file, len - 1, 0600);
	CU_ASSERT_TRUE(refused("b", "by its header"));
	scratch_write("b", "", 0, 0600);
	CU_ASSERT_TRUE(refused("b", "too short"));
	free(file);
	end();
}

/* The header's own checksum is no secret: whoever changes the file can make
 * it right, and all else, too. */
static void
reheader(char *file, void (*change)(struct freeze_header *))
{
	struct freeze_header header;

	CU_ASSERT_PTR_NULL_FATAL(freeze_header_read(file, FREEZE_HEADER_SIZE,
	    &header));
	change(&header);
	freeze_header_write(&header, (uint8_t *)file);
}

static void
less_size(struct freeze_header *header)
{
	header->size -= SEALED;
}

static void
more_size(struct freeze_header *header)
{
	header->size += SEALED;
}

static void
next_seq(struct freeze_header *header)
{
	header->position.pointer.seq++;
}

static void
more_uids(struct freeze_header *header)
{
	header->position.last_uid++;
}

static void
other_digest(struct freeze_header *header)
{
	header->position.digest[3] ^= 1;
}

static void
other_count(struct freeze_header *header)
{
	header->position.count--;
}

static void
other_nonce(struct freeze_header *header)
{
	header->nonce_prefix[0] ^= 1;
}

static void
other_offset(struct freeze_header *header)
{
	header->offset++;
}

static void
other_key(struct freeze_header *header)
{
	header->key_id[0] ^= 1;
}

static void
header_vouched_for(void)
{
	static void (*const changes[])(struct freeze_header *) = {
		next_seq, more_uids, other_digest, other_count, other_nonce,
		other_offset
	};
	char *file, *copy;
	size_t len;

	begin();
	CU_ASSERT_TRUE(make("a", MANY));
	file = scratch_read(scratch_path("a"), &len);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		copy = malloc(len);
		memcpy(copy, file, len);
		reheader(copy, changes[i]);
		scratch_write("b", copy, len, 0600);
		CU_ASSERT_TRUE(refused("b", "not authentic"));
		free(copy);
	}
	reheader(file, other_key);
	scratch_write("b", file, len, 0600);
	CU_ASSERT_TRUE(refused("b", "is not among the key files"));
	free(file);
	end();
}

/* A chunk less, twice, or two in each other's place; with a header that is
 * made to fit. */
static void
chunks_stay(void)
{
	char *file, *copy, swap[SEALED];
	size_t len, first = FREEZE_HEADER_SIZE;

	begin();
	CU_ASSERT_TRUE(make("a", MANY));
	file = scratch_read(scratch_path("a"), &len);
	CU_ASSERT_TRUE_FATAL(len > 3 * SEALED);
	copy = malloc(len + SEALED);

	memcpy(copy, file, len);
	memmove(copy + first, copy + first + SEALED, len - first - SEALED);
	reheader(copy, less_size);
	scratch_write("b", copy, len - SEALED, 0600);
	CU_ASSERT_TRUE(refused("b", "not authentic"));

	memcpy(copy, file, first + SEALED);
	memcpy(copy + first + SEALED, file + first, len - first);
	reheader(copy, more_size);
	scratch_write("b", copy, len + SEALED, 0600);
	CU_ASSERT_TRUE(refused("b", "not authentic"));

	memcpy(copy, file, len);
	memcpy(swap, copy + first, SEALED);
	memcpy(copy + first, copy + first + SEALED, SEALED);
	memcpy(copy + first + SEALED, swap, SEALED);
	scratch_write("b", copy, len, 0600);
	CU_ASSERT_TRUE(refused("b", "the chunk at byte 128"));
	free(copy);
	free(file);
	end();
}

static void
other_versions(void)
{
	uint8_t *file;
	uint32_t crc;
	size_t len;

	begin();
	CU_ASSERT_TRUE(make("a", 3));
	file = (uint8_t *)scratch_read(scratch_path("a"), &len);
	file[16] = 2;
	crc = crc32c(file, 124);
	mc_put32(file + 124, crc);
	scratch_write("b", file, len, 0600);
	CU_ASSERT_TRUE(refused("b", "another version"));
	file[8] ^= 0xff;
	scratch_write("b", file, len, 0600);
	CU_ASSERT_TRUE(refused("b", "not a freeze"));
	free(file);
	end();
}

static void
other_keys(void)
{
	struct freeze_keys *theirs;
	char list[256];

	begin();
	CU_ASSERT_TRUE(make("a", 3));
	theirs = freeze_test_keys(0x22);
	CU_ASSERT_EQUAL(freeze_read_all(scratch_path("a"), theirs, false,
	    why), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "is not among the key files"));
	freeze_keys_free(&theirs);
	/* The old one is still known: that is how keys are changed. */
	snprintf(list, sizeof(list), " %s , %s", scratch_path("key22"),
	    scratch_path("key11"));
	theirs = freeze_keys_load(list, why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(theirs);
	CU_ASSERT_EQUAL(freeze_read_all(scratch_path("a"), theirs, false,
	    why), 3);
	freeze_keys_free(&theirs);
	end();
}

static bool
key_refused(const char *files, const char *words)
{
	struct freeze_keys *none = freeze_keys_load(files, why);

	if (none == NULL && strstr(why, words) != NULL)
		return true;
	fprintf(stderr, "# %s\n", none == NULL ? why : "it was taken");
	freeze_keys_free(&none);
	return false;
}

static void
keys_refused(void)
{
	char list[256];

	begin();
	CU_ASSERT_TRUE(key_refused(scratch_path("none"), "none: No such"));
	scratch_text("short", "0123");
	CU_ASSERT_TRUE(key_refused(scratch_path("short"), "64 hexadecimal"));
	scratch_text("letters", "zz11111111111111111111111111111111111111111"
	    "111111111111111111111");
	CU_ASSERT_TRUE(key_refused(scratch_path("letters"),
	    "64 hexadecimal"));
	freeze_key_file("long", 0x33);
	CU_ASSERT_EQUAL(chmod(scratch_path("long"), 0644), 0);
	CU_ASSERT_TRUE(key_refused(scratch_path("long"), "chmod"));
	CU_ASSERT_EQUAL(chmod(scratch_path("long"), 0660), 0);
	CU_ASSERT_TRUE(key_refused(scratch_path("long"), "chmod"));
	CU_ASSERT_TRUE(key_refused(scratch_path(""), "not a regular file"));
	CU_ASSERT_TRUE(key_refused("", "an empty name"));
	snprintf(list, sizeof(list), "%s,%s", scratch_path("key11"),
	    scratch_path("key11"));
	CU_ASSERT_TRUE(key_refused(list, "the same key"));
	if (geteuid() == 0) {
		freeze_key_file("theirs", 0x44);
		CU_ASSERT_EQUAL(chown(scratch_path("theirs"), 12345, 0), 0);
		CU_ASSERT_TRUE(key_refused(scratch_path("theirs"),
		    "belongs neither"));
	}
	end();
}

static void
credentials(void)
{
	struct freeze_keys *theirs;

	begin();
	unsetenv("CREDENTIALS_DIRECTORY");
	CU_ASSERT_TRUE(key_refused("credential:key11",
	    "CREDENTIALS_DIRECTORY"));
	setenv("CREDENTIALS_DIRECTORY", scratch_path(""), 1);
	CU_ASSERT_TRUE(key_refused("credential:../key11", "without /"));
	theirs = freeze_keys_load("credential:key11", why);
	CU_ASSERT_PTR_NOT_NULL(theirs);
	freeze_keys_free(&theirs);
	unsetenv("CREDENTIALS_DIRECTORY");
	end();
}

static struct freeze_writer *
writer_begin(uint64_t last_uid)
{
	struct freeze_header header = { .position.last_uid = last_uid };
	struct freeze_writer *writer = freeze_begin(scratch_path("a"), keys,
	    &header, why);

	CU_ASSERT_PTR_NOT_NULL_FATAL(writer);
	return writer;
}

static bool
writer_refuses(struct freeze_writer *writer, const char *words)
{
	struct freeze_header header;

	why[0] = '\0';
	return freeze_end(&writer, &header, why) == -1 && writer == NULL &&
	    strstr(why, words) != NULL && !there("a") && !there("a.new");
}

static void
order_kept(void)
{
	uint8_t bytes[PWQ_MAX];
	struct freeze_writer *writer;
	size_t len;

	begin();
	len = freeze_account_bytes(5, bytes);
	writer = writer_begin(100);
	CU_ASSERT_EQUAL(freeze_add(writer, bytes, len), 0);
	CU_ASSERT_EQUAL(freeze_add(writer, bytes, len), -1);
	CU_ASSERT_TRUE(writer_refuses(writer, "account 2 does not come"));
	writer = writer_begin(14);
	CU_ASSERT_EQUAL(freeze_add(writer, bytes, len), 0);
	CU_ASSERT_TRUE(writer_refuses(writer, "above the highest"));
	writer = writer_begin(100);
	CU_ASSERT_EQUAL(freeze_add(writer, bytes + 1, len - 1), -1);
	CU_ASSERT_TRUE(writer_refuses(writer, "malformed"));
	end();
}

static void
dropped(void)
{
	struct freeze_writer *writer;

	begin();
	writer = writer_begin(1);
	CU_ASSERT_TRUE(there("a.new"));
	freeze_drop(&writer);
	CU_ASSERT_FALSE(there("a.new") || there("a"));
	end();
}

/* Every call that can fail, once: the old file stays, nothing is left, and
 * the next try makes it.  Only an interruption harms nobody. */
static void
failing_calls(void)
{
	static const int errors[] = { EIO, ENOSPC };
	struct freeze_header header;
	char *before, *now;
	size_t len, size;
	int calls, harmless;

	begin();
	CU_ASSERT_TRUE(make("a", 5));
	before = scratch_read(scratch_path("a"), &len);
	for (size_t e = 0; e < 2; e++) {
		fail_error = errors[e];
		harmless = 0;
		for (calls = 1; harmless == 0 && calls < 1000; calls++) {
			fail_at = calls;
			fail_calls = 0;
			if (freeze_make(scratch_path("a"), keys, MANY, 43,
			    &header, why)) {
				harmless = calls;
				break;
			}
			fail_at = 0;
			CU_ASSERT_FALSE(there("a.new"));
			CU_ASSERT_PTR_NOT_NULL(strstr(why,
			    strerror(fail_error)));
			now = scratch_read(scratch_path("a"), &size);
			/* Only the folder's sync comes after the rename. */
			CU_ASSERT_TRUE((size == len &&
			    memcmp(now, before, len) == 0) ||
			    freeze_read_all(scratch_path("a"), keys, false,
				why) == MANY);
			free(now);
			CU_ASSERT_TRUE(make("a", 5));
		}
		fail_at = 0;
		CU_ASSERT_TRUE(harmless > 10);
		CU_ASSERT_TRUE(make("a", 5));
	}
	fail_error = EINTR;
	for (fail_at = 1; fail_at < 5; fail_at++) {	/* the writes */
		fail_calls = 0;
		CU_ASSERT_TRUE(freeze_make(scratch_path("a"), keys, MANY, 43,
		    &header, why));
	}
	free(before);
	end();
}

static void
names(void)
{
	struct freeze_header header = { .time = 0 };
	char name[64];

	memcpy(header.position.pointer.epoch, "\x01\xab\xcd\xef\x55", 5);
	header.position.pointer.seq = UINT64_MAX;
	freeze_name(&header, name);
	CU_ASSERT_STRING_EQUAL(name, "01abcdef-18446744073709551615.freeze");
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "what is written comes back", comes_back },
		{ "the digest is that of pwq.h; who works it out may read "
		  "without", digest_right },
		{ "a freeze of nobody", nobody_is_fine },
		{ "the same state gives the same bytes", same_bytes },
		{ "nothing secret can be read in it", secret },
		{ "no single bit can be another one", no_bit_flips },
		{ "no other length is accepted", no_cut },
		{ "the last chunk vouches for the header",
		  header_vouched_for },
		{ "no chunk is lost, doubled or moved", chunks_stay },
		{ "other versions and other files are refused",
		  other_versions },
		{ "another key is refused, an old one still reads",
		  other_keys },
		{ "key files that are refused", keys_refused },
		{ "keys as credentials", credentials },
		{ "the writer keeps the order", order_kept },
		{ "what is dropped is gone", dropped },
		{ "each call fails once", failing_calls },
		{ "its name", names },
		{ NULL, NULL }
	};

	return cutap_run("freeze", tests);
}
