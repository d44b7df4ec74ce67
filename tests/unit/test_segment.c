/* SPDX-License-Identifier: MIT */
/* The bytes of a queue file: what is read is what was written, or nothing. */
#include "cutap.h"

#include <metacube/segment.h>

#include <stdlib.h>
#include <string.h>

#define RECORDS		6

/* Three commits: of one, two and three records. */
static const uint32_t backs[RECORDS] = { 0, 0, 1, 0, 1, 2 };
static const uint32_t lens[RECORDS] = { 5, 3, 40, 7, 100, 1 };

struct file {
	uint8_t		data[SEGMENT_BLOCK + 1];
	size_t		size;
	uint64_t	ends[RECORDS + 1];	/* of the header, of each */
};

static int64_t
file_read(void *arg, uint64_t offset, void *data, size_t len)
{
	const struct file *file = arg;
	size_t rest = offset < file->size ? file->size - (size_t)offset : 0;

	if (len > rest)
		len = rest;
	memcpy(data, file->data + offset, len);
	return (int64_t)len;
}

static int64_t
fail_read(void *arg, uint64_t offset, void *data, size_t len)
{
	(void)arg;
	(void)offset;
	(void)data;
	(void)len;
	return -1;
}

/* size: SEGMENT_BLOCK as if open, 0: closed in order. */
static struct file
make(size_t size)
{
	struct segment_header header = {
		.epoch = "an epoch", .first_seq = 11, .created_ms = 1000,
		.server = "joe"
	};
	struct wmq_record head = { .server = "joe", .tag = "tst" };
	struct file file = { .size = size };
	uint8_t payload[128];
	size_t at = SEGMENT_HEADER_SIZE;

	segment_header_write(&header, file.data);
	file.ends[0] = at;
	for (size_t i = 0; i < RECORDS; i++) {
		memset(payload, (int)i + 1, sizeof(payload));
		head.seq = 11 + i;
		head.time_ms = 2000 + i;
		head.len = lens[i];
		at += segment_record_write(file.data + at, &head, backs[i],
		    payload);
		file.ends[i + 1] = at;
	}
	if (size == 0)
		file.size = at;
	return file;
}

static enum segment_end
scan(struct file *file, struct segment_scan *scan_r)
{
	const struct segment_source source = { file_read, file };

	return segment_scan(&source, NULL, NULL, scan_r);
}

