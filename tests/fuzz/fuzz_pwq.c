/* SPDX-License-Identifier: MIT */
/*
 * fuzz_pwq - any bytes as an account and as a change.  What is decoded keeps
 * what is promised of accounts, and encoded again it decodes to the same.
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
	    mc_name_fold(account->display, folded) != NULL ||
	    strcmp(folded, account->name) != 0)
		abort();
}

static void
try_account(const uint8_t *data, size_t len)
{
	struct tcapw_account account, again;
	uint8_t encoded[PWQ_MAX];

	if (pwq_account_decode(data, len, &account) == -1)
		return;
	account_check(&account);
	if (pwq_account_decode(encoded, pwq_account_encode(&account, encoded),
	    &again) == -1 || memcmp(&account, &again, sizeof(again)) != 0)
		abort();
}

static void
try_change(const uint8_t *data, size_t len)
{
	struct tcapw_change change, again;
	uint8_t encoded[PWQ_MAX];

	if (pwq_decode(data, len, &change) == -1)
		return;
	account_check(&change.account);
	if (pwq_decode(encoded, pwq_encode(&change, encoded), &again) == -1 ||
	    change.verb != again.verb || memcmp(&change.account,
	    &again.account, sizeof(again.account)) != 0)
		abort();
}

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	try_account(data, len);
	try_change(data, len);
	return 0;
}
