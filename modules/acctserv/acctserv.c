/* SPDX-License-Identifier: MIT */
/*
 * acctserv - the account server: the only one that makes changes.
 *
 * The queue is the truth.  A change is checked against the store, appended to
 * the queue, and comes back through the follower into the store, as it does
 * on every replica; this one is only never behind.  After a crash the
 * follower replays what the store does not have yet, and until it is level
 * no command is taken.
 *
 * Only the proof of a password ever comes here, and what is kept is the
 * yescrypt verifier of it.
 */
#include "acctserv.h"

#include <string.h>

static void
level(void *owner, const struct tcapw_position *position)
{
	struct acctserv *acctserv = owner;

	acctserv->level = true;
	acctserv->last_uid = position->last_uid;
	acctserv->applied = position->pointer.seq;
	mc_log(acctserv->host, MC_NOTE, "%llu accounts, level with the queue "
	    "at change %llu", (unsigned long long)position->count,
	    (unsigned long long)position->pointer.seq);
}

static void
applied(void *owner, const struct pwq_applied *what)
{
	struct acctserv *acctserv = owner;

	if (acctserv->level)
		changes_applied(acctserv, what->position.pointer.seq);
}

static void
lost(void *owner, enum pwq_lost lost, const char *why)
{
	struct acctserv *acctserv = owner;

	(void)lost;
	mc_fatal(acctserv->host, "%s", why);
}

static const struct pwq_follow_ops follow_ops = {
	.level		= level,
	.applied	= applied,
	.lost		= lost,
};

static const struct mc_command commands[] = {
	{ "account create", "NAME", 1, 1, "Makes an account.",
	  change_create },
	{ "account password", "NAME", 1, 1, "Gives an account a new "
	  "password.", change_password },
	{ "account lock", "NAME", 1, 1, "Keeps an account from logging in.",
	  change_lock },
	{ "account unlock", "NAME", 1, 1, "Lets a locked account log in "
	  "again.", change_unlock },
	{ "account delete", "NAME", 1, 1, "Deletes an account; its uid is "
	  "never used again.", change_delete },
	{ "account show", "NAME", 1, 1, "Shows what is known of an account.",
	  account_show },
	{ "account list", "[PREFIX]", 0, 1, "Lists accounts, all or those "
	  "whose names begin with PREFIX.", account_list },
	{ 0 }
};

static enum mc_status
init(void *state, struct mc_host *host, const void *conf)
{
	struct acctserv *acctserv = state;

	acctserv->host = host;
	acctserv->conf = conf;
	TAILQ_INIT(&acctserv->changes);
	return MC_OK;
}

static enum mc_status
start(void *state)
{
	struct acctserv *acctserv = state;

	acctserv->follow = pwq_follow_new(acctserv->host, &acctserv->tcapw,
	    &acctserv->wmq, &follow_ops, acctserv);
	mc_commands(acctserv->host, commands, acctserv);
	return MC_OK;
}

static enum mc_status
reload(void *state, const void *conf)
{
	struct acctserv *acctserv = state;

	acctserv->conf = conf;
	return MC_OK;
}

static void
fini(void *state)
{
	struct acctserv *acctserv = state;

	changes_forget(acctserv);
	pwq_follow_free(&acctserv->follow);
}

static const struct mc_key keys[] = {
	{ MC_FIELD(struct conf, cost), .type = MC_INT, .fallback = "5",
	  .min = 1, .max = 11,
	  .help = "Cost of the yescrypt verifiers that are made from now on; "
	  "each step doubles the time that checking a password takes." },
	{ 0 }
};

static const struct account_ops account_ops = {
	.renew	= change_renew,
};

static const struct mc_provide provides[] = {
	ACCOUNT_PROVIDE(&account_ops),
	{ 0 }
};

static const struct mc_need needs[] = {
	{ TCAPW_SERVICE, offsetof(struct acctserv, tcapw), false },
	{ WMQ_SERVICE, offsetof(struct acctserv, wmq), false },
	{ 0 }
};

MC_MODULE_NOTE;

const struct mc_module metacube_module = {
	MC_MODULE_ABI,
	.name		= "acctserv",
	.version	= "0.1.0",
	.summary	= "Account server",
	.license	= "MIT",
	.keys		= keys,
	.provides	= provides,
	.needs		= needs,
	.conf_size	= sizeof(struct conf),
	.state_size	= sizeof(struct acctserv),
	.init		= init,
	.start		= start,
	.reload		= reload,
	.fini		= fini,
};
