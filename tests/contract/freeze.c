/* SPDX-License-Identifier: MIT */
/*
 * The promises of metacube/freeze.h, with accounts that are put into the
 * queue and the store beside it.  A freeze is made when its maker finds it is
 * time: the configuration should let it find so often.
 */
#include "frame.h"

#include <metacube/freeze.h>
#include <metacube/pwq.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define QUEUE		1	/* of contract_ref */
#define STORE		2
#define PATIENCE	1200	/* tries, 50 ms each */
#define PEOPLE		20

struct kept {
	struct freeze_header	header;
};

static void
put_obtain(void *args, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	freeze_obtain(contract_ref(0), *(bool *)args, slot, done, owner);
}

static void
put_thaw(void *args, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	(void)args;
	freeze_thaw(contract_ref(0), slot, done, owner);
}

static void
put_append(void *args, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	uint8_t data[PWQ_MAX];

	wmq_append(contract_ref(QUEUE), PWQ_TAG, data, pwq_encode(args, data),
	    slot, done, owner);
}

static void
put_apply(void *args, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	tcapw_apply(contract_ref(STORE), args, slot, done, owner);
}

static void
put_position(void *args, struct mc_call **slot, mc_done_fn *done,
    void *owner)
{
	(void)args;
	tcapw_position(contract_ref(STORE), slot, done, owner);
}

static enum mc_status
obtain(struct freeze_file *file_r)
{
	bool renew = true;

	memset(file_r, 0, sizeof(*file_r));
	return ask(put_obtain, &renew, file_r, sizeof(*file_r));
}

static struct tcapw_position
position(void)
{
	struct tcapw_position at = { .count = UINT64_MAX };

	ask(put_position, NULL, &at, sizeof(at));
	return at;
}

/* Into the queue and the store. */
static bool
people_make(uint64_t from, uint64_t to)
{
	struct tcapw_position at;
	struct tcapw_change change;
	bool made = true;

	for (uint64_t uid = from; uid <= to && made; uid++) {
		memset(&change, 0, sizeof(change));
		change.verb = TCAPW_CREATE;
		change.account.uid = uid;
		snprintf(change.account.name, MC_NAME_SIZE, "joe%llu",
		    (unsigned long long)uid);
		strcpy(change.account.display, change.account.name);
		made = ask(put_append, &change, &change.pointer,
		    sizeof(change.pointer)) == MC_OK;
		change.account.seq = change.pointer.seq;
		made = made && ask(put_apply, &change, &at, sizeof(at)) ==
		    MC_OK;
	}
	return made;
}

/* Waits for a freeze of the store as it is. */
static bool
freeze_comes(struct freeze_file *file_r)
{
	struct tcapw_position store = position();

	for (int i = 0; i < PATIENCE; i++) {
		if (obtain(file_r) == MC_OK && memcmp(&store,
		    &file_r->header.position, sizeof(store)) == 0)
			return true;
		usleep(50000);
	}
	note("none of change %llu within a minute",
	    (unsigned long long)store.pointer.seq);
	return false;
}

/* The header is the file's own, and the file is all there. */
static bool
file_is_whole(const struct freeze_file *file)
{
	uint8_t has[FREEZE_HEADER_SIZE], told[FREEZE_HEADER_SIZE];
	int fd = open(file->path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	bool whole;

	freeze_header_write(&file->header, told);
	whole = fd != -1 && fstat(fd, &st) == 0 &&
	    (uint64_t)st.st_size == file->header.size &&
	    pread(fd, has, sizeof(has), 0) == (ssize_t)sizeof(has) &&
	    memcmp(has, told, sizeof(has)) == 0;
	if (fd != -1)
		close(fd);
	return whole;
}

static void
keep(const struct freeze_file *file)
{
	struct kept *kept = contract_kept();

	kept->header = file->header;
}

static void
from_nothing(void)
{
	struct freeze_file first, next;
	enum mc_status status = obtain(&first);

	promise(status == MC_NOT_FOUND || status == MC_OK, "without accounts "
	    "there is no freeze, or one of nobody");
	promise(status != MC_OK || first.header.position.count == 0,
	    "and of nobody else");
	promise(people_make(1, PEOPLE), "accounts are made");
	promise(freeze_comes(&first), "a freeze of exactly the store comes");
	promise(first.path[0] == '/', "its path is a whole one");
	promise(file_is_whole(&first), "it is all there, under its own "
	    "header");
	promise(people_make(PEOPLE + 1, 2 * PEOPLE), "further accounts are "
	    "made");
	promise(freeze_comes(&next), "a freeze of these, too, comes");
	promise(file_is_whole(&next), "and is all there");
	promise(memcmp(first.header.nonce_prefix, next.header.nonce_prefix,
	    sizeof(first.header.nonce_prefix)) != 0, "no nonce is used "
	    "twice");
	keep(&next);
}

static bool
is_kept(const struct freeze_file *file)
{
	const struct kept *kept = contract_kept();

	return memcmp(&kept->header, &file->header,
	    sizeof(kept->header)) == 0;
}

static void
stopped(void)
{
	struct freeze_file file;

	promise(obtain(&file) == MC_OK && is_kept(&file), "after a stop the "
	    "same freeze is there");
	promise(people_make(2 * PEOPLE + 1, 3 * PEOPLE), "accounts are made");
	promise(freeze_comes(&file), "and a freeze that goes on from it");
	keep(&file);
}

/* The store may be empty now: it may live in memory. */
static void
killed(void)
{
	const struct kept *kept = contract_kept();
	struct freeze_header header;
	struct tcapw_position at;
	struct freeze_file file;
	enum mc_status status;

	promise(obtain(&file) == MC_OK && is_kept(&file), "after SIGKILL "
	    "likewise");
	promise(file_is_whole(&file), "and it is all there");
	status = ask(put_thaw, NULL, &header, sizeof(header));
	promise(status == MC_OK || status == MC_DENIED, "it is loaded into "
	    "the store, or that is refused");
	if (status != MC_OK)
		return;
	at = position();
	promise(memcmp(&header, &kept->header, sizeof(header)) == 0,
	    "what was loaded is that freeze");
	promise(memcmp(&at, &header.position, sizeof(at)) == 0,
	    "the store holds exactly what it says");
}

static const struct contract_phase phases[] = {
	{ "from nothing", from_nothing, false },
	{ "after a stop", stopped, true },
	{ "after SIGKILL", killed, false },
	{ 0 }
};

const struct contract_suite contract_freeze = {
	FREEZE_SERVICE, .phases = phases,
	.also = { { WMQ_SERVICE, false }, { TCAPW_SERVICE, false } }
};
