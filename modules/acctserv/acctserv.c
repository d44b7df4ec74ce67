/* SPDX-License-Identifier: MIT */
/*
 * acctserv - the account server: the only one that makes changes.
 *
 * The queue is the truth.  A change is checked against the store, appended to
 * the queue, and comes back through the follower into the store, as it does
 * on every replica; this one is only never behind.  After a crash the
 * follower replays what the store does not have yet, and until it is level
 * no change is taken.
 *
 * Only the proof of a password ever comes here, and what is kept is the
 * yescrypt verifier of it.
 */
#include "change.h"

#include <metacube/freeze.h>

#include <string.h>

static void
level(void *owner, const struct tcapw_position *position)
{
	struct acctserv *acctserv = owner;

	acctserv->level = true;
	acctserv->last_uid = position->last_uid;
	acctserv->applied = position->pointer;
	pwq_board_found(acctserv->board, &position->pointer);
	mc_log(acctserv->host, MC_NOTE, "%llu accounts, level with the queue "
	    "at change %llu", (unsigned long long)position->count,
	    (unsigned long long)position->pointer.seq);
	names_gather(acctserv);
}

/* Which names came and went; when that is not known, all are gathered. */
static void
names_follow(struct acctserv *acctserv, const struct pwq_applied *what)
{
	if (!acctserv->conf->look_alikes)
		return;
	if (!acctserv->ready || what->verb == 0)
		names_gather(acctserv);
	else if (what->verb == TCAPW_CREATE)
		names_add(acctserv->names, what->name);
	else if (what->verb == TCAPW_DELETE)
		names_remove(acctserv->names, what->name);
}

static void
applied(void *owner, const struct pwq_applied *what)
{
	struct acctserv *acctserv = owner;

	pwq_board_applied(acctserv->board, what);
	if (!acctserv->level)
		return;
	if (what->position.last_uid > acctserv->last_uid)
		acctserv->last_uid = what->position.last_uid;
	names_follow(acctserv, what);
	changes_applied(acctserv, &what->position.pointer);
}

static void	thawed(void *owner, const struct mc_reply *);

/* A store that was lost, when the queue was pruned, or one from before a
 * backup was restored, is made anew from the freeze. */
static void
lost(void *owner, enum pwq_lost lost, const char *why)
{
	struct acctserv *acctserv = owner;

	if ((lost != PWQ_LOST_GONE && lost != PWQ_LOST_EPOCH) ||
	    acctserv->level || acctserv->thawed || acctserv->freeze.ops == NULL)
		mc_fatal(acctserv->host, "%s", why);
	mc_log(acctserv->host, MC_WARN, "%s", why);
	acctserv->thawed = true;
	freeze_thaw(&acctserv->freeze, &acctserv->thaw, thawed, acctserv);
}

static const struct pwq_follow_ops follow_ops = {
	.level		= level,
	.applied	= applied,
	.lost		= lost,
};

void
follow_start(struct acctserv *acctserv)
{
	acctserv->follow = pwq_follow_new(acctserv->host, &acctserv->tcapw,
	    &acctserv->wmq, &follow_ops, acctserv);
}

static void
thawed(void *owner, const struct mc_reply *reply)
{
	struct acctserv *acctserv = owner;

	pwq_follow_free(&acctserv->follow);
	if (acctserv->stopping)
		return;
	if (reply->status != MC_OK)
		mc_fatal(acctserv->host, "the store cannot be made from a "
		    "freeze: %s", mc_status_text(reply->status));
	follow_start(acctserv);
}

static bool
delays_fit(struct mc_host *host, const struct conf *conf)
{
	if (conf->account.max_ms >= conf->account.base_ms &&
	    conf->account.forget_ms >= conf->account.max_ms)
		return true;
	mc_fail(host, MC_INVALID, "delay_base, delay_max and delay_forget "
	    "must not become smaller in this order");
	return false;
}

static enum mc_status
conf_check(struct mc_host *host, const struct conf *conf,
    char dummy[TCAPW_VERIFIER_SIZE])
{
	if (!delays_fit(host, conf))
		return MC_INVALID;
	if (verifier_dummy(conf->cost, dummy) == -1)
		return mc_fail(host, MC_INVALID,
		    "crypt(3) has no yescrypt of cost %d", (int)conf->cost);
	return MC_OK;
}

