/* SPDX-License-Identifier: MIT */
/*
 * pwq - account changes as bytes (metacube/pwq.h, api/proto/account.proto).
 *
 * What is decoded is checked in full, so that whoever gets an account from
 * here may trust its names and lengths.  Verifiers pass through: the parser
 * works in a small arena on the stack, which bounds it and is wiped.
 */
#include <metacube/host.h>
#include <metacube/proto/account.pb-c.h>
#include <metacube/pwq.h>

#include <gnutls/crypto.h>

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_SIZE	(8 * 1024)
#define DIGEST_SIZE	16

struct arena {
	size_t			used;
	alignas(max_align_t) uint8_t	bytes[ARENA_SIZE];
};

static void *
arena_take(void *arg, size_t size)
{
	struct arena *arena = arg;
	size_t rounded = (size + alignof(max_align_t) - 1) &
	    ~(alignof(max_align_t) - 1);
	void *at = arena->bytes + arena->used;

	if (rounded < size || rounded > ARENA_SIZE - arena->used)
		return NULL;
	arena->used += rounded;
	return at;
}

static void
arena_give(void *arg, void *at)
{
	(void)arg;
	(void)at;
}

static void
arena_wipe(struct arena *arena)
{
	mc_wipe(arena->bytes, arena->used);
}

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
	message.what = (char *)change->what;
	len = metacube__change__pack(&message, out);
	mc_wipe(account, message.account.len);
	return len;
}

static bool
copy_text(char *to, size_t size, const char *from)
{
	size_t len = strlen(from);

	if (len >= size)
		return false;
	memcpy(to, from, len + 1);
	return true;
}

/* Printable ASCII without what separates fields in a passwd file: crypt(5). */
static bool
verifier_valid(const char *verifier)
{
	for (; *verifier != '\0'; verifier++)
		if (*verifier <= ' ' || *verifier > '~' ||
		    strchr(":;*!\\", *verifier) != NULL)
			return false;
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

static bool
code_take(struct tcapw_account *account, const Metacube__Account *message)
{
	size_t len = message->code_hash.len;

	if (message->code_for > TCAPW_CODE_RESET ||
	    len != (message->code_for == TCAPW_CODE_NONE ?
		0 : TCAPW_CODE_HASH))
		return false;
	account->code_for = (enum tcapw_code)message->code_for;
	account->code_expires_ms = message->code_expires_ms;
	if (len > 0)
		memcpy(account->code_hash, message->code_hash.data, len);
	return true;
}

static bool
emails_take(struct tcapw_account *account, const Metacube__Account *message)
{
	return copy_text(account->email, sizeof(account->email),
		message->email) &&
	    copy_text(account->new_email, sizeof(account->new_email),
		message->new_email) &&
	    email_valid(account->email) && email_valid(account->new_email);
}

static bool
account_take(struct tcapw_account *account, const Metacube__Account *message)
{
	account->uid = message->uid;
	account->seq = message->seq;
	account->created_ms = message->created_ms;
	account->flags = message->flags;
	return account->uid != 0 &&
	    copy_text(account->name, sizeof(account->name), message->name) &&
	    copy_text(account->display, sizeof(account->display),
		message->display) &&
	    copy_text(account->verifier, sizeof(account->verifier),
		message->verifier) &&
	    names_valid(account) && verifier_valid(account->verifier) &&
	    emails_take(account, message) && code_take(account, message);
}

int
pwq_account_decode(const void *data, size_t len,
    struct tcapw_account *account_r)
{
	struct arena arena;
	ProtobufCAllocator allocator = { arena_take, arena_give, &arena };
	Metacube__Account *message;
	bool fine;

	memset(account_r, 0, sizeof(*account_r));
	if (len > PWQ_MAX)
		return -1;
	arena.used = 0;
	message = metacube__account__unpack(&allocator, len, data);
	fine = message != NULL && account_take(account_r, message);
	arena_wipe(&arena);
	if (!fine)
		mc_wipe(account_r, sizeof(*account_r));
	return fine ? 0 : -1;
}

static int
change_take(struct tcapw_change *change, const Metacube__Change *message)
{
	if (message->verb < METACUBE__CHANGE__VERB__CREATE ||
	    message->verb > METACUBE__CHANGE__VERB__RESERVE ||
	    !mc_text_valid(message->by, sizeof(change->by) - 1) ||
	    !mc_text_valid(message->what, sizeof(change->what) - 1))
		return -1;
	change->verb = (enum tcapw_verb)message->verb;
	change->keep_sessions = message->keep_sessions;
	strcpy(change->by, message->by);
	strcpy(change->what, message->what);
	return pwq_account_decode(message->account.data, message->account.len,
	    &change->account);
}

int
pwq_decode(const void *data, size_t len, struct tcapw_change *change_r)
{
	struct arena arena;
	ProtobufCAllocator allocator = { arena_take, arena_give, &arena };
	Metacube__Change *message;
	int result = -1;

	memset(change_r, 0, sizeof(*change_r));
	if (len > PWQ_MAX)
		return -1;
	arena.used = 0;
	message = metacube__change__unpack(&allocator, len, data);
	if (message != NULL)
		result = change_take(change_r, message);
	arena_wipe(&arena);
	return result;
}

/* 128 bits, little-endian, as two halves. */
static void
digest_load(const uint8_t *digest, uint64_t *low, uint64_t *high)
{
	*low = *high = 0;
	for (int i = 7; i >= 0; i--) {
		*low = *low << 8 | digest[i];
		*high = *high << 8 | digest[i + 8];
	}
}

static void
digest_store(uint8_t digest[DIGEST_SIZE], uint64_t low, uint64_t high)
{
	for (int i = 0; i < 8; i++) {
		digest[i] = (uint8_t)(low >> 8 * i);
		digest[i + 8] = (uint8_t)(high >> 8 * i);
	}
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
