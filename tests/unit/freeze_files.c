/* SPDX-License-Identifier: MIT */
#include "freeze_files.h"
#include "scratch.h"

#include <metacube/pwq.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
freeze_account(uint64_t n, struct tcapw_account *account_r)
{
	memset(account_r, 0, sizeof(*account_r));
	account_r->uid = n * 3;
	account_r->seq = n + 1000;
	account_r->created_ms = 1700000000000 + n;
	account_r->flags = n % 7 == 0 ? TCAPW_LOCKED : TCAPW_EMAIL_VALID;
	snprintf(account_r->name, MC_NAME_SIZE, "player%llu",
	    (unsigned long long)n);
	snprintf(account_r->display, MC_NAME_SIZE, "Player%llu",
	    (unsigned long long)n);
	snprintf(account_r->verifier, TCAPW_VERIFIER_SIZE, "$y$j9T$%020llu$%043llu",
	    (unsigned long long)n, (unsigned long long)n);
	snprintf(account_r->email, TCAPW_EMAIL_SIZE, "player%llu@example.org",
	    (unsigned long long)n);
}

size_t
freeze_account_bytes(uint64_t n, uint8_t *out)
{
	struct tcapw_account account;

	freeze_account(n, &account);
	return pwq_account_encode(&account, out);
}

void
freeze_key_file(const char *name, uint8_t byte)
{
	char text[2 * FREEZE_KEY_SIZE + 2];

	for (int i = 0; i < FREEZE_KEY_SIZE; i++)
		snprintf(text + 2 * i, 3, "%02x", byte);
	strcat(text, "\n");
	scratch_text(name, text);
}

struct freeze_keys *
freeze_test_keys(uint8_t byte)
{
	char name[16], why[FREEZE_WHY];
	struct freeze_keys *keys;

	snprintf(name, sizeof(name), "key%02x", byte);
	freeze_key_file(name, byte);
	keys = freeze_keys_load(scratch_path(name), why);
	if (keys == NULL) {
		fprintf(stderr, "%s\n", why);
		abort();
	}
	return keys;
}

bool
freeze_make(const char *path, const struct freeze_keys *keys, uint64_t count,
    uint64_t seq, struct freeze_header *header_r, char why[FREEZE_WHY])
{
	struct freeze_header header = { .time = 1700000000, .offset = 112 };
	struct freeze_writer *writer;
	uint8_t bytes[PWQ_MAX];

	memset(header.position.pointer.epoch, 0xe0, 16);
	memset(header.nonce_prefix, 0x77, 8);
	header.position.pointer.seq = seq;
	header.position.last_uid = count * 3 + 5;
	writer = freeze_begin(path, keys, &header, why);
	if (writer == NULL)
		return false;
	for (uint64_t n = 1; n <= count; n++)
		freeze_add(writer, bytes, freeze_account_bytes(n, bytes));
	return freeze_end(&writer, header_r, why) == 0;
}

long
freeze_read_all(const char *path, const struct freeze_keys *keys,
    bool undigested, char why[FREEZE_WHY])
{
	struct freeze_header header;
	struct freeze_reader *reader = freeze_open(path, keys, &header, why);
	const void *accounts;
	size_t len, at;
	long count = 0;

	if (reader == NULL)
		return -1;
	if (undigested)
		freeze_undigested(reader);
	while (count >= 0) {
		if (freeze_next(reader, &accounts, &len, why) != 0)
			count = -1;
		else if (len == 0)
			break;
		else
			for (at = 0; at < len; count++)
				at += 2 + ((const uint8_t *)accounts)[at] +
				    256u * ((const uint8_t *)accounts)[at + 1];
	}
	freeze_close(&reader);
	return count;
}
