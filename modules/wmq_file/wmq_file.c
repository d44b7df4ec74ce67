/* SPDX-License-Identifier: MIT */
/*
 * wmq_file - the message queue in files.
 *
 * The queue itself (queue.h) belongs to the instance's own thread; the loop
 * knows only how far it is durable (shown.h).  Appends that arrive while one
 * fdatasync runs share the next.  Nobody is told of a record, neither who
 * appended it nor a reader, before the loop has heard that it is durable.
 */
#include "wmq_file.h"

#include <metacube/host.h>

#include <stdlib.h>

#define COMMIT_MAX	(1024 * 1024)	/* about so many bytes at a time */

struct append {
	struct wmq	*wmq;
	struct mc_call	*call;
	struct append	*next;		/* committed together */
	enum mc_status	 status;
	uint64_t	 seq;
	/* the first one's, of all that are committed together: */
	uint64_t	 last, end;	/* their last number, their file's end */
	struct queue_view *view;	/* a file was begun; or NULL */
	char		 tag[4];
	uint32_t	 len;
	uint8_t		 data[];
};

struct reader {
	TAILQ_ENTRY(reader)	 link;
	struct wmq		*wmq;
	struct mc_call		*call;
	struct mc_timer		*timer;
	uint64_t		 after;
	size_t			 max;
};

static const struct wmq_position *
shown(const struct wmq *wmq)
{
	return queue_shown_position(wmq->shown);
}

/* Instance's thread: one batch of records out of the files. */
static void
reader_fetch(void *job)
{
	struct reader *reader = job;
	struct wmq *wmq = reader->wmq;
	size_t size = WMQ_BATCH_MAX, len;
	void *batch = mc_zalloc(size);
	enum queue_result result = queue_read(wmq->queue, reader->after,
	    reader->max, batch, size, &len);

	if (result == QUEUE_OK)
		mc_call_done(reader->call, MC_OK, batch, len);
	else if (result == QUEUE_GONE)
		mc_call_done(reader->call, MC_NOT_FOUND, NULL, 0);
	else
		mc_call_done(reader->call, mc_fail(wmq->host, MC_UNAVAILABLE,
		    "%s", queue_why(wmq->queue)), NULL, 0);
	mc_wipe(batch, len);
	free(batch);
	free(reader);
}

static void
reader_end(struct reader *reader)
{
	mc_call_done(reader->call, MC_OK, NULL, 0);
	free(reader);
}

static void
reader_waited(void *owner)
{
	struct reader *reader = owner;

	TAILQ_REMOVE(&reader->wmq->waiting, reader, link);
	reader_end(reader);
}

static void
readers_wake(struct wmq *wmq)
{
	struct reader *reader, *next;

	for (reader = TAILQ_FIRST(&wmq->waiting); reader != NULL;
	    reader = next) {
		next = TAILQ_NEXT(reader, link);
		if (reader->after >= shown(wmq)->durable && !wmq->stopping)
			continue;
		TAILQ_REMOVE(&wmq->waiting, reader, link);
		mc_timer_clear(&reader->timer);
		if (reader->after < shown(wmq)->durable)
			mc_work(wmq->host, reader_fetch, reader);
		else
			reader_end(reader);
	}
}

static enum mc_status
pointer_check(const struct wmq *wmq, const struct wmq_pointer *after)
{
	const struct wmq_position *at = shown(wmq);

	if (memcmp(after->epoch, at->epoch, sizeof(after->epoch)) != 0 ||
	    after->seq > at->durable)
		return MC_INVALID;
	if (after->seq + 1 < at->oldest)
		return MC_NOT_FOUND;
	return MC_OK;
}

static void
read_after(void *state, const struct wmq_pointer *after, size_t max,
    unsigned wait_ms, struct mc_call *call)
{
	struct wmq *wmq = state;
	enum mc_status status = pointer_check(wmq, after);
	struct reader *reader;

	if (status != MC_OK) {
		mc_call_done(call, status, NULL, 0);
		return;
	}
	reader = mc_zalloc(sizeof(*reader));
	reader->wmq = wmq;
	reader->call = call;
	reader->after = after->seq;
	reader->max = max;
	if (after->seq < shown(wmq)->durable)
		mc_work(wmq->host, reader_fetch, reader);
	else if (wait_ms == 0 || wmq->stopping)
		reader_end(reader);
	else {
		TAILQ_INSERT_TAIL(&wmq->waiting, reader, link);
		mc_timer_set(wmq->host, &reader->timer,
		    wait_ms < WMQ_WAIT_MAX_MS ? wait_ms : WMQ_WAIT_MAX_MS,
		    reader_waited, reader);
	}
}

