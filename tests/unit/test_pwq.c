/* SPDX-License-Identifier: MIT */
/* Account changes as bytes, and the digest of a store. */
#include "cutap.h"

#include <metacube/proto/account.pb-c.h>
#include <metacube/pwq.h>

#include <stdio.h>
#include <string.h>

static struct tcapw_account
sample(unsigned n)
{
	struct tcapw_account account = {
		.uid = 1000 + n, .seq = n, .created_ms = 1700000000000 + n,
		.generation = n % 5, .flags = n % 2
	};

	snprintf(account.name, MC_NAME_SIZE, "joe%u", n);
	snprintf(account.display, MC_NAME_SIZE, "Joe%u", n);
	snprintf(account.verifier, TCAPW_VERIFIER_SIZE,
	    "$y$j9T$8J1XGdHYZlZ2b6D3T5Tnu/$abcdefghijkl%u", n);
	snprintf(account.email, TCAPW_EMAIL_SIZE, "joe%u@example.org", n);
	if (n % 3 == 1) {
		snprintf(account.new_email, TCAPW_EMAIL_SIZE, "new%u@b", n);
		account.code_for = TCAPW_CODE_EMAIL;
		memset(account.code_hash, (int)n, TCAPW_CODE_HASH);
		account.code_expires_ms = 1800000000000 + n;
	}
	return account;
}

