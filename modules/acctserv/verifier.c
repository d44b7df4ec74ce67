/* SPDX-License-Identifier: MIT */
/*
 * From a proof to the verifier that is stored: crypt(3), yescrypt, of the
 * proof in lower-case hexadecimal; and is this the proof of that verifier?
 * Slow on purpose, so it runs in the pool.
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
	verifier_made_fn	*made;		/* or */
	verifier_checked_fn	*checked;
	void			*owner;
	unsigned long		 cost;
	bool			 right;
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

static struct hashing *
hashing_new(struct mc_host *host, const uint8_t proof[PROOF_SIZE],
    void *owner)
{
	static const char digits[] = "0123456789abcdef";
	struct hashing *hashing = mc_zalloc(sizeof(*hashing));

	hashing->host = host;
	hashing->owner = owner;
	for (size_t i = 0; i < PROOF_SIZE; i++) {
		hashing->proof[2 * i] = digits[proof[i] >> 4];
		hashing->proof[2 * i + 1] = digits[proof[i] & 15];
	}
	return hashing;
}

/* Loop. */
static void
hashed(void *job)
{
	struct hashing *hashing = job;

	if (hashing->made != NULL)
		hashing->made(hashing->owner, hashing->verifier);
	else
		hashing->checked(hashing->owner, hashing->right);
	hashing_free(hashing);
}

static void
make(struct hashing *hashing)
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	const char *result = NULL;

	if (crypt_gensalt_rn("$y$", hashing->cost, NULL, 0, setting,
	    sizeof(setting)) != NULL)
		result = crypt_rn(hashing->proof, setting, &hashing->crypt,
		    (int)sizeof(hashing->crypt));
	if (result != NULL &&
	    strlen(result) < sizeof(hashing->verifier))
		strcpy(hashing->verifier, result);
}

/* Compares whole fields, so that no time tells how far they agree. */
static void
check(struct hashing *hashing)
{
	char made[TCAPW_VERIFIER_SIZE] = "";
	const char *result = crypt_rn(hashing->proof, hashing->verifier,
	    &hashing->crypt, (int)sizeof(hashing->crypt));

	if (result == NULL || result[0] == '*' ||
	    strlen(result) >= sizeof(made))
		return;
	memcpy(made, result, strlen(result) + 1);
	memset(hashing->verifier + strlen(hashing->verifier), 0,
	    sizeof(hashing->verifier) - strlen(hashing->verifier));
	hashing->right = mc_equal_secret(made, hashing->verifier,
	    sizeof(made));
	mc_wipe(made, sizeof(made));
}

/* A thread of the pool. */
static void
hash(void *job)
{
	struct hashing *hashing = job;

	if (hashing->made != NULL)
		make(hashing);
	else
		check(hashing);
	mc_later(hashing->host, hashed, hashing);
}

static bool
hashing_start(struct hashing *hashing)
{
	if (mc_pool(hashing->host, hash, hashing))
		return true;
	hashing_free(hashing);
	return false;
}

bool
verifier_make(struct mc_host *host, const uint8_t proof[PROOF_SIZE],
    int64_t cost, verifier_made_fn *made, void *owner)
{
	struct hashing *hashing = hashing_new(host, proof, owner);

	hashing->made = made;
	hashing->cost = (unsigned long)cost;
	return hashing_start(hashing);
}

bool
verifier_check(struct mc_host *host, const uint8_t proof[PROOF_SIZE],
    const char *verifier, verifier_checked_fn *checked, void *owner)
{
	struct hashing *hashing = hashing_new(host, proof, owner);

	hashing->checked = checked;
	memcpy(hashing->verifier, verifier, sizeof(hashing->verifier));
	return hashing_start(hashing);
}

/* Only its settings and salt: a hash made with it is always longer. */
int
verifier_dummy(int64_t cost, char verifier_r[TCAPW_VERIFIER_SIZE])
{
	return crypt_gensalt_rn("$y$", (unsigned long)cost, NULL, 0,
	    verifier_r, TCAPW_VERIFIER_SIZE) != NULL ? 0 : -1;
}