static enum mc_status
init(void *state, struct mc_host *host, const void *conf)
{
	struct acctserv *acctserv = state;
	enum mc_status status = conf_check(host, conf, acctserv->dummy);

	if (status != MC_OK)
		return status;
	acctserv->host = host;
	acctserv->conf = conf;
	acctserv->board = pwq_board_new(host);
	TAILQ_INIT(&acctserv->delayed);
	TAILQ_INIT(&acctserv->durable);
	for (size_t i = 0; i < BUCKETS; i++)
		TAILQ_INIT(&acctserv->turns[i]);
	status = audit_open(acctserv);
	if (status == MC_OK)
		acctserv->guard = guard_new(acctserv->conf);
	else
		pwq_board_free(&acctserv->board);
	return status;
}

static enum mc_status
start(void *state)
{
	struct acctserv *acctserv = state;

	audit_start(acctserv);
	commands_add(acctserv);
	return listeners_start(acctserv);
}

static enum mc_status
reload(void *state, const void *given)
{
	struct acctserv *acctserv = state;
	const struct conf *conf = given;
	char dummy[TCAPW_VERIFIER_SIZE] = "";
	enum mc_status status = conf_check(acctserv->host, conf, dummy);

	if (status == MC_OK &&
	    (strcmp(conf->audit, acctserv->conf->audit) != 0 ||
	    conf->penalties_max != acctserv->conf->penalties_max ||
	    conf->look_alikes != acctserv->conf->look_alikes))
		return mc_fail(acctserv->host, MC_INVALID, "audit, "
		    "penalties and look_alikes change only with a restart");
	if (status == MC_OK)
		status = listeners_reload(acctserv, conf);
	if (status != MC_OK)
		return status;
	memcpy(acctserv->dummy, dummy, sizeof(dummy));
	acctserv->conf = conf;
	guard_reload(acctserv->guard, conf);
	return MC_OK;
}

static void
stop(void *state)
{
	struct acctserv *acctserv = state;

	acctserv->stopping = true;
	listeners_stop(acctserv);
	pwq_board_close(acctserv->board);
}

static void
fini(void *state)
{
	struct acctserv *acctserv = state;

	changes_forget(acctserv);
	names_forget(acctserv);
	pwq_follow_free(&acctserv->follow);
	audit_close(acctserv);
	names_free(&acctserv->names);
	guard_free(&acctserv->guard);
	pwq_board_free(&acctserv->board);
	listeners_free(acctserv);
}

