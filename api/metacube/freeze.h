/* SPDX-License-Identifier: MIT */
/*
 * metacube/freeze.h - freeze files: the whole account database at one pointer,
 * encrypted.  With service "freeze" 1.0: where the latest one is.
 *
 * Little-endian.
 *
 *	header	  0   4	time: UTC seconds at which the queue file was begun
 *			that goes on from here; 0: not known
 *		  4   4	offset: of the next record in it
 *		  8   8	magic "mc-frz\r\n"
 *		 16   4	format version, 1
 *		 20   4	length of this header, 128
 *		 24  16	epoch of the queue
 *		 40   8	sequence number of the last change that is in here
 *		 48   8	key id: first 8 bytes of the SHA-256 of the key
 *		 56   8	nonce prefix
 *		 64   8	accounts
 *		 72   8	highest uid ever given
 *		 80  16	digest (pwq.h)
 *		 96   8	bytes of the whole file
 *		104   4	bytes of plain text in a chunk, 65536
 *		108  16	zeroes
 *		124   4	CRC32C of bytes 0 to 123
 *	chunks	each up to 65536 bytes of plain text, encrypted with
 *		AES-256-GCM, followed by its 16-byte tag.  Nonce: the prefix and
 *		the chunk's number (4 bytes, big-endian); additional data: bytes
 *		0 to 63 of the header, for the last chunk the whole header.
 *
 * The plain text is what tcapw's load_add takes: accounts by uid, each a
 * 2-byte length and pwq_account_encode.  A chunk holds whole accounts and,
 * unless it is the last one, zeroes behind them: all but the last are equally
 * long.  There is always a last chunk; it is empty only without accounts.  The
 * same state, key and nonce prefix give the same bytes.
 */
#ifndef METACUBE_FREEZE_H
#define METACUBE_FREEZE_H

#include <metacube/call.h>
#include <metacube/tcapw.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FREEZE_SERVICE		"freeze", 1, 0
#define FREEZE_PROVIDE(ops) \
	{ FREEZE_SERVICE, 1 ? (ops) : (const struct freeze_ops *)0 }
#define FREEZE_TIMEOUT_MS	60000
#define FREEZE_THAW_TIMEOUT_MS	3600000
#define FREEZE_PATH_SIZE	1024
#define FREEZE_HEADER_SIZE	128
#define FREEZE_CHUNK		65536	/* bytes of plain text */
#define FREEZE_KEY_SIZE		32
#define FREEZE_WHY		512

struct freeze_header {
	uint32_t		time, offset;	/* the seed's pointer */
	uint8_t			key_id[8];
	uint8_t			nonce_prefix[8];
	struct tcapw_position	position;
	uint64_t		size;		/* of the file */
};

/* NULL: fine; else what is wrong, to follow the file's name.  Pure. */
const char	*freeze_header_read(const void *data, size_t len,
		    struct freeze_header *header_r);
void		 freeze_header_write(const struct freeze_header *,
		    uint8_t out[FREEZE_HEADER_SIZE]);

/* "<first 8 hex digits of the epoch>-<seq>.freeze": its name for antp. */
void		 freeze_name(const struct freeze_header *, char out[64]);

/*
 * Keys: the one that is used for new files, and old ones that may still be
 * needed for reading.  files is a comma-separated list of paths, the current
 * one first; "credential:NAME" is a file below $CREDENTIALS_DIRECTORY.  A key
 * file holds 64 hexadecimal digits, belongs to the process's user or root and
 * is not readable by others.  NULL: why names the file.  Kept in memory that
 * is not dumped, and wiped by free.
 */
struct freeze_keys;
struct freeze_keys *freeze_keys_load(const char *files, char why[FREEZE_WHY]);
void		 freeze_keys_free(struct freeze_keys **);

/*
 * Writing; blocks, any thread but one at a time.  begin makes path.new, end
 * completes it, syncs it, reads it back, checks every chunk, count and digest,
 * and renames it to path (and syncs the folder); drop removes it.  The caller's
 * header has the pointer, the highest uid, time and offset, and a nonce prefix
 * that is never used again with this key; the rest is worked out here.  0 or -1
 * and why; after an add that failed the end fails too and says why.
 */
