/* SPDX-License-Identifier: MIT */
/*
 * fuzz_pwq - any bytes as an account, as a change, and as a load.  What is
 * decoded keeps what is promised of accounts, and encoded again it gives the
 * same bytes.
 */
#include <metacube/pwq.h>

#include <stdlib.h>
#include <string.h>

static void
account_check(const struct tcapw_account *account)
{
	char folded[MC_NAME_SIZE];

	if (account->uid == 0 ||
	    memchr(account->display, '\0', MC_NAME_SIZE) == NULL ||
	    memchr(account->verifier, '\0', TCAPW_VERIFIER_SIZE) == NULL ||
	    memchr(account->email, '\0', TCAPW_EMAIL_SIZE) == NULL ||
	    memchr(account->new_email, '\0', TCAPW_EMAIL_SIZE) == NULL ||
	    mc_name_fold(account->display, folded) != NULL ||
	    strcmp(folded, account->name) != 0)
		abort();
}

static void
name_check(const uint8_t *data, size_t len, const char *name)
{
	size_t found_len;
	const char *found = pwq_account_name(data, len, &found_len);

	if (found != NULL && (found < (const char *)data ||
	    found + found_len > (const char *)data + len ||
	    found_len >= MC_NAME_SIZE))
		abort();
	if (name != NULL && (found == NULL || found_len != strlen(name) ||
	    memcmp(found, name, found_len) != 0))
		abort();
}

static void
try_account(const uint8_t *data, size_t len)
{
	struct tcapw_account account;
	uint8_t encoded[PWQ_MAX];

	name_check(data, len, NULL);
	if (pwq_account_decode(data, len, &account) == -1)
		return;
	account_check(&account);
	name_check(data, len, account.name);
	if (pwq_account_encode(&account, encoded) != len ||
	    memcmp(encoded, data, len) != 0)
		abort();
}

static void
try_change(const uint8_t *data, size_t len)
{
	struct tcapw_change change;
	uint8_t encoded[PWQ_MAX];

	if (pwq_decode(data, len, &change) == -1)
		return;
	if (change.verb != TCAPW_RESERVE)
		account_check(&change.account);
	else if (change.account.uid == 0 || change.account.name[0] != '\0')
		abort();
	if (pwq_encode(&change, encoded) != len ||
	    memcmp(encoded, data, len) != 0)
		abort();
}

static void
try_load(const uint8_t *data, size_t len)
{
	size_t offset = 0, before = 0, one_len;
	const uint8_t *one;

	while ((one = pwq_account_next(data, len, &offset, &one_len)) !=
	    NULL) {
		if (one != data + before + 2 || offset != before + 2 + one_len ||
		    offset > len)
			abort();
		before = offset;
		try_account(one, one_len);
	}
}

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	try_account(data, len);
	try_change(data, len);
	try_load(data, len);
	return 0;
}