static void
append_answer(struct append *append)
{
	struct wmq_pointer pointer;

	memcpy(pointer.epoch, shown(append->wmq)->epoch,
	    sizeof(pointer.epoch));
	pointer.seq = append->seq;
	if (append->status == MC_OK)
		mc_call_done(append->call, MC_OK, &pointer, sizeof(pointer));
	else
		mc_call_done(append->call, append->status, NULL, 0);
	mc_wipe(append, sizeof(*append) + append->len);
	free(append);
}

/* What this commit has changed is shown from now on. */
static void
commit_show(struct wmq *wmq, const struct append *first)
{
	if (first->view != NULL)
		queue_shown_set(wmq->shown, first->view);
	else if (first->status == MC_OK)
		queue_shown_grow(wmq->shown, first->last, first->end);
	mc_gauge(wmq->host, "durable", (int64_t)shown(wmq)->durable);
}

/* Loop: the records of these appends are durable. */
static void
committed(void *job)
{
	struct append *append = job, *next;
	struct wmq *wmq = append->wmq;

	commit_show(wmq, append);
	for (; append != NULL; append = next) {
		next = append->next;
		append_answer(append);
	}
	readers_wake(wmq);
}

static enum mc_status
commit_judge(struct wmq *wmq, enum queue_result result, size_t count)
{
	if (result == QUEUE_OK) {
		mc_count(wmq->host, "commits", 1);
		mc_count(wmq->host, "records", (int64_t)count);
		if (wmq->full)
			mc_log(wmq->host, MC_NOTE, "there is space again");
		wmq->full = false;
		return MC_OK;
	}
	if (result != QUEUE_FULL)
		mc_fatal(wmq->host, "%s", queue_why(wmq->queue));
	mc_count(wmq->host, "disk_full", (int64_t)count);
	if (!wmq->full)
		mc_log(wmq->host, MC_ERROR, "%s; nothing is appended until "
		    "there is space", queue_why(wmq->queue));
	wmq->full = true;
	return MC_BUSY;
}

/* Instance's thread: for the loop, if the last file is one that it does not
 * know. */
static struct queue_view *
view_if_new(struct wmq *wmq)
{
	if (queue_begun(wmq->queue) == wmq->begun)
		return NULL;
	wmq->begun = queue_begun(wmq->queue);
	return queue_view(wmq->queue);
}

/* One commit: as many of the jobs as may be written at once. */
static size_t
commit_some(struct append **appends, size_t count)
{
	struct wmq *wmq = appends[0]->wmq;
	struct queue_entry entries[MC_BATCH_MAX];
	enum mc_status status;
	uint64_t first;
	size_t n, bytes = 0;

	for (n = 0; n < count && bytes < COMMIT_MAX; n++) {
		entries[n].tag = appends[n]->tag;
		entries[n].data = appends[n]->data;
		entries[n].len = appends[n]->len;
		bytes += appends[n]->len;
	}
	status = commit_judge(wmq, queue_commit(wmq->queue, entries, n,
	    mc_time_ms(), &first), n);
	for (size_t i = 0; i < n; i++) {
		appends[i]->status = status;
		appends[i]->seq = first + i;
		appends[i]->next = i + 1 < n ? appends[i + 1] : NULL;
	}
	appends[0]->last = first + n - 1;
	appends[0]->end = queue_end(wmq->queue);
	appends[0]->view = view_if_new(wmq);
	mc_later(wmq->host, committed, appends[0]);
	return n;
}

/* Instance's thread. */
static void
commit(void **jobs, size_t count)
{
	for (size_t done = 0; done < count;)
		done += commit_some((struct append **)jobs + done,
		    count - done);
}

static void
append(void *state, const char *tag, const void *data, size_t len,
    struct mc_call *call)
{
	struct wmq *wmq = state;
	struct append *append;

