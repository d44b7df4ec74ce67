/* SPDX-License-Identifier: MIT */
#include <metacube/segment.h>

#include <metacube/bytes.h>
#include <metacube/host.h>

#include <gnutls/crypto.h>

#include <stdlib.h>

#define MAGIC		"mc-wmq\r\n"
#define CRC_AT		92
#define HASH_AT		96

static void
hash_of(const uint8_t *data, size_t len, uint8_t hash[SEGMENT_HASH_SIZE])
{
	uint8_t full[32];

	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, data, len, full) != 0)
		abort();	/* only when the library itself is broken */
	memcpy(hash, full, SEGMENT_HASH_SIZE);
}

void
segment_header_write(const struct segment_header *header,
    uint8_t out[SEGMENT_HEADER_SIZE])
{
	memset(out, 0, SEGMENT_HEADER_SIZE);
	memcpy(out, MAGIC, 8);
	mc_put32(out + 8, SEGMENT_VERSION);
	mc_put32(out + 12, SEGMENT_HEADER_SIZE);
	memcpy(out + 16, header->epoch, 16);
	mc_put64(out + 32, header->first_seq);
	mc_put64(out + 40, header->created_ms);
	memcpy(out + 48, header->server, 8);
	memcpy(out + 56, header->previous, SEGMENT_HASH_SIZE);
	mc_put32(out + CRC_AT, crc32c(out, CRC_AT));
	hash_of(out, HASH_AT, out + HASH_AT);
}

static const char *
header_fault(const uint8_t *at, size_t len)
{
	uint8_t hash[SEGMENT_HASH_SIZE];

	if (len < SEGMENT_HEADER_SIZE)
		return "is shorter than the header of a queue file";
	if (memcmp(at, MAGIC, 8) != 0)
		return "is not a queue file";
	if (mc_get32(at + CRC_AT) != crc32c(at, CRC_AT))
		return "has a damaged header (checksum)";
	if (mc_get32(at + 8) != SEGMENT_VERSION ||
	    mc_get32(at + 12) != SEGMENT_HEADER_SIZE)
		return "has another format version than 1";
	hash_of(at, HASH_AT, hash);
	if (memcmp(at + HASH_AT, hash, sizeof(hash)) != 0)
		return "has a damaged header (hash)";
	return NULL;
}

const char *
segment_header_read(const void *data, size_t len,
    struct segment_header *header_r)
{
	const uint8_t *at = data;
	const char *fault = header_fault(at, len);

	memset(header_r, 0, sizeof(*header_r));
	if (fault != NULL)
		return fault;
	memcpy(header_r->epoch, at + 16, 16);
	header_r->first_seq = mc_get64(at + 32);
	header_r->created_ms = mc_get64(at + 40);
	memcpy(header_r->server, at + 48, 8);
	memcpy(header_r->previous, at + 56, SEGMENT_HASH_SIZE);
	return NULL;
}

size_t
segment_record_write(uint8_t *at, const struct wmq_record *head,
    uint32_t back, const void *data)
{
	uint8_t *end = at + RECORD_HEAD_SIZE + head->len;

	mc_put32(at, head->len);
	mc_put32(at + 4, ~head->len);
	mc_put64(at + 8, head->seq);
	mc_put64(at + 16, head->time_ms);
	memcpy(at + 24, head->server, sizeof(head->server));
	memcpy(at + 32, head->tag, sizeof(head->tag));
	mc_put32(at + 36, back);
	if (head->len > 0)
		memcpy(at + RECORD_HEAD_SIZE, data, head->len);
	mc_put32(end, crc32c(at, (size_t)(end - at)));
	hash_of(at - SEGMENT_HASH_SIZE,
	    SEGMENT_HASH_SIZE + (size_t)(end - at) + 4, end + 4);
	return RECORD_EXTRA + head->len;
}

bool
segment_record_size(const uint8_t *at, size_t len, size_t *size_r)
{
	uint32_t payload;

	*size_r = len + 1;
	if (len < 8)
		return true;
	payload = mc_get32(at);
	if (mc_get32(at + 4) != ~payload || payload > WMQ_DATA_MAX)
		return false;
	*size_r = RECORD_EXTRA + payload;
	return true;
}

/* The record at at as far as it speaks for itself: lengths and CRC. */
static size_t
record_parse(const uint8_t *at, size_t len, struct wmq_record *head,
    uint32_t *back_r)
{
	uint32_t payload;

	if (len < RECORD_EXTRA)
		return 0;
	payload = mc_get32(at);
	if (mc_get32(at + 4) != ~payload || payload > WMQ_DATA_MAX ||
	    len < RECORD_EXTRA + payload)
		return 0;
	if (mc_get32(at + RECORD_HEAD_SIZE + payload) !=
	    crc32c(at, RECORD_HEAD_SIZE + payload))
		return 0;
	memset(head, 0, sizeof(*head));
	head->len = payload;
	head->seq = mc_get64(at + 8);
	head->time_ms = mc_get64(at + 16);
	memcpy(head->server, at + 24, sizeof(head->server));
	memcpy(head->tag, at + 32, sizeof(head->tag));
	*back_r = mc_get32(at + 36);
	return RECORD_EXTRA + payload;
}

