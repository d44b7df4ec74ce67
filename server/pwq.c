/* SPDX-License-Identifier: MIT */
/*
 * pwq - account changes as bytes (metacube/pwq.h, api/proto/account.proto).
 *
 * What is decoded is checked in full, so that whoever gets an account from
 * here may trust its names and lengths.  It is also refused unless encoding
 * it again gives the same bytes: fields in their order, each at most once,
 * none that is empty, none that is unknown.  A digest is made of these bytes,
 * and a store that dropped what it does not know would silently have another.
 * Verifiers pass through: nothing is kept but in what the caller gives.
 */
#include <metacube/bytes.h>
#include <metacube/host.h>
#include <metacube/proto/account.pb-c.h>
#include <metacube/pwq.h>

#include <gnutls/crypto.h>

#include <stdlib.h>
#include <string.h>

#define DIGEST_SIZE	16
#define ENTRY_HEAD	2	/* of an account in a load: its length */

/* How a field's value is written. */
enum wire { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

/* Bytes being read, field by field. */
struct cursor {
	const uint8_t	*at, *end;
	bool		 bad;
};

size_t
pwq_account_encode(const struct tcapw_account *account, uint8_t out[PWQ_MAX])
{
	Metacube__Account message = METACUBE__ACCOUNT__INIT;

	message.uid = account->uid;
	message.seq = account->seq;
	message.created_ms = account->created_ms;
	message.flags = account->flags;
	message.name = (char *)account->name;
	message.display = (char *)account->display;
	message.verifier = (char *)account->verifier;
	message.email = (char *)account->email;
	message.new_email = (char *)account->new_email;
	message.code_for = account->code_for;
	message.code_expires_ms = account->code_expires_ms;
	message.generation = account->generation;
	if (account->code_for != TCAPW_CODE_NONE) {
		message.code_hash.data = (uint8_t *)account->code_hash;
		message.code_hash.len = TCAPW_CODE_HASH;
	}
	return metacube__account__pack(&message, out);
}

size_t
pwq_encode(const struct tcapw_change *change, uint8_t out[PWQ_MAX])
{
	Metacube__Change message = METACUBE__CHANGE__INIT;
	uint8_t account[PWQ_MAX];
	size_t len;

	message.verb = (Metacube__Change__Verb)change->verb;
	message.account.data = account;
	message.account.len = pwq_account_encode(&change->account, account);
	message.by = (char *)change->by;
	message.keep_sessions = change->keep_sessions;
	message.new_verifier = change->new_verifier;
	message.what = (char *)change->what;
	len = metacube__change__pack(&message, out);
	mc_wipe(account, message.account.len);
	return len;
}

static bool
field_begins(struct cursor *cursor, unsigned number, enum wire wire)
{
	if (cursor->bad || cursor->at == cursor->end ||
	    *cursor->at != (number << 3 | wire))
		return false;
	cursor->at++;
	return true;
}

/* All the numbers that are written so are small. */
static uint32_t
varint_take(struct cursor *cursor)
{
	uint32_t value = 0;

	for (int shift = 0; shift < 21; shift += 7) {
		if (cursor->at == cursor->end)
			break;
		value |= (uint32_t)(*cursor->at & 0x7f) << shift;
		if (*cursor->at++ < 0x80) {
			cursor->bad |= value >> shift == 0;
			return value;
		}
	}
	cursor->bad = true;
	return 0;
}

static uint32_t
small_take(struct cursor *cursor, unsigned number)
{
	return field_begins(cursor, number, VARINT) ? varint_take(cursor) : 0;
}

static bool
bool_take(struct cursor *cursor, unsigned number)
{
	uint32_t value = small_take(cursor, number);

	cursor->bad |= value > 1;
	return value == 1;
}

static uint64_t
fixed_take(struct cursor *cursor, unsigned number, enum wire wire)
{
	size_t size = wire == FIXED64 ? 8 : 4;
	uint64_t value = 0;

	if (!field_begins(cursor, number, wire))
		return 0;
	cursor->bad |= (size_t)(cursor->end - cursor->at) < size;
	if (cursor->bad)
		return 0;
	value = wire == FIXED64 ? mc_get64(cursor->at) : mc_get32(cursor->at);
	cursor->at += size;
	cursor->bad |= value == 0;
	return value;
}

/* NULL: the field is not there. */
static const uint8_t *
bytes_take(struct cursor *cursor, unsigned number, size_t *len_r)
{
	const uint8_t *data;

	*len_r = 0;
	if (!field_begins(cursor, number, BYTES))
		return NULL;
	*len_r = varint_take(cursor);
	cursor->bad |= (size_t)(cursor->end - cursor->at) < *len_r;
	if (cursor->bad) {
		*len_r = 0;
		return NULL;
	}
	data = cursor->at;
	cursor->at += *len_r;
	return data;
}

static void
text_take(struct cursor *cursor, unsigned number, char *to, size_t size)
{
	size_t len;
	const uint8_t *data = bytes_take(cursor, number, &len);

	if (data == NULL)
		return;
	if (len >= size || memchr(data, '\0', len) != NULL)
		cursor->bad = true;
	else
		memcpy(to, data, len);
}

static bool
cursor_done(const struct cursor *cursor)
{
	return !cursor->bad && cursor->at == cursor->end;
}

/* Printable ASCII without what separates fields in a passwd file: crypt(5). */
static bool
verifier_valid(const char *verifier)
{
	for (; *verifier != '\0'; verifier++)
		switch (*verifier) {
		case ':': case ';': case '*': case '!': case '\\':
			return false;
		default:
			if (*verifier <= ' ' || *verifier > '~')
				return false;
		}
	return true;
}

static bool
names_valid(const struct tcapw_account *account)
{
	char folded[MC_NAME_SIZE];

	return mc_name_fold(account->display, folded) == NULL &&
	    strcmp(folded, account->name) == 0;
}

/* Printable ASCII: what an address is exactly, decides whoever takes it. */
static bool
email_valid(const char *email)
{
	for (; *email != '\0'; email++)
		if (*email <= ' ' || *email > '~')
			return false;
	return true;
}

static void
code_take(struct cursor *cursor, struct tcapw_account *account)
{
	size_t len;
	const uint8_t *hash = bytes_take(cursor, 10, &len);
	uint32_t code = small_take(cursor, 11);

	if (code > TCAPW_CODE_RESET || (hash != NULL) != (code != 0) ||
	    len != (code != 0 ? TCAPW_CODE_HASH : 0)) {
		cursor->bad = true;
		return;
	}
	account->code_for = (enum tcapw_code)code;
	if (hash != NULL)
		memcpy(account->code_hash, hash, len);
}

/* The fields, whatever they say.  *account_r was zeroed. */
static int
account_take(const void *data, size_t len, struct tcapw_account *account_r)
{
	struct cursor cursor = { data, (const uint8_t *)data + len, false };

	account_r->uid = fixed_take(&cursor, 1, FIXED64);
	account_r->seq = fixed_take(&cursor, 2, FIXED64);
	account_r->created_ms = fixed_take(&cursor, 3, FIXED64);
	account_r->flags = (uint32_t)fixed_take(&cursor, 4, FIXED32);
	text_take(&cursor, 5, account_r->name, MC_NAME_SIZE);
	text_take(&cursor, 6, account_r->display, MC_NAME_SIZE);
	text_take(&cursor, 7, account_r->verifier, TCAPW_VERIFIER_SIZE);
	text_take(&cursor, 8, account_r->email, TCAPW_EMAIL_SIZE);
	text_take(&cursor, 9, account_r->new_email, TCAPW_EMAIL_SIZE);
	code_take(&cursor, account_r);
	account_r->code_expires_ms = fixed_take(&cursor, 12, FIXED64);
	account_r->generation = fixed_take(&cursor, 13, FIXED64);
	return cursor_done(&cursor) ? 0 : -1;
}

int
pwq_account_decode(const void *data, size_t len,
    struct tcapw_account *account_r)
{
	memset(account_r, 0, sizeof(*account_r));
	if (len <= PWQ_MAX && account_take(data, len, account_r) == 0 &&
	    account_r->uid != 0 && names_valid(account_r) &&
	    verifier_valid(account_r->verifier) &&
	    email_valid(account_r->email) &&
	    email_valid(account_r->new_email))
		return 0;
	mc_wipe(account_r, sizeof(*account_r));
	return -1;
}

const char *
pwq_account_name(const void *data, size_t len, size_t *len_r)
{
	struct cursor cursor = { data, (const uint8_t *)data + len, false };
	const uint8_t *name;

	for (unsigned number = 1; number <= 3; number++)
		fixed_take(&cursor, number, FIXED64);
	fixed_take(&cursor, 4, FIXED32);
	name = bytes_take(&cursor, 5, len_r);
	return cursor.bad || *len_r >= MC_NAME_SIZE ? NULL :
	    (const char *)name;
}

const void *
pwq_account_next(const void *accounts, size_t len, size_t *offset,
    size_t *len_r)
{
	const uint8_t *at = (const uint8_t *)accounts + *offset;

	if (len - *offset < ENTRY_HEAD)
		return NULL;
	*len_r = mc_get16(at);
	if (len - *offset - ENTRY_HEAD < *len_r)
		return NULL;
	*offset += ENTRY_HEAD + *len_r;
	return at + ENTRY_HEAD;
}

/* Nothing but a uid. */
static int
reserve_take(const void *data, size_t len, struct tcapw_account *account_r)
{
	struct cursor cursor = { data, (const uint8_t *)data + len, false };

	account_r->uid = fixed_take(&cursor, 1, FIXED64);
	return account_r->uid != 0 && cursor_done(&cursor) ? 0 : -1;
}

static int
change_take(struct cursor *cursor, struct tcapw_change *change)
{
	uint32_t verb = small_take(cursor, 1);
	size_t len;
	const uint8_t *account = bytes_take(cursor, 2, &len);

	text_take(cursor, 3, change->by, sizeof(change->by));
	change->keep_sessions = bool_take(cursor, 4);
	text_take(cursor, 5, change->what, sizeof(change->what));
	change->new_verifier = bool_take(cursor, 6);
	if (verb < TCAPW_CREATE || verb > TCAPW_RESERVE || account == NULL ||
	    !cursor_done(cursor) ||
	    !mc_text_valid(change->by, sizeof(change->by) - 1) ||
	    !mc_text_valid(change->what, sizeof(change->what) - 1))
		return -1;
	change->verb = (enum tcapw_verb)verb;
	return verb == TCAPW_RESERVE ?
	    reserve_take(account, len, &change->account) :
	    pwq_account_decode(account, len, &change->account);
}

int
pwq_decode(const void *data, size_t len, struct tcapw_change *change_r)
{
	struct cursor cursor = { data, (const uint8_t *)data + len, false };

	memset(change_r, 0, sizeof(*change_r));
	if (len <= PWQ_MAX && change_take(&cursor, change_r) == 0)
		return 0;
	mc_wipe(change_r, sizeof(*change_r));
	return -1;
}

/* 128 bits, little-endian, as two halves. */
static void
digest_load(const uint8_t *digest, uint64_t *low, uint64_t *high)
{
	*low = mc_get64(digest);
	*high = mc_get64(digest + 8);
}

static void
digest_store(uint8_t digest[DIGEST_SIZE], uint64_t low, uint64_t high)
{
	mc_put64(digest, low);
	mc_put64(digest + 8, high);
}

/* The record's share of the digest. */
static void
share_of(const void *encoded, size_t len, uint64_t *low_r, uint64_t *high_r)
{
	uint8_t hash[32];

	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, encoded, len, hash) != 0)
		abort();	/* only when the library itself is broken */
	digest_load(hash, low_r, high_r);
}

void
pwq_digest_add(uint8_t digest[DIGEST_SIZE], const void *encoded, size_t len)
{
	uint64_t low, high, add_low, add_high;

	digest_load(digest, &low, &high);
	share_of(encoded, len, &add_low, &add_high);
	high += add_high + (low + add_low < low);
	digest_store(digest, low + add_low, high);
}

void
pwq_digest_sub(uint8_t digest[DIGEST_SIZE], const void *encoded, size_t len)
{
	uint64_t low, high, sub_low, sub_high;

	digest_load(digest, &low, &high);
	share_of(encoded, len, &sub_low, &sub_high);
	high -= sub_high + (low < sub_low);
	digest_store(digest, low - sub_low, high);
}
