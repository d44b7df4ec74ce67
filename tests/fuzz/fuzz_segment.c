/* SPDX-License-Identifier: MIT */
/*
 * fuzz_segment - any bytes as a queue file: as they are, and once more with
 * checksums and hashes put right, so that what is behind them is reached.
 *
 * What is read must be exactly what a writer would have written.
 */
#include <metacube/bytes.h>
#include <metacube/segment.h>

#include <stdlib.h>

struct input {
	uint8_t		*data;
	size_t		 len;
	uint64_t	 records, first_seq;
};

static int64_t
input_read(void *arg, uint64_t offset, void *data, size_t len)
{
	const struct input *input = arg;

	if (offset >= input->len)
		return 0;
	if (len > input->len - offset)
		len = input->len - (size_t)offset;
	memcpy(data, input->data + offset, len);
	return (int64_t)len;
}

/* The record at the offset, written again. */
static void
record_check(const struct input *input, uint64_t offset, uint64_t seq)
{
	const uint8_t *at = input->data + offset;
	struct wmq_record head;
	size_t size = segment_record_read(at, input->len - offset, seq, &head);
	uint8_t *again = malloc(SEGMENT_HASH_SIZE + size + 1);
	uint32_t back;
	size_t said;

	if (size == 0 || !segment_record_size(at, size, &said) ||
	    said != size || !segment_record_size(at, 7, &said) || said <= 7)
		abort();
	memcpy(again, at - SEGMENT_HASH_SIZE, SEGMENT_HASH_SIZE);
	back = mc_get32(at + 36);
	if (segment_record_write(again + SEGMENT_HASH_SIZE, &head, back,
	    at + RECORD_HEAD_SIZE) != size ||
	    memcmp(again + SEGMENT_HASH_SIZE, at, size) != 0)
		abort();
	free(again);
}

static void
passed(void *arg, uint64_t seq, uint64_t offset)
{
	struct input *input = arg;

	if (input->records++ == 0)
		input->first_seq = seq;
	else if (seq != input->first_seq + input->records - 1)
		abort();
	record_check(input, offset, seq);
}

static void
try(struct input *input)
{
	const struct segment_source source = { input_read, input };
	struct segment_scan scan;
	enum segment_end end;

	input->records = 0;
	end = segment_scan(&source, passed, input, &scan);
	if (end == SEGMENT_UNREADABLE || scan.end > input->len)
		abort();
	if (end != SEGMENT_DAMAGED && (scan.size != input->len ||
	    scan.next_seq != scan.header.first_seq + input->records))
		abort();
}

/* Puts right what a fuzzer cannot guess.  The hash of a record is that of
 * segment_record_write, so each one is written over itself. */
static void
mend(struct input *input)
{
	struct wmq_record head = { .len = 0 };
	uint64_t at = SEGMENT_HEADER_SIZE, seq = 1;
	struct segment_header header = { .first_seq = seq };
	uint8_t *copy;

	if (input->len < SEGMENT_HEADER_SIZE)
		return;
	memcpy(header.epoch, input->data + 16, sizeof(header.epoch));
	segment_header_write(&header, input->data);
	while (input->len - at >= RECORD_EXTRA + 3 &&
	    input->data[at] != 0) {
		head.len = input->data[at + 1];
		head.seq = seq++;
		head.time_ms = input->data[at + 2];
		if (head.len + RECORD_EXTRA > input->len - at)
			return;
		copy = malloc(head.len + 1);
		memcpy(copy, input->data + at + RECORD_HEAD_SIZE, head.len);
		at += segment_record_write(input->data + at, &head,
		    input->data[at] & 3, copy);
		free(copy);
	}
}

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct input input = { .data = malloc(len + 1), .len = len };

	memcpy(input.data, data, len);
	try(&input);
	mend(&input);
	try(&input);
	free(input.data);
	return 0;
}