static const struct mc_key keys[] = {
	{ MC_FIELD_AS("listen", struct conf, listen.endpoint),
	  .type = MC_LISTEN, .fallback = "[::]:7747", .min = -1,
	  .help = "Where gateways and worlds ask for changes; empty: "
	  "nowhere." },
	{ MC_FIELD(struct conf, listen_unix), .type = MC_LISTEN,
	  .fallback = "unix:" RUN_DIR "/acctserv.sock", .min = -1,
	  .help = "Socket on which the web front asks; empty: none." },
	{ MC_FIELD(struct conf, unix_group), .type = MC_STRING,
	  .fallback = "",
	  .help = "Group of the socket (the web server's); empty: that of "
	  "the server's user, who must be in the other one." },
	{ MC_FIELD(struct conf, unix_access), .type = MC_CHOICE,
	  .fallback = "group", .choices = "owner|group|all",
	  .help = "Who may connect to the socket." },
	MC_LISTEN_LIMITS(struct conf, listen, "10m", "1MiB"),
	{ MC_FIELD(struct conf, max_pending), .type = MC_INT,
	  .fallback = "10000", .min = 1, .max = 1000000,
	  .help = "Changes that may be under way at the same time." },
	{ MC_FIELD(struct conf, cost), .type = MC_INT, .fallback = "5",
	  .min = 1, .max = 11,
	  .help = "Cost of the yescrypt verifiers that are made from now on; "
	  "each step doubles the time that checking a password takes." },
	{ MC_FIELD(struct conf, site_name), .type = MC_STRING,
	  .fallback = "MetaCube", .min = 1, .max = 60,
	  .help = "What the network is called in mails." },
	{ MC_FIELD(struct conf, link), .type = MC_STRING, .fallback = "",
	  .help = "Link in mails, in which {page} becomes activate, validate "
	  "or reset, {name} the account and {code} the code; empty: mails "
	  "have only the code." },
	{ MC_FIELD_AS("code_lifetime", struct conf, code_ms),
	  .type = MC_DURATION, .fallback = "7d", .min = 1000,
	  .max = 2592000000,
	  .help = "How long a mailed code activates an account or validates "
	  "an address." },
	{ MC_FIELD_AS("reset_lifetime", struct conf, reset_ms),
	  .type = MC_DURATION, .fallback = "30m", .min = 1000,
	  .max = 86400000,
	  .help = "How long a mailed code is good for a new password." },
	{ MC_FIELD(struct conf, account_mails), .type = MC_INT,
	  .fallback = "5", .min = 1, .max = 1000000,
	  .help = "Mails for one account within mail_interval." },
	{ MC_FIELD(struct conf, address_mails), .type = MC_INT,
	  .fallback = "20", .min = 1, .max = 1000000,
	  .help = "Mails asked for from one address within "
	  "mail_interval." },
	{ MC_FIELD_AS("mail_interval", struct conf, mails_ms),
	  .type = MC_DURATION, .fallback = "1h", .min = 1000,
	  .max = 86400000,
	  .help = "See account_mails and address_mails." },
	{ MC_FIELD_AS("account_free", struct conf, account.free),
	  .type = MC_INT, .fallback = "3", .min = 0, .max = 1000,
	  .help = "Wrong passwords for one account before there are "
	  "delays." },
	{ MC_FIELD(struct conf, address_free),
	  .type = MC_INT, .fallback = "20", .min = 0, .max = 1000000,
	  .help = "Wrong passwords or codes from one address before there "
	  "are delays." },
	{ MC_FIELD(struct conf, peer_free),
	  .type = MC_INT, .fallback = "1000", .min = 1, .max = 1000000,
	  .help = "Wrong passwords or codes through one gateway or world, "
	  "and mails within mail_interval, before all that come through it "
	  "wait: delay_base after each further one, or mail_interval / "
	  "peer_free." },
	{ MC_FIELD_AS("delay_base", struct conf, account.base_ms),
	  .type = MC_DURATION, .fallback = "1s", .min = 1, .max = 3600000,
	  .help = "The first delay; each further failure doubles it." },
	{ MC_FIELD_AS("delay_max", struct conf, account.max_ms),
	  .type = MC_DURATION, .fallback = "5m", .min = 1, .max = 86400000,
	  .help = "The longest delay." },
	{ MC_FIELD_AS("delay_forget", struct conf, account.forget_ms),
	  .type = MC_DURATION, .fallback = "15m", .min = 1, .max = 86400000,
	  .help = "Failures are forgotten when the last one is so old." },
	{ MC_FIELD(struct conf, ipv6_prefix), .type = MC_INT,
	  .fallback = "64", .min = 16, .max = 128,
	  .help = "Bits of an IPv6 address that count as one place." },
	{ MC_FIELD_AS("penalties", struct conf, penalties_max),
	  .type = MC_INT, .fallback = "65536", .min = 16, .max = 16777216,
	  .help = "Accounts, and addresses, whose failures and mails are "
	  "remembered." },
	{ MC_FIELD(struct conf, reserved), .type = MC_STRING,
	  .fallback = "admin administrator root system operator moderator "
	  "support security abuse postmaster hostmaster webmaster info help "
	  "staff team metacube",
	  .help = "Names, and what looks like them, that only metacubectl "
	  "may create." },
	{ MC_FIELD(struct conf, look_alikes), .type = MC_BOOL,
	  .fallback = "true",
	  .help = "Refuses new names that look like one that exists; a "
	  "million names take 16 MiB of memory." },
	{ MC_FIELD(struct conf, audit), .type = MC_PATH,
	  .fallback = STATE_DIR "/audit",
	  .help = "Folder of the audit log; it is made if it is not "
	  "there." },
	{ MC_FIELD_AS("audit_keep", struct conf, audit_keep_ms),
	  .type = MC_DURATION, .fallback = "0s", .min = 0,
	  .max = 315360000000,
	  .help = "Files of the audit log are removed when all in them is "
	  "older; 0: never." },
	{ 0 }
};

static const struct account_ops account_ops = {
	.renew		= request_renew,
	.request	= request_call,
};

/* Service "replica": of the store that is never behind. */

static void
reached(void *state, const struct wmq_pointer *pointer, struct mc_call *call)
{
	struct acctserv *acctserv = state;

	pwq_board_reached(acctserv->board, pointer, call);
}

static void
news(void *state, uint64_t after, unsigned wait_ms, struct mc_call *call)
{
	struct acctserv *acctserv = state;

	pwq_board_news(acctserv->board, after, wait_ms, call);
}

static const struct replica_ops replica_ops = {
	.reached	= reached,
	.news		= news,
};

static const struct mc_provide provides[] = {
	ACCOUNT_PROVIDE(&account_ops),
	REPLICA_PROVIDE(&replica_ops),
	{ 0 }
};

static const struct mc_need needs[] = {
	{ TCAPW_SERVICE, offsetof(struct acctserv, tcapw), false },
	{ WMQ_SERVICE, offsetof(struct acctserv, wmq), false },
	{ MAIL_SERVICE, offsetof(struct acctserv, mail), true },
	{ FREEZE_SERVICE, offsetof(struct acctserv, freeze), true },
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
	.stop		= stop,
	.fini		= fini,
};
