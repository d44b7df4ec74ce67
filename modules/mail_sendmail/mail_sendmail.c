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
#include "mail_sendmail.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define PRUNE_MS	3600000

struct conf {
	const char	*command, *from, *from_name, *spool;
	int64_t		 parallel, timeout_ms, spool_max;
	int64_t		 retry_base_ms, retry_max_ms, give_up_ms;
	int64_t		 keep_failed_ms;
};

TAILQ_HEAD(items, item);

struct sender {
	struct mc_host		*host;
	const struct conf	*conf;
	struct items		 ready;		/* wait for their turn */
	struct items		 others;	/* run, or wait for a time */
	struct mc_timer		*prune;
	size_t			 count;		/* in the spool */
	int64_t			 running;
	bool			 stopping;
	char			 from[TCAPW_EMAIL_SIZE];
	char			*words;		/* of the command */
	char			*args[ARGS_MAX];
};

/* One mail in the spool. */
struct item {
	TAILQ_ENTRY(item)	 link;
	struct sender		*sender;
	char			 id[ID_SIZE];
	unsigned		 attempts;
	bool			 runs, timed_out;
	int			 error;		/* it could not be started */
	struct child		 child;
	struct mc_watch		*watch;
	struct mc_timer		*timer;
	char			 why[OUTPUT_MAX + 160];
	bool			 give_up;
};

/* One that is being written. */
struct posting {
	struct sender	*sender;
	struct mc_call	*call;
	char		 id[ID_SIZE];
	bool		 written;
	size_t		 len;
	char		 message[MESSAGE_MAX];
};

static void turn(struct sender *sender);

static void
item_add(struct sender *sender, const char *id)
{
	struct item *item = mc_zalloc(sizeof(*item));

	item->sender = sender;
	strcpy(item->id, id);
	TAILQ_INSERT_TAIL(&sender->ready, item, link);
	mc_gauge(sender->host, "waiting", (int64_t)++sender->count);
}

static void
item_free(struct item *item)
{
	struct sender *sender = item->sender;

	mc_timer_clear(&item->timer);
	mc_watch_clear(&item->watch);
	mc_gauge(sender->host, "waiting", (int64_t)--sender->count);
	free(item);
}

/* The end of one mail. */

/* Loop. */
static void
item_gone(void *job)
{
	struct item *item = job;
	struct sender *sender = item->sender;

	TAILQ_REMOVE(&sender->others, item, link);
	item_free(item);
	turn(sender);
}

/* The instance's thread. */
static void
item_remove(void *job)
{
	struct item *item = job;
	struct sender *sender = item->sender;
	int result;

	mc_crash_point("mail.sent");
	result = item->give_up ?
	    spool_fail(sender->conf->spool, item->id, item->why) :
	    spool_remove(sender->conf->spool, item->id);
	if (result == -1)
		mc_log(sender->host, MC_ERROR, "mail %s cannot be taken out "
		    "of %s: %s", item->id, sender->conf->spool,
		    strerror(errno));
	mc_later(sender->host, item_gone, item);
}

static void
item_ready(void *owner)
{
	struct item *item = owner;
	struct sender *sender = item->sender;

	TAILQ_REMOVE(&sender->others, item, link);
	TAILQ_INSERT_TAIL(&sender->ready, item, link);
	turn(sender);
}

static unsigned
pause_of(const struct item *item)
{
	const struct conf *conf = item->sender->conf;
	int64_t ms = conf->retry_base_ms;

	for (unsigned i = 1; i < item->attempts && ms < conf->retry_max_ms;
	    i++)
		ms *= 2;
	return (unsigned)(ms < conf->retry_max_ms ? ms : conf->retry_max_ms);
}

static void
item_later(struct item *item)
{
	struct sender *sender = item->sender;
	unsigned ms = pause_of(item);

	mc_count(sender->host, "retried", 1);
	mc_log(sender->host, MC_WARN, "mail %s was not taken: %s; again in "
	    "%u s", item->id, item->why, ms / 1000);
	mc_timer_set(sender->host, &item->timer, ms, item_ready, item);
}

static void
item_give_up(struct item *item)
{
	struct sender *sender = item->sender;

	item->give_up = true;
	mc_count(sender->host, "failed", 1);
	mc_log(sender->host, MC_ERROR, "mail %s is given up after %u "
	    "attempt%s: %s (see %s/failed)", item->id, item->attempts,
	    item->attempts == 1 ? "" : "s", item->why, sender->conf->spool);
	mc_work(sender->host, item_remove, item);
}

/* What is wrong with the mail itself, no later attempt will mend. */
static bool
is_hopeless(int status)
{
	return WIFEXITED(status) && (WEXITSTATUS(status) == EX_DATAERR ||
	    WEXITSTATUS(status) == EX_NOUSER ||
	    WEXITSTATUS(status) == EX_NOHOST);
}