/* Bit by bit, as it is defined. */
static uint32_t
crc_of(const uint8_t *data, size_t len)
{
	uint32_t crc = UINT32_MAX;

	while (len-- > 0) {
		crc ^= *data++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

static void
checksum(void)
{
	static const uint8_t zeroes[32];
	uint8_t data[80];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(151 * i + 7);
	for (size_t from = 0; from < 8; from++)
		for (size_t len = 0; from + len <= sizeof(data); len++)
			CU_ASSERT_EQUAL(crc32c(data + from, len),
			    crc_of(data + from, len));
	CU_ASSERT_EQUAL(crc32c("123456789", 9), 0xe3069283);
	CU_ASSERT_EQUAL(crc32c(zeroes, 32), 0x8a9136aa);
}

static void
header(void)
{
	struct file file = make(0);
	struct segment_header found;

	CU_ASSERT_PTR_NULL(segment_header_read(file.data, file.size, &found));
	CU_ASSERT_STRING_EQUAL((char *)found.epoch, "an epoch");
	CU_ASSERT_EQUAL(found.first_seq, 11);
	CU_ASSERT_EQUAL(found.created_ms, 1000);
	CU_ASSERT_STRING_EQUAL(found.server, "joe");
	for (size_t i = 0; i < SEGMENT_HEADER_SIZE; i++)
		CU_ASSERT_PTR_NOT_NULL(segment_header_read(file.data, i,
		    &found));
}

static void
whole(void)
{
	struct file open_file = make(SEGMENT_BLOCK), closed = make(0);
	struct segment_scan found;

	CU_ASSERT_EQUAL(scan(&open_file, &found), SEGMENT_CLEAN);
	CU_ASSERT_EQUAL(found.end, open_file.ends[RECORDS]);
	CU_ASSERT_EQUAL(found.next_seq, 11 + RECORDS);
	CU_ASSERT_EQUAL(found.last_ms, 2000 + RECORDS - 1);
	CU_ASSERT_EQUAL(found.size, SEGMENT_BLOCK);
	CU_ASSERT_EQUAL(memcmp(found.hash, open_file.data + found.end -
	    SEGMENT_HASH_SIZE, SEGMENT_HASH_SIZE), 0);
	CU_ASSERT_EQUAL(scan(&closed, &found), SEGMENT_CLEAN);
	CU_ASSERT_EQUAL(found.end, closed.size);
}

static size_t
records_before(const struct file *file, size_t offset)
{
	size_t n = 0;

	while (n < RECORDS && file->ends[n + 1] <= offset)
		n++;
	return n;
}

/* The last commit got to the disk only up to some byte. */
static void
torn_at_each_byte(void)
{
	struct segment_scan found;

	for (size_t at = make(0).ends[3]; at < make(0).ends[6]; at++) {
		struct file file = make(SEGMENT_BLOCK);
		size_t whole_ones = records_before(&file, at);
		enum segment_end end;

		memset(file.data + at, 0, SEGMENT_BLOCK - at);
		end = scan(&file, &found);
		CU_ASSERT_EQUAL(end, at == file.ends[whole_ones] ?
		    SEGMENT_CLEAN : SEGMENT_TORN);
		CU_ASSERT_EQUAL(found.next_seq, 11 + whole_ones);
		CU_ASSERT_EQUAL(found.end, file.ends[whole_ones]);
	}
}

/* The disk wrote the parts of the last commit in an order of its own. */
static void
torn_in_parts(void)
{
	struct segment_scan found;

	for (size_t at = make(0).ends[3]; at < make(0).ends[6]; at++) {
		struct file file = make(SEGMENT_BLOCK);
		size_t whole_ones = records_before(&file, at);
		enum segment_end end;

		memset(file.data + at, 0, at + 8 < file.ends[6] ? 8 :
		    file.ends[6] - at);
		end = scan(&file, &found);
		CU_ASSERT_TRUE(end == SEGMENT_TORN ||
		    (end == SEGMENT_CLEAN && found.next_seq == 11 + RECORDS));
		CU_ASSERT_TRUE(found.next_seq >= 11 + whole_ones);
	}
}

/* A hole in what was durable before the last commit began. */
static void
damage(void)
{
	struct segment_scan found;

	for (size_t at = 0; at < make(0).ends[3]; at++) {
		struct file file = make(SEGMENT_BLOCK);

		file.data[at] ^= 0x55;
		CU_ASSERT_EQUAL(scan(&file, &found), SEGMENT_DAMAGED);
		CU_ASSERT_EQUAL(found.end, at < file.ends[0] ? 0 :
		    file.ends[records_before(&file, at)]);
		if (at < file.ends[0])
			CU_ASSERT_PTR_NOT_NULL(found.fault);
	}
}

static void
each_bit(void)
{
	struct segment_scan found;

	for (size_t bit = 0; bit < 8 * make(0).size; bit++) {
		struct file closed = make(0), open_file = make(SEGMENT_BLOCK);

		closed.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CU_ASSERT_EQUAL(scan(&closed, &found), SEGMENT_DAMAGED);
		open_file.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CU_ASSERT_NOT_EQUAL(scan(&open_file, &found), SEGMENT_CLEAN);
	}
}

/* A closed file has no tail that could be torn. */
static void
closed_and_cut(void)
{
	struct segment_scan found;

	for (size_t size = 0; size < make(0).size; size++) {
		struct file file = make(0);
		size_t n = records_before(&file, size);

		file.size = size;
		CU_ASSERT_EQUAL(scan(&file, &found),
		    size >= file.ends[0] && size == file.ends[n] ?
		    SEGMENT_CLEAN : SEGMENT_DAMAGED);
	}
}

/* A record with a good CRC, but from elsewhere. */
static void
spliced(void)
{
	struct file file = make(SEGMENT_BLOCK), other = make(SEGMENT_BLOCK);
	struct wmq_record head = {
		.seq = 12, .time_ms = 2001, .server = "joe", .tag = "tst",
		.len = 3
	};
	struct segment_scan found;

	other.data[file.ends[1] - 1] ^= 1;	/* another hash before it */
	segment_record_write(other.data + file.ends[1], &head, 0, "new");
	memcpy(file.data + file.ends[1], other.data + file.ends[1],
	    file.ends[2] - file.ends[1]);
	CU_ASSERT_EQUAL(scan(&file, &found), SEGMENT_DAMAGED);
	CU_ASSERT_EQUAL(found.end, file.ends[1]);
}

static void
lengths(void)
{
	uint8_t *data = calloc(1, SEGMENT_HASH_SIZE + RECORD_MAX);
	uint8_t *at = data + SEGMENT_HASH_SIZE;
	uint8_t *payload = calloc(1, WMQ_DATA_MAX);
	struct wmq_record head = { .seq = 1, .len = WMQ_DATA_MAX }, found;

	CU_ASSERT_EQUAL(segment_record_write(at, &head, 0, payload),
	    RECORD_MAX);
	CU_ASSERT_EQUAL(segment_record_read(at, RECORD_MAX, 1, &found),
	    RECORD_MAX);
	CU_ASSERT_EQUAL(segment_record_read(at, RECORD_MAX, 2, &found), 0);
	CU_ASSERT_EQUAL(segment_record_read(at, RECORD_MAX - 1, 1, &found),
	    0);
	memset(at, 0xff, 4);			/* 4 GiB */
	memset(at + 4, 0, 4);
	CU_ASSERT_EQUAL(segment_record_read(at, RECORD_MAX, 1, &found), 0);
	free(payload);
	free(data);
}

static void
unreadable(void)
{
	const struct segment_source source = { fail_read, NULL };
	struct segment_scan found;

	CU_ASSERT_EQUAL(segment_scan(&source, NULL, NULL, &found),
	    SEGMENT_UNREADABLE);
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "the CRC is the well-known one", checksum },
		{ "a header there and back", header },
		{ "a whole file, open or closed", whole },
		{ "a commit torn at each byte is cut off", torn_at_each_byte },
		{ "also with holes in it", torn_in_parts },
		{ "a byte changed before the last commit is damage", damage },
		{ "no bit can be changed unseen", each_bit },
		{ "nor a closed file be cut short", closed_and_cut },
		{ "a record from elsewhere does not fit", spliced },
		{ "lengths at their limits", lengths },
		{ "a file that cannot be read", unreadable },
		{ NULL, NULL }
	};

	return cutap_run("segment", tests);
}
