/* SPDX-License-Identifier: MIT */
/*
 * Whose turn it is: changes of one account wait for each other, as do those of
 * names that look alike; others do not, so that many share one commit of the
 * queue.
 */
#include "change.h"

#include <stdlib.h>
#include <string.h>

#define WAITING_MAX	64	/* changes of one account */

static struct changes *
turn_of(struct acctserv *acctserv, const char *key)
{
	uint32_t hash = 2166136261u;

	for (; *key != '\0'; key++)
		hash = (hash ^ (unsigned char)*key) * 16777619u;
	return &acctserv->turns[hash % BUCKETS];
}

static struct change *
first_of(struct acctserv *acctserv, const char *key)
{
	struct change *change;

	TAILQ_FOREACH(change, turn_of(acctserv, key), link)
		if (strcmp(change->key, key) == 0)
			return change;
	return NULL;
}

static bool
is_crowded(const struct change *first)
{
	const struct change *change = first;
	unsigned count = 0;

	for (; change != NULL; change = TAILQ_NEXT(change, link))
		count += strcmp(change->key, first->key) == 0;
	return count > WAITING_MAX;
}

static void
list_enter(struct change *change, struct changes *list)
{
	struct acctserv *acctserv = change->acctserv;

	if (change->in == NULL)
		mc_gauge(acctserv->host, "pending",
		    (int64_t)++acctserv->pending);
	else
		TAILQ_REMOVE(change->in, change, link);
	TAILQ_INSERT_TAIL(list, change, link);
	change->in = list;
}

static void
list_leave(struct change *change)
{
	struct acctserv *acctserv = change->acctserv;

	if (change->in == NULL)
		return;
	TAILQ_REMOVE(change->in, change, link);
	mc_gauge(acctserv->host, "pending", (int64_t)--acctserv->pending);
}

struct change *
change_new(struct acctserv *acctserv, const struct act *act,
    const char *name, const char *display)
{
	struct change *change = mc_zalloc(sizeof(*change));

	change->acctserv = acctserv;
	change->act = act;
	change->request_id = mc_request();
	strcpy(change->name, name);
	strcpy(change->display, display);
	mc_name_skeleton(name, change->key);
	return change;
}

static void
change_free(struct change *change)
{
	struct acctserv *acctserv = change->acctserv;

	list_leave(change);
	if (change->pointer.seq != 0)
		TAILQ_REMOVE(&acctserv->durable, change, durable_link);
	guess_end(acctserv->guard, &change->guess, MC_PENALTY_VOID);
	mc_call_cancel(&change->call);
	mc_timer_clear(&change->timer);
	if (change->document != NULL)
		mc_wipe(change->document, strlen(change->document));
	free(change->document);
	free(change->question);
	mc_wipe(change, sizeof(*change));
	free(change);
}

void
change_end(struct change *change)
{
	struct acctserv *acctserv = change->acctserv;
	char key[MC_NAME_SIZE];
	struct change *next;

	memcpy(key, change->key, sizeof(key));
	change_free(change);
	next = first_of(acctserv, key);
	if (next != NULL && !next->turn)
		change_begin(next);
}

static void
send_away(struct change *change)
{
	change_refuse(change, MC_BUSY, RESULT(TRY_LATER), "nothing was "
	    "changed: other changes of this account are not finished; "
	    "try again later");
}

void
change_send_away_behind(struct change *first)
{
	struct change *change, *next;

	for (change = TAILQ_NEXT(first, link); change != NULL;
	    change = next) {
		next = TAILQ_NEXT(change, link);
		if (strcmp(change->key, first->key) == 0)
			send_away(change);
	}
}

void
change_start(struct change *change)
{
	struct acctserv *acctserv = change->acctserv;
	struct change *first = first_of(acctserv, change->key);

	list_enter(change, turn_of(acctserv, change->key));
	if (acctserv->pending > (size_t)acctserv->conf->max_pending)
		change_refuse(change, MC_BUSY, RESULT(TRY_LATER), "nothing "
		    "was changed: there are too many changes at the moment");
	else if (first == NULL)
		change_begin(change);
	else if (first->uncertain || is_crowded(first))
		send_away(change);
}

static void
start_delayed(void *owner)
{
	change_start(owner);
}

void
change_start_later(struct change *change, unsigned ms)
{
	struct acctserv *acctserv = change->acctserv;

	list_enter(change, &acctserv->delayed);
	mc_timer_set(acctserv->host, &change->timer, ms, start_delayed,
	    change);
}

/* At the end of the process: what is under way may come true or not, and the
 * host has answered those who asked. */
void
changes_forget(struct acctserv *acctserv)
{
	struct change *change;

	while ((change = TAILQ_FIRST(&acctserv->delayed)) != NULL)
		change_free(change);
	for (size_t i = 0; i < BUCKETS; i++)
		while ((change = TAILQ_FIRST(&acctserv->turns[i])) != NULL)
			change_free(change);
}
