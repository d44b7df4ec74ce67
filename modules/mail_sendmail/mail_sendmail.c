/* SPDX-License-Identifier: MIT */
/*
 * mail_sendmail - mail through the sendmail interface, which every mail
 * system of a Unix machine offers: /usr/sbin/sendmail -t -i.
 *
 *	send --> spool: written, synced, renamed --> MC_OK
 *	              |
 *	       its turn --> command < ID.mail
 *	              |        |
 *	              |     exit 0: removed    no such user: failed/
 *	              +--- all else: again, after a growing pause
 *
 * What was answered with MC_OK is on disk until the mail system has said that
 * it has it.  A process that is killed in between sends it again: at least
 * once, not exactly once.  The command runs beside everything else; nobody
 * waits for it.
 */
#include "sender.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PRUNE_MS	3600000

/* One that is being written. */
struct posting {
	struct sender	*sender;
	struct mc_call	*call;
	char		 id[ID_SIZE];
	bool		 written;
	size_t		 len;
	char		 message[MESSAGE_MAX];
};

/* A new mail. */

/* Loop. */
static void
posted(void *job)
{
	struct posting *posting = job;
	struct sender *sender = posting->sender;

	sender->count--;			/* was kept free for it */
	if (posting->written) {
		delivery_add(sender, posting->id);
		mc_call_done(posting->call, MC_OK, NULL, 0);
	} else
		mc_call_done(posting->call, MC_BUSY, NULL, 0);
	mc_wipe(posting, sizeof(*posting));
	free(posting);
	delivery_turn(sender);
}

static void
posting_fail(struct posting *posting)
{
	struct sender *sender = posting->sender;

	posting->written = false;
	mc_count(sender->host, "refused", 1);
	mc_log(sender->host, MC_ERROR, "a mail cannot be written to %s: %s",
	    sender->conf->spool, strerror(errno));
	spool_drop(sender->conf->spool, posting->id);
}

/* The instance's thread: each file is synced, the folder once for all. */
static void
post(void **jobs, size_t count)
{
	struct posting **postings = (struct posting **)jobs;
	struct sender *sender = postings[0]->sender;
	const char *spool = sender->conf->spool;
	bool synced;

	for (size_t i = 0; i < count; i++) {
		struct posting *posting = postings[i];

		posting->written = spool_write(spool, posting->id,
		    posting->message, posting->len) == 0 &&
		    spool_publish(spool, posting->id) == 0;
		if (!posting->written)
			posting_fail(posting);
	}
	mc_crash_point("mail.renamed");
	synced = spool_sync(spool) == 0;
	mc_crash_point("mail.synced");
	for (size_t i = 0; i < count; i++) {
		if (postings[i]->written && !synced)
			posting_fail(postings[i]);
		mc_later(sender->host, posted, postings[i]);
	}
}

static bool
mail_valid(const struct mail *mail)
{
	return memchr(mail->to, '\0', sizeof(mail->to)) != NULL &&
	    memchr(mail->subject, '\0', sizeof(mail->subject)) != NULL &&
	    memchr(mail->text, '\0', sizeof(mail->text)) != NULL &&
	    mc_email_fault(mail->to) == NULL &&
	    mc_text_valid(mail->subject, sizeof(mail->subject) - 1);
}

static void
id_make(char id[ID_SIZE])
{
	uint64_t random;

	mc_random(&random, sizeof(random));
	snprintf(id, ID_SIZE, "%llu-%016llx", (unsigned long long)mc_time_ms(),
	    (unsigned long long)random);
}

static void
send(void *state, const struct mail *mail, struct mc_call *call)
{
	struct sender *sender = state;
	struct envelope envelope = { .from = sender->from };
	struct posting *posting;

	if (!mail_valid(mail) || sender->stopping ||
	    sender->count >= (size_t)sender->conf->spool_max) {
		mc_call_done(call, !mail_valid(mail) ? MC_INVALID : MC_BUSY,
		    NULL, 0);
		return;
	}
	sender->count++;
	posting = mc_zalloc(sizeof(*posting));
	posting->sender = sender;
	posting->call = call;
	id_make(posting->id);
	envelope.id = posting->id;
	envelope.from_name = sender->conf->from_name;
	envelope.time_ms = mc_time_ms();
	posting->len = message_write(mail, &envelope, posting->message);
	mc_work_batch(sender->host, post, posting);
}

