/* SPDX-License-Identifier: MIT */
/*
 * metacube/segment.h - the bytes of one queue file.
 *
 * Little-endian.  A file is a header and records, one after the other; an
 * open file goes on with zeroes up to a multiple of SEGMENT_BLOCK, a finished
 * or properly closed one ends with its last record.
 *
 *	header		  0   8	magic "mc-wmq\r\n"
 *			  8   4	format version, 1
 *			 12   4	length of this header, 112
 *			 16  16	epoch of the queue
 *			 32   8	sequence number of the first record
 *			 40   8	when the file was begun, UTC milliseconds
 *			 48   8	server tag of who began it, padded with NUL
 *			 56  16	hash that the file before ends with, or zeroes
 *			 72  20	zeroes
 *			 92   4	CRC32C of bytes 0 to 91
 *			 96  16	hash: of bytes 0 to 95
 *
 *	record		  0   4	len, bytes of payload, at most 65536
 *			  4   4	the same, all bits inverted
 *			  8   8	sequence number
 *			 16   8	when it was appended, UTC milliseconds
 *			 24   8	server tag, padded with NUL
 *			 32   4	record tag, padded with NUL
 *			 36   4	records before it in the same commit
 *			 40 len	payload
 *		   40 + len   4	CRC32C of bytes 0 to 39 + len
 *		   44 + len  16	hash: of the 16 bytes before the record, and
 *				its bytes 0 to 43 + len
 *
 * A hash is the first half of a SHA-256.  Each covers the one before, also
 * over files: the CRC finds accidents, the chain finds edits and forks.
 *
 * Records of one commit become durable together or not at all, in any order
 * of the disk's choosing.  So what follows an unreadable record tells the two
 * cases apart: if a readable one of a *later* commit is there, the unreadable
 * one was durable once, and that is damage; if not, it is the torn tail of a
 * commit that nobody was told of.
 *
 * Pure functions, any thread.
 */
#ifndef METACUBE_SEGMENT_H
#define METACUBE_SEGMENT_H

#include <metacube/wmq.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SEGMENT_VERSION		1
#define SEGMENT_STEP		(1024 * 1024)	/* prepared at a time */
#define SEGMENT_BLOCK		4096		/* or when space is scarce */
#define SEGMENT_HEADER_SIZE	112
#define SEGMENT_HASH_SIZE	16
#define RECORD_HEAD_SIZE	40
#define RECORD_EXTRA		(RECORD_HEAD_SIZE + 4 + SEGMENT_HASH_SIZE)
#define RECORD_MAX		(RECORD_EXTRA + WMQ_DATA_MAX)

struct segment_header {
	uint8_t		epoch[16];
	uint64_t	first_seq;
	uint64_t	created_ms;
	char		server[8];
	uint8_t		previous[SEGMENT_HASH_SIZE];
};

uint32_t	 crc32c(const void *, size_t len);

void		 segment_header_write(const struct segment_header *,
		    uint8_t out[SEGMENT_HEADER_SIZE]);
/* NULL: fine; else what is wrong, to follow the file's name. */
const char	*segment_header_read(const void *data, size_t len,
		    struct segment_header *header_r);

/* Writes a record to at, where the hash before it stands in the 16 bytes
 * before at.  Returns its length, RECORD_EXTRA + head->len. */
size_t		 segment_record_write(uint8_t *at,
		    const struct wmq_record *head, uint32_t back,
		    const void *data);

/* Reads the record at at; the hash before it must stand in the 16 bytes
 * before at.  Returns its length, 0: there is no such record. */
size_t		 segment_record_read(const uint8_t *at, size_t len,
		    uint64_t seq, struct wmq_record *head_r);

/* Looks at the lengths of the record at at.  false: it is none; else *size_r
 * is what segment_record_read will return, or when too little of it is there
 * to say, a number above len. */
bool		 segment_record_size(const uint8_t *at, size_t len,
		    size_t *size_r);

/* How to get at a file's bytes: returns how many there were, less than len
 * only at the end of the file; -1: error. */
struct segment_source {
	int64_t		(*read)(void *arg, uint64_t offset, void *data,
			    size_t len);
	void		 *arg;
};

enum segment_end {
	SEGMENT_CLEAN,		/* nothing, or zeroes, after the last record */
	SEGMENT_TORN,		/* the remains of a commit: may be cut off */
	SEGMENT_DAMAGED,	/* durable records are unreadable */
	SEGMENT_UNREADABLE	/* read failed, errno says why */
};

struct segment_scan {
	struct segment_header	header;
	const char		*fault;		/* of the header, or NULL */
	uint64_t		end;		/* offset after the last record */
	uint64_t		next_seq;
	uint64_t		last_ms;	/* of the last record */
	uint64_t		size;		/* of the file */
	uint8_t			hash[SEGMENT_HASH_SIZE];	/* at end */
};

/* Reads a whole file.  DAMAGED with end 0: the header is (see fault).
 * passed, if not NULL, is called for each good record. */
typedef void segment_passed_fn(void *arg, uint64_t seq, uint64_t offset);
enum segment_end segment_scan(const struct segment_source *,
		    segment_passed_fn *passed, void *arg,
		    struct segment_scan *scan_r);

#ifdef __cplusplus
}
#endif
#endif