static void
item_judge(struct item *item, int status)
{
	struct sender *sender = item->sender;
	int64_t age_ms = (int64_t)(mc_time_ms() - id_time(item->id));

	if (WIFEXITED(status) && WEXITSTATUS(status) == EX_OK) {
		mc_count(sender->host, "sent", 1);
		mc_log(sender->host, MC_NOTE, "mail %s was taken", item->id);
		mc_work(sender->host, item_remove, item);
	} else if (is_hopeless(status) || age_ms >= sender->conf->give_up_ms)
		item_give_up(item);
	else
		item_later(item);
}

static void
why_write(struct item *item, int status, const char *output)
{
	const char *command = item->sender->args[0];
	char what[64];

	if (item->timed_out)
		snprintf(what, sizeof(what), "took too long");
	else if (WIFSIGNALED(status))
		snprintf(what, sizeof(what), "was killed by signal %d",
		    WTERMSIG(status));
	else
		snprintf(what, sizeof(what), "ended with %d",
		    WEXITSTATUS(status));
	snprintf(item->why, sizeof(item->why), "%.60s %s%s%s",
	    strrchr(command, '/') != NULL ? strrchr(command, '/') + 1 :
	    command, what, output[0] != '\0' ? ": " : "", output);
}

static void
run_over(struct item *item)
{
	item->runs = false;
	item->attempts++;
	item->sender->running--;
	mc_gauge(item->sender->host, "running", item->sender->running);
}

static void
child_ended(void *owner, int events)
{
	struct item *item = owner;
	struct sender *sender = item->sender;
	char output[OUTPUT_MAX];
	int status;

	(void)events;
	mc_watch_clear(&item->watch);
	mc_timer_clear(&item->timer);
	status = child_end(&item->child, output);
	run_over(item);
	why_write(item, status, output);
	item_judge(item, status);
	turn(sender);
}

/* Its end is seen like any other. */
static void
child_late(void *owner)
{
	struct item *item = owner;

	item->timed_out = true;
	child_kill(&item->child);
}

/* Loop. */
static void
child_started(void *job)
{
	struct item *item = job;
	struct sender *sender = item->sender;

	if (item->error != 0) {
		run_over(item);
		snprintf(item->why, sizeof(item->why), "%.100s: %s",
		    sender->args[0], strerror(item->error));
		item_judge(item, EX_OSERR << 8);
		turn(sender);
		return;
	}
	mc_watch_set(sender->host, &item->watch, item->child.pidfd, MC_READ,
	    child_ended, item);
	mc_timer_set(sender->host, &item->timer,
	    (unsigned)sender->conf->timeout_ms, child_late, item);
}

/* The instance's thread. */
static void
child_run(void *job)
{
	struct item *item = job;
	struct sender *sender = item->sender;
	int message = spool_open(sender->conf->spool, item->id);

	item->timed_out = false;
	item->error = 0;
	if (message == -1 || child_start(&item->child, sender->args,
	    message) == -1)
		item->error = errno;
	if (message != -1)
		close(message);
	mc_later(sender->host, child_started, item);
}

static void
turn(struct sender *sender)
{
	struct item *item;

	while (!sender->stopping &&
	    sender->running < sender->conf->parallel &&
	    (item = TAILQ_FIRST(&sender->ready)) != NULL) {
		TAILQ_REMOVE(&sender->ready, item, link);
		TAILQ_INSERT_TAIL(&sender->others, item, link);
		item->runs = true;
		mc_gauge(sender->host, "running", ++sender->running);
		mc_work(sender->host, child_run, item);
	}
}

/* A new mail. */

/* Loop. */
static void
posted(void *job)
{
	struct posting *posting = job;
	struct sender *sender = posting->sender;

	sender->count--;			/* was kept free for it */
	if (posting->written) {
		item_add(sender, posting->id);
		mc_call_done(posting->call, MC_OK, NULL, 0);
	} else
		mc_call_done(posting->call, MC_BUSY, NULL, 0);
	mc_wipe(posting, sizeof(*posting));
	free(posting);
	turn(sender);
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
	item_add(arg, id);
}

static void
items_forget(struct items *items)
{
	struct item *item;

	while ((item = TAILQ_FIRST(items)) != NULL) {
		TAILQ_REMOVE(items, item, link);
		if (item->runs && item->watch != NULL)
			child_leave(&item->child);
		item_free(item);
	}
}

static void
fini(void *state)
{
	struct sender *sender = state;

	mc_timer_clear(&sender->prune);
	items_forget(&sender->ready);
	items_forget(&sender->others);
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
	turn(sender);
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
