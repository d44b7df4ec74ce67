/* SPDX-License-Identifier: MIT */
/*
 * bench freeze - how fast a freeze is made and read, and in how much memory.
 *
 *	freeze FOLDER [ACCOUNTS [MEMORY]]
 *
 * Makes a freeze of so many accounts (1,000,000) from records of a queue, as
 * wmqmaint does, with so much memory for changes (16 MiB: several passes);
 * another one that changes a tenth of them; and reads it with and without the
 * digest.  Beside that, what reading cannot do without: AES-256-GCM over the
 * same bytes, and SHA-256 over each account.
 */
#include "../modules/wmqmaint/merge.h"

#include <metacube/host.h>
#include <metacube/pwq.h>

#include <gnutls/crypto.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct freeze_keys *keys;
static char path[512], key_path[512];

static double
now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void
check(bool fine, const char *why)
{
	if (fine)
		return;
	fprintf(stderr, "bench: %s\n", why);
	exit(1);
}

static void
keys_make(void)
{
	FILE *file = fopen(key_path, "w");
	char why[FREEZE_WHY];

	check(file != NULL, key_path);
	for (int i = 0; i < FREEZE_KEY_SIZE; i++)
		fprintf(file, "%02x", i);
	fclose(file);
	check(chmod(key_path, 0600) == 0, key_path);
	keys = freeze_keys_load(key_path, why);
	check(keys != NULL, why);
}

static size_t
record_make(uint64_t n, enum tcapw_verb verb, uint8_t out[PWQ_MAX])
{
	struct tcapw_change change = { .verb = verb, .by = "bench" };
	struct tcapw_account *account = &change.account;
	unsigned long long number = n;

	account->uid = n;
	account->created_ms = 1700000000000 + n;
	snprintf(account->name, MC_NAME_SIZE, "bench%llu", number);
	snprintf(account->display, MC_NAME_SIZE, "bench%llu", number);
	snprintf(account->verifier, TCAPW_VERIFIER_SIZE,
	    "$y$j9T$%022llu$%043llu", number, number * 7919);
	snprintf(account->email, TCAPW_EMAIL_SIZE, "bench%llu@example.org",
	    number);
	return pwq_encode(&change, out);
}

/* Every step-th of them, as records after the freeze that is there. */
static void
merge_make(uint64_t accounts, uint64_t step, size_t memory)
{
	enum tcapw_verb verb = step == 1 ? TCAPW_CREATE : TCAPW_CHANGE;
	struct wmq_record record = { .tag = PWQ_TAG };
	struct freeze_header header;
	uint8_t data[PWQ_MAX];
	struct merge merge;
	double begun = now();

	check(merge_begin(&merge, path, keys, memory, NULL) == 0, merge.why);
	for (uint64_t n = 1; n <= accounts; n += step) {
		record.seq = merge.at.seq + 1;
		record.len = (uint32_t)record_make(n, verb, data);
		check(merge_record(&merge, &record, data) == 0, merge.why);
	}
	check(merge_end(&merge, NULL, 0, 0, &header) == 0, merge.why);
	printf("%llu changes into %llu accounts: %.2f s, %u passes, %.1f MB\n",
	    (unsigned long long)((accounts + step - 1) / step),
	    (unsigned long long)header.position.count, now() - begun,
	    merge.passes, (double)header.size / 1e6);
	merge_free(&merge);
}

static double
file_read(bool undigested)
{
	struct freeze_header header;
	char why[FREEZE_WHY];
	struct freeze_reader *reader = freeze_open(path, keys, &header, why);
	double begun = now(), seconds;
	const void *accounts;
	size_t len = 1;

	check(reader != NULL, why);
	if (undigested)
		freeze_undigested(reader);
	while (len > 0)
		check(freeze_next(reader, &accounts, &len, why) == 0, why);
	freeze_close(&reader);
	seconds = now() - begun;
	printf("read %s digest: %.2f s, %.0f MB/s\n", undigested ? "without" :
	    "with", seconds, (double)header.size / 1e6 / seconds);
	return seconds;
}

/* The same work, and nothing else. */
static double
least(uint64_t accounts)
{
	static uint8_t plain[65536], sealed[65536 + 16], hash[32];
	uint8_t bytes[32] = { 0 };
	const gnutls_datum_t key = { bytes, 32 };
	gnutls_aead_cipher_hd_t cipher;
	size_t size, chunks = (size_t)accounts * 170 / sizeof(plain);
	double begun = now(), seconds;

	check(gnutls_aead_cipher_init(&cipher, GNUTLS_CIPHER_AES_256_GCM,
	    &key) == 0, "no cipher");
	for (size_t i = 0; i < chunks; i++) {
		size = sizeof(sealed);
		gnutls_aead_cipher_encrypt(cipher, bytes, 12, NULL, 0, 16,
		    plain, sizeof(plain), sealed, &size);
	}
	for (uint64_t i = 0; i < accounts; i++)
		gnutls_hash_fast(GNUTLS_DIG_SHA256, plain, 168, hash);
	gnutls_aead_cipher_deinit(cipher);
	seconds = now() - begun;
	printf("AES-256-GCM and SHA-256 alone: %.2f s\n", seconds);
	return seconds;
}

int
main(int argc, char **argv)
{
	uint64_t accounts = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
	size_t memory = argc > 3 ? (size_t)atol(argv[3]) : 16 << 20;
	struct rusage usage;
	double ours, bare;

	if (argc < 2 || accounts == 0 || memory < CHANGES_MIN)
		return 2;
	snprintf(path, sizeof(path), "%s/bench.freeze", argv[1]);
	snprintf(key_path, sizeof(key_path), "%s/bench.key", argv[1]);
	keys_make();
	merge_make(accounts, 1, memory);
	merge_make(accounts, 10, memory);
	file_read(true);
	ours = file_read(false);
	getrusage(RUSAGE_SELF, &usage);
	printf("at most %.1f MiB resident\n",
	    (double)usage.ru_maxrss / 1024);
	bare = least(accounts);
	printf("RESULT name=freeze-read ours=%.3f peer=%.3f unit=s "
	    "ratio=%.2f\n", ours, bare, bare / ours);
	freeze_keys_free(&keys);
	unlink(path);
	unlink(key_path);
	return 0;
}