static bool
is_same(const struct tcapw_account *a, const struct tcapw_account *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static void
accounts(void)
{
	struct tcapw_account account = sample(7), again;
	uint8_t data[PWQ_MAX];
	size_t len = pwq_account_encode(&account, data);

	CU_ASSERT_EQUAL(pwq_account_decode(data, len, &again), 0);
	CU_ASSERT_TRUE(is_same(&account, &again));
}

static void
longest(void)
{
	struct tcapw_account account = {
		.uid = UINT64_MAX, .seq = UINT64_MAX,
		.created_ms = UINT64_MAX, .generation = UINT64_MAX,
		.flags = UINT32_MAX
	}, again;
	struct tcapw_change change = { .verb = TCAPW_CHANGE }, changed;
	uint8_t data[PWQ_MAX];
	size_t len;

	memset(account.name, 'z', MC_NAME_SIZE - 1);
	memset(account.display, 'Z', MC_NAME_SIZE - 1);
	memset(account.verifier, 'v', TCAPW_VERIFIER_SIZE - 1);
	memset(account.email, 'e', TCAPW_EMAIL_SIZE - 1);
	memset(account.new_email, 'n', TCAPW_EMAIL_SIZE - 1);
	account.code_for = TCAPW_CODE_RESET;
	memset(account.code_hash, 0xff, TCAPW_CODE_HASH);
	account.code_expires_ms = UINT64_MAX;
	memset(change.by, 'b', TCAPW_BY_SIZE - 1);
	memset(change.what, 'w', TCAPW_WHAT_SIZE - 1);
	change.keep_sessions = change.new_verifier = true;
	change.account = account;
	len = pwq_account_encode(&account, data);
	CU_ASSERT_TRUE(len <= PWQ_MAX);
	CU_ASSERT_EQUAL(pwq_account_decode(data, len, &again), 0);
	CU_ASSERT_TRUE(is_same(&account, &again));
	len = pwq_encode(&change, data);
	CU_ASSERT_TRUE(len <= PWQ_MAX);
	CU_ASSERT_EQUAL(pwq_decode(data, len, &changed), 0);
	CU_ASSERT_EQUAL(memcmp(&change, &changed, sizeof(change)), 0);
}

static void
verbs(void)
{
	struct tcapw_change change = { .account = sample(1) }, again;
	uint8_t data[PWQ_MAX];

	for (int verb = 0; verb < 7; verb++) {
		bool fine = verb >= TCAPW_CREATE && verb <= TCAPW_DELETE;

		change.verb = (enum tcapw_verb)verb;
		CU_ASSERT_EQUAL(pwq_decode(data, pwq_encode(&change, data),
		    &again), fine ? 0 : -1);
		if (fine)
			CU_ASSERT_EQUAL(again.verb, change.verb);
	}
}

static bool
is_refused(const struct tcapw_account *account)
{
	static const struct tcapw_account none;
	struct tcapw_account again;
	uint8_t data[PWQ_MAX];
	size_t len = pwq_account_encode(account, data);

	return pwq_account_decode(data, len, &again) == -1 &&
	    memcmp(&again, &none, sizeof(again)) == 0;
}

static void
nonsense(void)
{
	struct tcapw_account account = sample(1);

	account.uid = 0;
	CU_ASSERT_TRUE(is_refused(&account));
	account = sample(1);
	strcpy(account.name, "amanda");		/* not the display folded */
	CU_ASSERT_TRUE(is_refused(&account));
	strcpy(account.display, "../amanda");
	CU_ASSERT_TRUE(is_refused(&account));
	account = sample(1);
	strcpy(account.verifier, "a:b");
	CU_ASSERT_TRUE(is_refused(&account));
	strcpy(account.verifier, "new\nline");
	CU_ASSERT_TRUE(is_refused(&account));
	account = sample(1);
	strcpy(account.email, "joe@exa mple.org");
	CU_ASSERT_TRUE(is_refused(&account));
	account = sample(1);
	strcpy(account.new_email, "joe@\303\244");
	CU_ASSERT_TRUE(is_refused(&account));
	account = sample(1);
	account.code_for = (enum tcapw_code)4;
	CU_ASSERT_TRUE(is_refused(&account));
}

/* Nothing but a uid: whatever else an account has is too much. */
static void
reserve(void)
{
	struct tcapw_change change = {
		.verb = TCAPW_RESERVE, .account.uid = 1 << 30,
		.by = "wmqmaint"
	}, again;
	uint8_t data[PWQ_MAX];

	CU_ASSERT_EQUAL(pwq_decode(data, pwq_encode(&change, data), &again),
	    0);
	CU_ASSERT_EQUAL(memcmp(&change, &again, sizeof(change)), 0);
	change.account.uid = 0;
	CU_ASSERT_EQUAL(pwq_decode(data, pwq_encode(&change, data), &again),
	    -1);
	change.account = sample(0);
	CU_ASSERT_EQUAL(pwq_decode(data, pwq_encode(&change, data), &again),
	    -1);
	change.verb = TCAPW_CREATE;
	change.account = (struct tcapw_account){ .uid = 1 << 30 };
	CU_ASSERT_EQUAL(pwq_decode(data, pwq_encode(&change, data), &again),
	    -1);
}

static bool
is_read(const uint8_t *data, size_t len)
{
	struct tcapw_account account;

	return pwq_account_decode(data, len, &account) == 0;
}

/* The same account in other bytes, which other digests would be made of. */
static void
canonical(void)
{
	struct tcapw_account account = sample(1);
	uint8_t data[PWQ_MAX], other[PWQ_MAX + 16];
	size_t len = pwq_account_encode(&account, data);

	CU_ASSERT_TRUE(is_read(data, len));
	memcpy(other, data, len);
	memcpy(other + len, data + len - 9, 9);		/* the last twice */
	CU_ASSERT_FALSE(is_read(other, len + 9));
	memcpy(other, data + 9, 9);			/* another order */
	memcpy(other + 9, data, 9);
	CU_ASSERT_FALSE(is_read(other, len));
	memcpy(other, data, len);
	other[len] = 13 << 3;				/* unknown */
	other[len + 1] = 1;
	CU_ASSERT_FALSE(is_read(other, len + 2));
	memcpy(other, data, 32);			/* a long length */
	CU_ASSERT_EQUAL(other[32], 5 << 3 | 2);
	other[32] = data[32];
	other[33] = data[33] | 0x80;
	other[34] = 0;
	memcpy(other + 35, data + 34, len - 34);
	CU_ASSERT_FALSE(is_read(other, len + 1));
	account.code_for = TCAPW_CODE_NONE;
	account.code_expires_ms = 0;
	len = pwq_account_encode(&account, data);
	memset(data + len, 0, 9);
	data[len] = 12 << 3 | 1;			/* zero, but there */
	CU_ASSERT_FALSE(is_read(data, len + 9));
}

static void
names(void)
{
	struct tcapw_account account = sample(1);
	uint8_t data[PWQ_MAX];
	size_t len = pwq_account_encode(&account, data), name_len;
	const char *name = pwq_account_name(data, len, &name_len);

	CU_ASSERT_PTR_NOT_NULL_FATAL(name);
	CU_ASSERT_EQUAL(name_len, 4);
	CU_ASSERT_EQUAL(memcmp(name, "joe1", 4), 0);
	for (size_t i = 0; i < 32 + 2 + 4; i++)
		CU_ASSERT_PTR_NULL(pwq_account_name(data, i, &name_len));
	data[33] = 200;
	CU_ASSERT_PTR_NULL(pwq_account_name(data, len, &name_len));
}

static void
walk(void)
{
	static const uint8_t two[] = { 1, 0, 'a', 2, 0, 'b', 'c' };
	size_t offset = 0, len;

	CU_ASSERT_PTR_EQUAL(pwq_account_next(two, 7, &offset, &len), two + 2);
	CU_ASSERT_EQUAL(len, 1);
	CU_ASSERT_PTR_EQUAL(pwq_account_next(two, 7, &offset, &len), two + 5);
	CU_ASSERT_EQUAL(len, 2);
	CU_ASSERT_PTR_NULL(pwq_account_next(two, 7, &offset, &len));
	CU_ASSERT_EQUAL(offset, 7);
	offset = 3;
	CU_ASSERT_PTR_NULL(pwq_account_next(two, 6, &offset, &len));
	CU_ASSERT_PTR_NULL(pwq_account_next(two, 4, &offset, &len));
	CU_ASSERT_EQUAL(offset, 3);
}

static void
too_long(void)
{
	Metacube__Account message = METACUBE__ACCOUNT__INIT;
	char text[600];
	uint8_t data[2 * PWQ_MAX] = { 0 };
	struct tcapw_account account;
	struct tcapw_change change;

	memset(text, 'j', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	message.uid = 1;
	message.name = message.display = (char *)"joe";
	message.verifier = text;
	CU_ASSERT_EQUAL(pwq_account_decode(data,
	    metacube__account__pack(&message, data), &account), -1);
	text[MC_NAME_SIZE] = '\0';
	message.verifier = (char *)"v";
	message.name = message.display = text;
	CU_ASSERT_EQUAL(pwq_account_decode(data,
	    metacube__account__pack(&message, data), &account), -1);
	CU_ASSERT_EQUAL(pwq_account_decode(data, PWQ_MAX + 1, &account), -1);
	CU_ASSERT_EQUAL(pwq_decode(data, PWQ_MAX + 1, &change), -1);
	CU_ASSERT_EQUAL(pwq_decode(data, 0, &change), -1);
}

/* Cut short at every byte: never the account, and never half of it. */
static void
cut_short(void)
{
	struct tcapw_change change = {
		.verb = TCAPW_CREATE, .account = sample(3)
	}, again;
	uint8_t data[PWQ_MAX];
	size_t len = pwq_encode(&change, data);

	for (size_t i = 0; i < len; i++)
		CU_ASSERT_EQUAL(pwq_decode(data, i, &again), -1);
}

static void
order(void)
{
	uint8_t forth[16] = { 0 }, back[16] = { 0 }, zero[16] = { 0 };
	struct tcapw_account account;
	uint8_t data[PWQ_MAX];

	for (unsigned i = 0; i < 100; i++) {
		account = sample(i);
		pwq_digest_add(forth, data,
		    pwq_account_encode(&account, data));
		account = sample(99 - i);
		pwq_digest_add(back, data,
		    pwq_account_encode(&account, data));
	}
	CU_ASSERT_EQUAL(memcmp(forth, back, 16), 0);
	CU_ASSERT_NOT_EQUAL(memcmp(forth, zero, 16), 0);
	for (unsigned i = 0; i < 100; i++) {
		account = sample(i * 37 % 100);
		pwq_digest_sub(forth, data,
		    pwq_account_encode(&account, data));
	}
	CU_ASSERT_EQUAL(memcmp(forth, zero, 16), 0);
}

/* One record's digest is its SHA-256: that of "abc" is well known. */
static void
known(void)
{
	static const uint8_t abc[16] = {
		0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea,
		0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23
	};
	static const uint8_t twice[16] = {
		0x74, 0xf1, 0x2c, 0x7e, 0x1f, 0x03, 0x9e, 0xd5,
		0x83, 0x82, 0x80, 0xbc, 0xbb, 0x5c, 0x45, 0x46
	};
	uint8_t digest[16] = { 0 };

	pwq_digest_add(digest, "abc", 3);
	CU_ASSERT_EQUAL(memcmp(digest, abc, 16), 0);
	pwq_digest_add(digest, "abc", 3);
	CU_ASSERT_EQUAL(memcmp(digest, twice, 16), 0);
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "an account there and back", accounts },
		{ "the longest of all fits", longest },
		{ "create, change, delete, and nothing else", verbs },
		{ "what no account can be is refused", nonsense },
		{ "a reserved uid, and nothing with it", reserve },
		{ "the same in other bytes is refused", canonical },
		{ "the name is found without the rest", names },
		{ "a load is walked", walk },
		{ "so is what is too long", too_long },
		{ "and what is cut short", cut_short },
		{ "the digest does not know order", order },
		{ "the digest is what it is said to be", known },
		{ NULL, NULL }
	};

	return cutap_run("pwq", tests);
}