size_t
segment_record_read(const uint8_t *at, size_t len, uint64_t seq,
    struct wmq_record *head_r)
{
	uint8_t hash[SEGMENT_HASH_SIZE];
	uint32_t back;
	size_t size = record_parse(at, len, head_r, &back);

	if (size == 0 || head_r->seq != seq)
		return 0;
	hash_of(at - SEGMENT_HASH_SIZE, size, hash);
	if (memcmp(at + size - SEGMENT_HASH_SIZE, hash, sizeof(hash)) != 0)
		return 0;
	return size;
}

/* A part of the file in memory, which moves on through it. */
#define WINDOW_SIZE	(2 * RECORD_MAX)

struct window {
	const struct segment_source *source;
	uint64_t	offset;		/* of data[0] */
	size_t		len;
	bool		ended;		/* the file ends with data[len - 1] */
	bool		failed;
	uint8_t		data[WINDOW_SIZE];
};

/* The bytes at offset, at least wanted of them unless the file ends. */
static const uint8_t *
window_at(struct window *window, uint64_t offset, size_t wanted,
    size_t *len_r)
{
	size_t skip = (size_t)(offset - window->offset);
	int64_t got;

	if (skip + wanted > window->len && !window->ended) {
		got = window->source->read(window->source->arg, offset,
		    window->data, sizeof(window->data));
		window->failed = got < 0;
		window->len = got < 0 ? 0 : (size_t)got;
		window->offset = offset;
		window->ended = window->len < sizeof(window->data);
		skip = 0;
	}
	*len_r = skip < window->len ? window->len - skip : 0;
	return window->data + skip;
}

/* Reads good records until there is no next one. */
static void
records_pass(struct window *window, segment_passed_fn *passed, void *arg,
    struct segment_scan *scan)
{
	struct wmq_record head;
	const uint8_t *at;
	size_t len, size;

	for (;;) {
		at = window_at(window, scan->end - SEGMENT_HASH_SIZE,
		    SEGMENT_HASH_SIZE + RECORD_MAX, &len);
		if (len < SEGMENT_HASH_SIZE)
			return;
		memcpy(scan->hash, at, SEGMENT_HASH_SIZE);
		size = segment_record_read(at + SEGMENT_HASH_SIZE,
		    len - SEGMENT_HASH_SIZE, scan->next_seq, &head);
		if (size == 0)
			return;
		if (passed != NULL)
			passed(arg, head.seq, scan->end);
		scan->end += size;
		scan->next_seq++;
		scan->last_ms = head.time_ms;
	}
}

/* Does this record prove that the one that should be at the end was durable?
 * (Or is it an older one, out of place?  Then somebody has edited the file.) */
static bool
is_proof(const struct wmq_record *head, uint32_t back, uint64_t lost)
{
	return head->seq < lost || head->seq - lost > back;
}

/* What is behind the last good record? */
static enum segment_end
rest_judge(struct window *window, struct segment_scan *scan)
{
	enum segment_end end = SEGMENT_CLEAN;
	struct wmq_record head;
	uint32_t back;
	const uint8_t *at;
	uint64_t offset;
	size_t len;

	for (offset = scan->end;; offset++) {
		at = window_at(window, offset, RECORD_MAX, &len);
		if (window->failed)
			return SEGMENT_UNREADABLE;
		if (len == 0)
			break;
		if (*at != 0)
			end = SEGMENT_TORN;
		if (record_parse(at, len, &head, &back) != 0 &&
		    is_proof(&head, back, scan->next_seq))
			return SEGMENT_DAMAGED;
	}
	scan->size = offset;
	return end;
}

/* Preallocation leaves a multiple of the block; any other size says that the
 * file was closed after its last record, so nothing can be torn in it. */
static enum segment_end
tail_judge(struct window *window, struct segment_scan *scan)
{
	enum segment_end end = rest_judge(window, scan);

	if (end == SEGMENT_TORN && scan->size % SEGMENT_BLOCK != 0)
		return SEGMENT_DAMAGED;
	return end;
}

static enum segment_end
scan_window(struct window *window, segment_passed_fn *passed, void *arg,
    struct segment_scan *scan)
{
	size_t len;
	const uint8_t *at = window_at(window, 0, SEGMENT_HEADER_SIZE, &len);

	if (window->failed)
		return SEGMENT_UNREADABLE;
	scan->fault = segment_header_read(at, len, &scan->header);
	if (scan->fault != NULL)
		return SEGMENT_DAMAGED;
	scan->end = SEGMENT_HEADER_SIZE;
	scan->next_seq = scan->header.first_seq;
	scan->last_ms = scan->header.created_ms;
	records_pass(window, passed, arg, scan);
	if (window->failed)
		return SEGMENT_UNREADABLE;
	return tail_judge(window, scan);
}

enum segment_end
segment_scan(const struct segment_source *source, segment_passed_fn *passed,
    void *arg, struct segment_scan *scan_r)
{
	struct window *window = mc_zalloc(sizeof(*window));
	enum segment_end end;

	memset(scan_r, 0, sizeof(*scan_r));
	window->source = source;
	end = scan_window(window, passed, arg, scan_r);
	mc_wipe(window, sizeof(*window));	/* payloads may be secret */
	free(window);
	return end;
}