/* What was given up, long ago. */

static void prune_start(void *owner);

/* Loop. */
static void
pruned(void *job)
{
	struct sender *sender = job;

	if (!sender->stopping)
		mc_timer_set(sender->host, &sender->prune, PRUNE_MS,
		    prune_start, sender);
}

/* The instance's thread. */
static void
prune(void *job)
{
	struct sender *sender = job;
	const struct conf *conf = sender->conf;
	uint64_t now_ms = mc_time_ms(), keep_ms =
	    (uint64_t)conf->keep_failed_ms;
	size_t gone;

	if (spool_prune(conf->spool, now_ms > keep_ms ? now_ms - keep_ms : 0,
	    &gone) == -1)
		mc_log(sender->host, MC_ERROR, "%s/failed cannot be cleared: "
		    "%s", conf->spool, strerror(errno));
	if (gone > 0)
		mc_log(sender->host, MC_NOTE, "%zu mails in %s/failed were "
		    "older than keep_failed and are removed", gone,
		    conf->spool);
	mc_later(sender->host, pruned, sender);
}

static void
prune_start(void *owner)
{
	struct sender *sender = owner;

	mc_work(sender->host, prune, sender);
}

/* Life. */

static enum mc_status
from_choose(struct sender *sender, const struct conf *conf)
{
	char host[200] = "localhost";
	const char *fault;

	if (conf->from[0] == '\0') {
		gethostname(host, sizeof(host) - 1);
		snprintf(sender->from, sizeof(sender->from), "metacube@%s",
		    host);
	} else
		snprintf(sender->from, sizeof(sender->from), "%s",
		    conf->from);
	fault = mc_email_fault(sender->from);
	return fault == NULL ? MC_OK : mc_fail(sender->host, MC_INVALID,
	    "from: the e-mail address %s %s", sender->from, fault);
}

/* The words of the command, and -f with the sender. */
static enum mc_status
args_make(struct sender *sender, const struct conf *conf)
{
	size_t count = 0;
	char *rest = NULL;

	free(sender->words);
	sender->words = mc_zalloc(strlen(conf->command) + 1);
	strcpy(sender->words, conf->command);
	for (char *word = strtok_r(sender->words, " ", &rest); word != NULL;
	    word = strtok_r(NULL, " ", &rest)) {
		if (count == ARGS_MAX - 3)
			return mc_fail(sender->host, MC_INVALID,
			    "command: more than %d words", ARGS_MAX - 3);
		sender->args[count++] = word;
	}
	if (count == 0 || sender->args[0][0] != '/')
		return mc_fail(sender->host, MC_INVALID,
		    "command: an absolute path is expected first");
	sender->args[count++] = (char *)"-f";
	sender->args[count++] = sender->from;
	sender->args[count] = NULL;
	return MC_OK;
}

static void
found(void *arg, const char *id)
{
	delivery_add(arg, id);
}

static void
fini(void *state)
{
	struct sender *sender = state;

	mc_timer_clear(&sender->prune);
	delivery_forget(sender);
	free(sender->words);
	sender->words = NULL;
}

static enum mc_status
init(void *state, struct mc_host *host, const void *given)
{
	struct sender *sender = state;
	const struct conf *conf = given;
	enum mc_status status;

	sender->host = host;
	sender->conf = conf;
	TAILQ_INIT(&sender->ready);
	TAILQ_INIT(&sender->others);
	status = from_choose(sender, conf);
	if (status == MC_OK)
		status = args_make(sender, conf);
	if (status == MC_OK && (spool_prepare(conf->spool) == -1 ||
	    spool_list(conf->spool, found, sender) == -1))
		status = mc_fail(host, MC_UNAVAILABLE, "spool: %s: %s",
		    conf->spool, strerror(errno));
	if (status != MC_OK)
		fini(sender);
	else if (sender->count > 0)
		mc_log(host, MC_NOTE, "%zu mails wait in %s", sender->count,
		    conf->spool);
	return status;
}

