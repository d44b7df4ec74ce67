/* SPDX-License-Identifier: MIT */
/*
 * names - which names are taken, or look like one that is.
 *
 * A set of 64-bit hashes of what the names look like (mc_name_skeleton), with
 * linear probing; two names that look alike, from before that was refused,
 * are in it twice.  It is gathered from the store when that is level, and
 * kept up to date by what the follower applies.  Two different skeletons with
 * the same hash refuse a name that is free: with a million accounts, about
 * one in 10^13.  A million names take 16 MiB.
 */
#include "acctserv.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_MIN	1024		/* powers of two */

struct names {
	uint64_t	*hashes;	/* 0: free */
	size_t		 room, count;
	uint64_t	 seed;
	struct mc_call	*call;		/* while they are gathered */
	char		 after[MC_NAME_SIZE];
};

struct names *
names_new(void)
{
	struct names *names = mc_zalloc(sizeof(*names));

	names->room = ROOM_MIN;
	names->hashes = mc_zalloc(names->room * sizeof(*names->hashes));
	mc_random(&names->seed, sizeof(names->seed));
	return names;
}

void
names_free(struct names **namesp)
{
	if (*namesp == NULL)
		return;
	free((*namesp)->hashes);
	free(*namesp);
	*namesp = NULL;
}

/* FNV-1a from a seed that nobody knows, mixed; never 0. */
static uint64_t
hash_of(const struct names *names, const char *folded)
{
	char skeleton[MC_NAME_SIZE];
	uint64_t hash = names->seed ^ 0xcbf29ce484222325;

	mc_name_skeleton(folded, skeleton);
	for (const char *at = skeleton; *at != '\0'; at++)
		hash = (hash ^ (unsigned char)*at) * 0x100000001b3;
	hash ^= hash >> 32;
	hash *= 0x9e3779b97f4a7c15;
	hash ^= hash >> 29;
	return hash == 0 ? 1 : hash;
}

static void
put(struct names *names, uint64_t hash)
{
	size_t at = hash & (names->room - 1);

	while (names->hashes[at] != 0)
		at = (at + 1) & (names->room - 1);
	names->hashes[at] = hash;
	names->count++;
}

static void
grow(struct names *names)
{
	uint64_t *old = names->hashes;
	size_t room = names->room;

	names->room *= 2;
	names->count = 0;
	names->hashes = mc_zalloc(names->room * sizeof(*names->hashes));
	for (size_t i = 0; i < room; i++)
		if (old[i] != 0)
			put(names, old[i]);
	free(old);
}

void
names_add(struct names *names, const char *folded)
{
	if (names->count * 4 >= names->room * 3)
		grow(names);
	put(names, hash_of(names, folded));
}

/* Where it is, or where the search for it ends. */
static size_t
find(const struct names *names, uint64_t hash)
{
	size_t at = hash & (names->room - 1);

	while (names->hashes[at] != 0 && names->hashes[at] != hash)
		at = (at + 1) & (names->room - 1);
	return at;
}

bool
names_like(const struct names *names, const char *folded)
{
	return names->hashes[find(names, hash_of(names, folded))] != 0;
}

/* What follows moves up, as far as it may stand there. */
void
names_remove(struct names *names, const char *folded)
{
	size_t mask = names->room - 1;
	size_t hole = find(names, hash_of(names, folded)), at = hole, home;

	if (names->hashes[hole] == 0)
		return;
	names->count--;
	for (;;) {
		names->hashes[hole] = 0;
		do {
			at = (at + 1) & mask;
			if (names->hashes[at] == 0)
				return;
			home = names->hashes[at] & mask;
		} while (((at - home) & mask) < ((at - hole) & mask));
		names->hashes[hole] = names->hashes[at];
		hole = at;
	}
}

/* Words separated by spaces. */
bool
name_reserved(const char *reserved, const char *folded)
{
	char mine[MC_NAME_SIZE], word[MC_NAME_SIZE], theirs[MC_NAME_SIZE];
	size_t len;

	mc_name_skeleton(folded, mine);
	for (; *reserved != '\0'; reserved += len) {
		reserved += strspn(reserved, " ");
		len = strcspn(reserved, " ");
		if (len == 0 || len >= sizeof(word))
			continue;
		memcpy(word, reserved, len);
		word[len] = '\0';
		mc_name_skeleton(word, theirs);
		if (strcmp(mine, theirs) == 0)
			return true;
	}
	return false;
}

/* Gathering. */

static void ask(struct acctserv *acctserv);

static void
gathered(struct acctserv *acctserv)
{
	acctserv->ready = true;
	mc_gauge(acctserv->host, "names", (int64_t)acctserv->names->count);
	mc_log(acctserv->host, MC_NOTE, "ready: %zu names are known",
	    acctserv->names->count);
}

static void
listed(void *owner, const struct mc_reply *reply)
{
	struct acctserv *acctserv = owner;
	struct names *names = acctserv->names;
	const struct tcapw_account *accounts = reply->data;
	size_t n = reply->len / sizeof(*accounts);

	if (reply->status != MC_OK) {
		mc_log(acctserv->host, MC_WARN, "the account store does not "
		    "list its accounts (%s); asking again",
		    mc_status_text(reply->status));
		names_gather(acctserv);
		return;
	}
	for (size_t i = 0; i < n; i++)
		names_add(names, accounts[i].name);
	if (n == 0) {
		gathered(acctserv);
		return;
	}
	strcpy(names->after, accounts[n - 1].name);
	ask(acctserv);
}

static void
ask(struct acctserv *acctserv)
{
	tcapw_list(&acctserv->tcapw, acctserv->names->after, TCAPW_LIST_MAX,
	    &acctserv->names->call, listed, acctserv);
}

void
names_gather(struct acctserv *acctserv)
{
	names_forget(acctserv);
	names_free(&acctserv->names);
	acctserv->names = names_new();
	acctserv->ready = !acctserv->conf->look_alikes;
	if (!acctserv->ready)
		ask(acctserv);
}

void
names_forget(struct acctserv *acctserv)
{
	if (acctserv->names != NULL)
		mc_call_cancel(&acctserv->names->call);
}