	if (strlen(tag) >= sizeof(append->tag) || len > WMQ_DATA_MAX) {
		mc_call_done(call, MC_INVALID, NULL, 0);
		return;
	}
	append = mc_zalloc(sizeof(*append) + len);
	append->wmq = wmq;
	append->call = call;
	append->len = (uint32_t)len;
	strcpy(append->tag, tag);
	if (len > 0)
		memcpy(append->data, data, len);
	mc_work_batch(wmq->host, commit, append);
}

static void
position(void *state, struct mc_call *call)
{
	struct wmq *wmq = state;

	mc_call_done(call, MC_OK, shown(wmq), sizeof(*shown(wmq)));
}

static void
news_log(struct wmq *wmq, const struct queue_news *news)
{
	if (news->created)
		mc_log(wmq->host, MC_NOTE, "%s: a new queue, with a new epoch",
		    wmq->conf->path);
	if (news->cut_bytes == 0)
		return;
	mc_count(wmq->host, "torn_tails", 1);
	mc_log(wmq->host, MC_WARN, "%s/%s: cut off a commit that was not "
	    "complete and had not been acknowledged, from byte %llu on",
	    wmq->conf->path, news->cut_file,
	    (unsigned long long)news->cut_at);
}

static void
tag_choose(struct wmq *wmq, char tag[8])
{
	const char *name = wmq->conf->server_tag;

	if (name[0] == '\0')
		name = mc_host_identity(wmq->host);
	if (name[0] == '\0')
		name = mc_host_name(wmq->host);
	memcpy(tag, name, strnlen(name, 8));
}

static enum mc_status
init(void *state, struct mc_host *host, const void *conf)
{
	struct wmq *wmq = state;
	struct queue_conf queue_conf = { .io = &queue_io_real };
	struct queue_news news;
	char why[QUEUE_WHY];

	wmq->host = host;
	wmq->conf = conf;
	TAILQ_INIT(&wmq->waiting);
	queue_conf.path = wmq->conf->path;
	queue_conf.segment_size = (uint64_t)wmq->conf->segment_size;
	tag_choose(wmq, queue_conf.server);
	mc_random(queue_conf.epoch, sizeof(queue_conf.epoch));
	wmq->queue = queue_open(&queue_conf, mc_time_ms(), &news, why);
	if (wmq->queue == NULL)
		return mc_fail(host, MC_UNAVAILABLE, "%s", why);
	wmq->shown = queue_shown_new(host, wmq->conf->path,
	    view_if_new(wmq));
	mc_gauge(host, "durable", (int64_t)shown(wmq)->durable);
	news_log(wmq, &news);
	return MC_OK;
}

static void
stop(void *state)
{
	struct wmq *wmq = state;

	wmq->stopping = true;
	readers_wake(wmq);
	queue_shown_stop(wmq->shown);
}

static void
fini(void *state)
{
	struct wmq *wmq = state;

	queue_close(&wmq->queue);
	queue_shown_free(&wmq->shown);
}

static const struct mc_key keys[] = {
	{ MC_FIELD(struct conf, path), .type = MC_PATH,
	  .fallback = STATE_DIR "/queue",
	  .help = "Folder of the queue's files; it is made if it is not "
	  "there." },
	{ MC_FIELD(struct conf, segment_size), .type = MC_SIZE,
	  .fallback = "64MiB", .min = 4096, .max = 1073741824,
	  .help = "A file that would grow beyond this is finished and the "
	  "next one begun; so is the file of the day before." },
	{ MC_FIELD(struct conf, server_tag), .type = MC_STRING,
	  .fallback = "", .min = 0, .max = 8,
	  .help = "Stands in each record, to say who wrote it; empty: the "
	  "name in the process's certificate, or else the instance's." },
	{ 0 }
};

static const struct wmq_ops ops = {
	.append		= append,
	.read		= read_after,
	.position	= position,
};

static const struct mc_provide provides[] = {
	WMQ_PROVIDE(&ops),
	WMQFILE_PROVIDE(&files_ops),
	{ 0 }
};

MC_MODULE_NOTE;

const struct mc_module metacube_module = {
	MC_MODULE_ABI,
	.name		= "wmq_file",
	.version	= "0.1.0",
	.summary	= "Message queue in files",
	.license	= "MIT",
	.keys		= keys,
	.provides	= provides,
	.conf_size	= sizeof(struct conf),
	.state_size	= sizeof(struct wmq),
	.init		= init,
	.stop		= stop,
	.fini		= fini,
};
