/* SPDX-License-Identifier: MIT */
#include "check.h"

#include <metacube/host.h>

#include <crypt.h>
#include <stdlib.h>
#include <string.h>

static void
proof_hex(const uint8_t proof[PROOF_SIZE], char hex[2 * PROOF_SIZE + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < PROOF_SIZE; i++) {
		hex[2 * i] = digits[proof[i] >> 4];
		hex[2 * i + 1] = digits[proof[i] & 15];
	}
	hex[2 * PROOF_SIZE] = '\0';
}

/* Compares whole buffers, so that the time tells no length. */
static bool
hash_matches(const char *hash, const char *verifier)
{
	char mine[TCAPW_VERIFIER_SIZE] = "", theirs[TCAPW_VERIFIER_SIZE] = "";

	if (hash == NULL || hash[0] == '*' || strlen(hash) >= sizeof(mine))
		return false;
	memcpy(mine, hash, strlen(hash));
	memcpy(theirs, verifier, strnlen(verifier, sizeof(theirs) - 1));
	return mc_equal_secret(mine, theirs, sizeof(mine));
}

/* Up to the salt: "$y$j9T$", in which crypt(3) keeps the cost. */
static size_t
cost_len(const char *verifier)
{
	const char *at = verifier;

	for (int fields = 0; fields < 2 && at != NULL; fields++)
		at = strchr(at + 1, '$');
	return at != NULL ? (size_t)(at - verifier) + 1 : 0;
}

bool
check_weaker(const char *verifier, int64_t cost)
{
	char lower[TCAPW_VERIFIER_SIZE];
	size_t len;

	while (--cost > 0) {
		if (check_dummy(cost, lower) == -1)
			continue;
		len = cost_len(lower);
		if (len > 0 && strncmp(verifier, lower, len) == 0)
			return true;
	}
	return false;
}

static void
renew(struct check *check, const char *hex, struct crypt_data *data)
{
	char setting[TCAPW_VERIFIER_SIZE];
	const char *hash = NULL;

	if (check_dummy(check->cost, setting) == 0)
		hash = crypt_rn(hex, setting, data, (int)sizeof(*data));
	if (hash != NULL && hash[0] != '*' &&
	    strlen(hash) < sizeof(check->renewed))
		strcpy(check->renewed, hash);
}

void
check_run(void *job)
{
	struct check *check = job;
	struct crypt_data *data = mc_zalloc(sizeof(*data));
	char hex[2 * PROOF_SIZE + 1];
	bool matches;

	proof_hex(check->proof, hex);
	mc_wipe(check->proof, sizeof(check->proof));
	matches = hash_matches(crypt_rn(hex, check->verifier, data,
	    (int)sizeof(*data)), check->verifier);
	check->right = matches & check->known;
	if (check->right && check_weaker(check->verifier, check->cost))
		renew(check, hex, data);
	mc_wipe(hex, sizeof(hex));
	mc_wipe(data, sizeof(*data));
	free(data);
	mc_later(check->host, check->done, check);
}

/* Only its settings and salt: a hash made with it is always longer. */
int
check_dummy(int64_t cost, char verifier_r[TCAPW_VERIFIER_SIZE])
{
	char random[16];

	mc_random(random, sizeof(random));
	return crypt_gensalt_rn("$y$", cost, random, sizeof(random),
	    verifier_r, TCAPW_VERIFIER_SIZE) != NULL ? 0 : -1;
}
