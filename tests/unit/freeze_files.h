/* SPDX-License-Identifier: MIT */
/*
 * freeze_files - keys and freezes for tests, in the scratch folder.
 */
#ifndef TESTS_FREEZE_FILES_H
#define TESTS_FREEZE_FILES_H

#include <metacube/freeze.h>

/* Account number n, the same one every time; its bytes. */
void	 freeze_account(uint64_t n, struct tcapw_account *account_r);
size_t	 freeze_account_bytes(uint64_t n, uint8_t *out);

/* A key file whose key is 32 times this byte. */
void	 freeze_key_file(const char *name, uint8_t byte);
struct freeze_keys *freeze_test_keys(uint8_t byte);

/* A freeze of accounts 1 to count at the change with that number; false:
 * why says why. */
bool	 freeze_make(const char *path, const struct freeze_keys *,
	    uint64_t count, uint64_t seq, struct freeze_header *header_r,
	    char why[FREEZE_WHY]);

/* Reads all of it: how many accounts, -1: refused, why says why. */
long	 freeze_read_all(const char *path, const struct freeze_keys *,
	    bool undigested, char why[FREEZE_WHY]);

#endif
