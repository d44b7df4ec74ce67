/* SPDX-License-Identifier: MIT */
/*
 * replica - the board of a replica: the latest news, and those who wait for
 * more or for a pointer (metacube/replica.h).
 *
 * Numbers begin anew with the process, like those who ask for them.  The
 * first number stands for no news at all, so that nobody is told "0".
 */
#include <metacube/replica.h>

#include <stdlib.h>
#include <string.h>

#define NEWS_KEPT	4096	/* a power of two */

/* Somebody who waits for a pointer. */
struct arrival {
	struct arrival		*next;
	struct wmq_pointer	 pointer;
	struct mc_call		*call;
};

/* Somebody who waits for news. */
struct reader {
	struct reader		*next, **prev;
	struct pwq_board	*board;
	uint64_t		 after;
	struct mc_call		*call;
	struct mc_timer		*timer;
};

struct pwq_board {
	struct mc_host		*host;
	bool			 closed;
	struct wmq_pointer	 at;		/* seq 0: not known */
	struct arrival		*arrivals;
	struct reader		*readers;
	uint64_t		 latest, oldest;	/* numbers kept */
	struct replica_news	 news[NEWS_KEPT];
};

struct pwq_board *
pwq_board_new(struct mc_host *host)
{
	struct pwq_board *board = mc_zalloc(sizeof(*board));

	board->host = host;
	board->latest = 1;
	board->oldest = 2;
	return board;
}

/* Those who wait for a pointer. */

static bool
is_other_epoch(const struct pwq_board *board, const struct wmq_pointer *to)
{
	return board->at.seq > 0 && memcmp(board->at.epoch, to->epoch,
	    sizeof(to->epoch)) != 0;
}

/* false: not yet. */
static bool
arrival_answer(const struct pwq_board *board,
    const struct wmq_pointer *pointer, struct mc_call *call)
{
	if (board->closed)
		mc_call_done(call, MC_UNAVAILABLE, NULL, 0);
	else if (is_other_epoch(board, pointer))
		mc_call_done(call, MC_INVALID, NULL, 0);
	else if (board->at.seq > 0 && pointer->seq <= board->at.seq)
		mc_call_done(call, MC_OK, NULL, 0);
	else if (!mc_call_wanted(call))
		mc_call_done(call, MC_TIMEOUT, NULL, 0);
	else
		return false;
	return true;
}

static void
arrivals_answer(struct pwq_board *board)
{
	struct arrival **link = &board->arrivals, *arrival;

	while ((arrival = *link) != NULL)
		if (arrival_answer(board, &arrival->pointer, arrival->call)) {
			*link = arrival->next;
			free(arrival);
		} else
			link = &arrival->next;
}

void
pwq_board_reached(struct pwq_board *board, const struct wmq_pointer *pointer,
    struct mc_call *call)
{
	struct arrival *arrival;

	arrivals_answer(board);		/* whoever does not wait any more */
	if (arrival_answer(board, pointer, call))
		return;
	arrival = mc_zalloc(sizeof(*arrival));
	arrival->pointer = *pointer;
	arrival->call = call;
	arrival->next = board->arrivals;
	board->arrivals = arrival;
}

/* Those who wait for news. */

static void
news_anything(const struct pwq_board *board, struct mc_call *call)
{
	const struct replica_news news = {
		.number = board->latest, .what = REPLICA_ANYTHING
	};

	mc_call_done(call, MC_OK, &news, sizeof(news));
}

static void
news_send(const struct pwq_board *board, uint64_t after, struct mc_call *call)
{
	struct replica_news news[REPLICA_NEWS_MAX];
	size_t n = 0;

	while (after < board->latest && n < REPLICA_NEWS_MAX)
		news[n++] = board->news[++after & (NEWS_KEPT - 1)];
	mc_call_done(call, MC_OK, news, n * sizeof(*news));
}

/* false: there are none yet. */
static bool
reader_answer(const struct pwq_board *board, uint64_t after,
    struct mc_call *call)
{
	if (board->closed)
		mc_call_done(call, MC_UNAVAILABLE, NULL, 0);
	else if (after + 1 < board->oldest || after > board->latest)
		news_anything(board, call);
	else if (after < board->latest)
		news_send(board, after, call);
	else
		return false;
	return true;
}

