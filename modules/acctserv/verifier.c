/* SPDX-License-Identifier: MIT */
/*
 * From a proof to the verifier that is stored: crypt(3), yescrypt, of the
 * proof in lower-case hexadecimal.  Slow on purpose, so it runs in the pool.
 *
 * crypt_rn, not crypt_r: the sanitizers replace that one, and do not find the
 * real one in a library that is loaded later.
 */
#include "acctserv.h"

#include <metacube/call.h>

#include <crypt.h>
#include <stdlib.h>
#include <string.h>

struct hashing {
	struct mc_host		*host;
	verifier_made_fn	*made;
	void			*owner;
	unsigned long		 cost;
	char			 proof[2 * PROOF_SIZE + 1];
	char			 verifier[TCAPW_VERIFIER_SIZE];
	struct crypt_data	 crypt;
};

static void
hashing_free(struct hashing *hashing)
{
	mc_wipe(hashing, sizeof(*hashing));
	free(hashing);
}

/* Loop. */
static void
hashed(void *job)
{
	struct hashing *hashing = job;

	hashing->made(hashing->owner, hashing->verifier);
	hashing_free(hashing);
}

/* A thread of the pool. */
static void
hash(void *job)
{
	struct hashing *hashing = job;
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	const char *result = NULL;

	if (crypt_gensalt_rn("$y$", hashing->cost, NULL, 0, setting,
	    sizeof(setting)) != NULL)
		result = crypt_rn(hashing->proof, setting, &hashing->crypt,
		    (int)sizeof(hashing->crypt));
	if (result != NULL &&
	    strlen(result) < sizeof(hashing->verifier))
		strcpy(hashing->verifier, result);
	mc_later(hashing->host, hashed, hashing);
}

bool
verifier_make(struct mc_host *host, const uint8_t proof[PROOF_SIZE],
    int64_t cost, verifier_made_fn *made, void *owner)
{
	static const char digits[] = "0123456789abcdef";
	struct hashing *hashing = mc_zalloc(sizeof(*hashing));

	hashing->host = host;
	hashing->made = made;
	hashing->owner = owner;
	hashing->cost = (unsigned long)cost;
	for (size_t i = 0; i < PROOF_SIZE; i++) {
		hashing->proof[2 * i] = digits[proof[i] >> 4];
		hashing->proof[2 * i + 1] = digits[proof[i] & 15];
	}
	if (mc_pool(host, hash, hashing))
		return true;
	hashing_free(hashing);
	return false;
}