struct freeze_writer;
struct freeze_writer *freeze_begin(const char *path,
		    const struct freeze_keys *, const struct freeze_header *,
		    char why[FREEZE_WHY]);
int		 freeze_add(struct freeze_writer *, const void *encoded,
		    size_t len);		/* one account, uids ascending */
void		 freeze_so_far(const struct freeze_writer *,
		    struct tcapw_position *position_r);	/* of those added */
int		 freeze_end(struct freeze_writer **,
		    struct freeze_header *header_r, char why[FREEZE_WHY]);
void		 freeze_drop(struct freeze_writer **);

/*
 * Reading; likewise.  open checks the header; next gives the accounts of one
 * authenticated chunk, with *len_r 0 at the end: by then the number of
 * accounts, their order and their digest have been compared with the header.
 * -1: why names the file and the place; what was read before is not to be
 * used either.  undigested, before the first next, leaves the digest to whoever
 * takes all accounts and compares it with the header's (tcapw's load_end does):
 * then it is worked out once and not twice.  All else is checked as always.
 */
struct freeze_reader;
struct freeze_reader *freeze_open(const char *path,
		    const struct freeze_keys *, struct freeze_header *header_r,
		    char why[FREEZE_WHY]);
void		 freeze_undigested(struct freeze_reader *);
int		 freeze_next(struct freeze_reader *, const void **accounts_r,
		    size_t *len_r, char why[FREEZE_WHY]);
void		 freeze_close(struct freeze_reader **);

/* The service: provided by who makes freezes (wmqmaint) and who mirrors them
 * (antpclnt). */
struct freeze_file {
	char			path[FREEZE_PATH_SIZE];
	struct freeze_header	header;		/* not yet authenticated */
};

struct freeze_ops {
	/* Answers with the latest freeze_file, complete on this disk.  A
	 * mirror first looks whether the server has a newer one (renew) and
	 * fetches it: MC_BUSY, as long as that goes on; ask again.
	 * MC_NOT_FOUND: there is none yet. */
	void (*obtain)(void *state, bool renew, struct mc_call *);

	/* Loads it into the account store of this server (tcapw.load_*), whose
	 * follower has been ended, and answers with its freeze_header.  NULL,
	 * and MC_DENIED: not here.  MC_BUSY: later. */
	void (*thaw)(void *state, struct mc_call *);

	/* Somebody was erased: a freeze and a prune as soon as possible.
	 * NULL: not here. */
	void (*soon)(void *state);
};

static inline void
freeze_obtain(const struct mc_ref *to, bool renew, struct mc_call **slot,
    mc_done_fn *done, void *owner)
{
	static const struct mc_op op = {
		"freeze.obtain", FREEZE_TIMEOUT_MS, false
	};
	const struct freeze_ops *ops = (const struct freeze_ops *)to->ops;
	struct mc_call *call = mc_call_new(to, &op, slot, done, owner);

	if (call != NULL)
		ops->obtain(to->provider, renew, call);
}

static inline void
freeze_thaw(const struct mc_ref *to, struct mc_call **slot, mc_done_fn *done,
    void *owner)
{
	static const struct mc_op op = {
		"freeze.thaw", FREEZE_THAW_TIMEOUT_MS, true
	};
	const struct freeze_ops *ops = (const struct freeze_ops *)to->ops;
	struct mc_call *call = mc_call_new(to, &op, slot, done, owner);

	if (call != NULL && ops->thaw != NULL)
		ops->thaw(to->provider, call);
	else if (call != NULL)
		mc_call_done(call, MC_DENIED, NULL, 0);
}

static inline void
freeze_soon(const struct mc_ref *to)
{
	const struct freeze_ops *ops = (const struct freeze_ops *)to->ops;

	if (ops != NULL && ops->soon != NULL)
		ops->soon(to->provider);
}

#ifdef __cplusplus
}
#endif
#endif