static enum mc_status
start(void *state)
{
	struct sender *sender = state;

	if (sender->conf->keep_failed_ms > 0)
		prune_start(sender);
	delivery_turn(sender);
	return MC_OK;
}

static void
stop(void *state)
{
	struct sender *sender = state;

	sender->stopping = true;
}

static const struct mc_key keys[] = {
	{ MC_FIELD(struct conf, command), .type = MC_STRING,
	  .fallback = "/usr/sbin/sendmail -t -i", .min = 2,
	  .help = "Program that takes a message on its standard input, and its "
	  "arguments, separated by spaces; -f and the sender are added." },
	{ MC_FIELD(struct conf, from), .type = MC_STRING, .fallback = "",
	  .min = 0, .max = 254,
	  .help = "Sender's address; empty: metacube at this machine's "
	  "name." },
	{ MC_FIELD(struct conf, from_name), .type = MC_STRING,
	  .fallback = "MetaCube", .min = 0, .max = 60,
	  .help = "Sender's name." },
	{ MC_FIELD(struct conf, spool), .type = MC_PATH,
	  .fallback = STATE_DIR "/mail",
	  .help = "Folder in which mails wait; it is made if it is not "
	  "there." },
	{ MC_FIELD(struct conf, spool_max), .type = MC_INT,
	  .fallback = "10000", .min = 1, .max = 1000000,
	  .help = "Mails that may wait; further ones are refused." },
	{ MC_FIELD(struct conf, parallel), .type = MC_INT, .fallback = "4",
	  .min = 1, .max = 64,
	  .help = "Commands that run at the same time." },
	{ MC_FIELD_AS("timeout", struct conf, timeout_ms),
	  .type = MC_DURATION, .fallback = "2m", .min = 100,
	  .max = 3600000,
	  .help = "A command that takes longer is killed, and the mail is "
	  "tried again." },
	{ MC_FIELD_AS("retry_base", struct conf, retry_base_ms),
	  .type = MC_DURATION, .fallback = "1m", .min = 10, .max = 3600000,
	  .help = "Pause after a first failure; each further one doubles "
	  "it." },
	{ MC_FIELD_AS("retry_max", struct conf, retry_max_ms),
	  .type = MC_DURATION, .fallback = "1h", .min = 10,
	  .max = 86400000,
	  .help = "The longest pause." },
	{ MC_FIELD_AS("give_up", struct conf, give_up_ms),
	  .type = MC_DURATION, .fallback = "2d", .min = 0,
	  .max = 2592000000,
	  .help = "A mail that is so old is not tried again." },
	{ MC_FIELD_AS("keep_failed", struct conf, keep_failed_ms),
	  .type = MC_DURATION, .fallback = "30d", .min = 0,
	  .max = 315360000000,
	  .help = "How long the headers of mails that were given up are kept, "
	  "with their addresses; 0: for ever." },
	{ 0 }
};

static const struct mail_ops ops = {
	.send	= send,
};

static const struct mc_provide provides[] = {
	MAIL_PROVIDE(&ops),
	{ 0 }
};

MC_MODULE_NOTE;

const struct mc_module metacube_module = {
	MC_MODULE_ABI,
	.name		= "mail_sendmail",
	.version	= "0.1.0",
	.summary	= "Mail through the sendmail interface",
	.license	= "MIT",
	.keys		= keys,
	.provides	= provides,
	.conf_size	= sizeof(struct conf),
	.state_size	= sizeof(struct sender),
	.init		= init,
	.start		= start,
	.stop		= stop,
	.fini		= fini,
};
