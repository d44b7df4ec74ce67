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