static void
reader_free(struct reader *reader)
{
	mc_timer_clear(&reader->timer);
	*reader->prev = reader->next;
	if (reader->next != NULL)
		reader->next->prev = reader->prev;
	free(reader);
}

static void
readers_answer(struct pwq_board *board)
{
	struct reader *reader, *next;

	for (reader = board->readers; reader != NULL; reader = next) {
		next = reader->next;
		if (reader_answer(board, reader->after, reader->call))
			reader_free(reader);
	}
}

static void
reader_late(void *owner)
{
	struct reader *reader = owner;

	mc_call_done(reader->call, MC_OK, NULL, 0);
	reader_free(reader);
}

void
pwq_board_news(struct pwq_board *board, uint64_t after, unsigned wait_ms,
    struct mc_call *call)
{
	struct reader *reader;

	if (reader_answer(board, after, call))
		return;
	if (wait_ms > WMQ_WAIT_MAX_MS)
		wait_ms = WMQ_WAIT_MAX_MS;
	reader = mc_zalloc(sizeof(*reader));
	reader->board = board;
	reader->after = after;
	reader->call = call;
	reader->prev = &board->readers;
	reader->next = board->readers;
	if (reader->next != NULL)
		reader->next->prev = &reader->next;
	board->readers = reader;
	mc_timer_set(board->host, &reader->timer, wait_ms, reader_late,
	    reader);
}

/* What the provider says. */

static void
news_add(struct pwq_board *board, enum replica_what what, uint64_t uid,
    const char *name)
{
	uint64_t number = ++board->latest;
	struct replica_news *news = &board->news[number & (NEWS_KEPT - 1)];

	memset(news, 0, sizeof(*news));
	news->number = number;
	news->what = what;
	news->uid = uid;
	memcpy(news->name, name, strnlen(name, MC_NAME_SIZE - 1));
	if (board->latest - board->oldest >= NEWS_KEPT)
		board->oldest++;
	readers_answer(board);
}

/* 0: it concerns no session. */
static enum replica_what
what_is(const struct pwq_applied *applied)
{
	if (applied->keep_sessions)
		return (enum replica_what)0;
	if (applied->verb == TCAPW_DELETE)
		return REPLICA_DELETED;
	if (applied->verb != TCAPW_CHANGE)
		return (enum replica_what)0;
	if ((applied->flags & TCAPW_LOCKED) != 0)
		return REPLICA_LOCKED;
	return applied->new_verifier ? REPLICA_PASSWORD :
	    (enum replica_what)0;
}

static bool
is_same(const struct wmq_pointer *a, const struct wmq_pointer *b)
{
	return a->seq == b->seq &&
	    memcmp(a->epoch, b->epoch, sizeof(a->epoch)) == 0;
}

void
pwq_board_applied(struct pwq_board *board, const struct pwq_applied *applied)
{
	const struct wmq_pointer *pointer = &applied->position.pointer;
	enum replica_what what = what_is(applied);

	if (applied->verb == 0) {	/* unseen changes, if any */
		if (!is_same(pointer, &board->at))
			pwq_board_replaced(board, pointer);
		return;
	}
	board->at = *pointer;
	if (what != 0)
		news_add(board, what, applied->uid, applied->name);
	if (board->arrivals != NULL)
		arrivals_answer(board);
}

void
pwq_board_found(struct pwq_board *board, const struct wmq_pointer *pointer)
{
	board->at = *pointer;
	arrivals_answer(board);
}

void
pwq_board_replaced(struct pwq_board *board, const struct wmq_pointer *pointer)
{
	pwq_board_found(board, pointer);
	news_add(board, REPLICA_ANYTHING, 0, "");
}

void
pwq_board_close(struct pwq_board *board)
{
	board->closed = true;
	arrivals_answer(board);
	readers_answer(board);
}

void
pwq_board_free(struct pwq_board **boardp)
{
	if (*boardp == NULL)
		return;
	pwq_board_close(*boardp);
	free(*boardp);
	*boardp = NULL;
}
