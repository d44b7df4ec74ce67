/* SPDX-License-Identifier: MIT */
/*
 * One connection to a server: requests go out as the course says, answers
 * come in, and their bytes go to the disk without waiting for it; only when
 * too many are on their way there, nothing more is read.
 *
 * Once a second somebody looks whether the server is still there: an answer
 * that does not come within its wait and answer_timeout is none.
 */
#include "client.h"

#include <metacube/host.h>

#include <stdlib.h>
#include <string.h>

#define WORTH		(16 * 1024)	/* bytes that a connection brought */
#define REDIAL_MS	100
#define PENDING_MAX	(16 * 1024 * 1024)	/* bytes: then reading stops */
#define PENDING_LOW	(4 * 1024 * 1024)	/* and goes on */

struct line {
	struct client		*client;
	struct mc_conn		*conn;
	bool			 over, paused;
	char			 head[ANTP_HEAD_MAX];
	size_t			 head_len;
	struct course_step	 step;		/* of the answer coming in */
	uint64_t		 left;		/* its bytes, still to come */
	uint8_t			 header[FREEZE_HEADER_SIZE];
	size_t			 header_len;
	uint64_t		 heard_ms;	/* mc_now_ms, last byte */
	uint64_t		 fetched;	/* bytes of files */
	struct mc_timer		*hold;
};

static void
line_end(struct line *line)
{
	if (line->over)
		return;
	line->over = true;
	mc_timer_clear(&line->hold);
	mc_conn_close(line->conn);
}

/* Asking. */

static void
request_send(struct line *line, struct antp_request *request)
{
	struct client *client = line->client;
	char head[ANTP_HEAD_MAX];

	request->applied = client->applied;
	client->asked++;
	mc_conn_write(line->conn, head, antp_request_write(request, head));
	line->heard_ms = mc_now_ms();
}

static void
ask_now(void *owner)
{
	struct line *line = owner;
	struct course *course = &line->client->course;
	const struct tcapw_position *applied = &line->client->applied;
	struct antp_request request;

	if (line->over || line->paused || line->left > 0 ||
	    line->client->stopping)
		return;
	course->eager = applied->pointer.seq != 0 &&
	    applied->pointer.seq < line->client->here.position.durable;
	if (course_next(course, mc_now_ms(), &request))
		request_send(line, &request);
}

/* Unless that would lead nowhere. */
static void
ask(struct line *line)
{
	const struct course *course = &line->client->course;

	if (line->over || line->hold != NULL)
		return;
	if (course->hold_ms > 0 && !course->waiting)
		mc_timer_set(line->client->host, &line->hold,
		    course->hold_ms, ask_now, line);
	else
		ask_now(line);
}

/* FIRST, and soon.  A long poll cannot be ended, but its connection can. */
void
line_look(struct client *client)
{
	const struct course *course = &client->course;
	struct line *line = client->line;

	client->course.look = true;
	if (line != NULL && ((course->waiting &&
	    course->asked.wait_s > COURSE_EAGER_S) || line->hold != NULL)) {
		client_hang_up(client);
		client_dial(client, 0);
	}
}

/* The disk has caught up, or the freeze is complete. */
void
line_go_on(struct client *client)
{
	struct line *line = client->line;

	if (line == NULL || client->pending > PENDING_LOW)
		return;
	if (line->paused) {
		line->paused = false;
		line->heard_ms = mc_now_ms();
		mc_conn_pause(line->conn, false);
	}
	ask(line);
}

/* Answers. */

static void
fault(struct line *line, const char *why)
{
	struct client *client = line->client;

	mc_count(client->host, "faults", 1);
	mc_log(client->host, MC_ERROR, "%s: hung up: %s",
	    client->servers[client->server].endpoint, why);
	line_end(line);
}

static void
failed(struct line *line, const char *why)
{
	struct client *client = line->client;

	mc_count(client->host, "failures", 1);
	mc_log(client->host, MC_WARN, "%s cannot answer: %s",
	    client->servers[client->server].endpoint, why);
	line_end(line);
}

/* true: the answer goes on with bytes. */
static bool
step_take(struct line *line, const struct course_step *step)
{
	switch (step->kind) {
	case COURSE_FAULT:
		fault(line, step->why);
		return false;
	case COURSE_FAILED:
		failed(line, step->why);
		return false;
	case COURSE_REFUSED:
		line_end(line);
		client_refused(line->client, step->why);
		return false;
	default:
		line->step = *step;
		line->left = step->length;
		line->header_len = 0;
		return line->left > 0;
	}
}

static void
response_note(struct client *client, const struct antp_response *response)
{
	static const struct wmq_pointer none;

	client->heard_ms = mc_time_ms();
	if (memcmp(&response->head, &none, sizeof(none)) != 0)
		client->head = response->head;
	if (response->digest.pointer.seq != 0)
		client->checkpoint = response->digest;
	mc_count(client->host, "answers", 1);
}

static void
answered(struct line *line, const struct antp_response *response)
{
	struct client *client = line->client;
	struct course *course = &client->course;
	bool first = course->waiting && course->asked.verb == ANTP_FIRST;
	struct course_step step;

	if (response->status < 100)
		response_note(client, response);
	course_answer(course, mc_now_ms(), response, &step);
	if (step_take(line, &step) || line->over)
		return;
	if (first) {
		client->looked = client->asked;
		client->looked_ms = mc_now_ms();
		freeze_looked(client);
		state_looked(client);
	}
	client_level(client);
	ask(line);
}

static size_t
head_take(struct line *line, const uint8_t *data, size_t len)
{
	size_t before = line->head_len, room = sizeof(line->head) - before;
	struct antp_response response;
	const char *why;
	int used;

	if (len > room)
		len = room;
	memcpy(line->head + before, data, len);
	line->head_len += len;
	used = antp_response_read(line->head, line->head_len, &response,
	    &why);
	if (used == 0 && line->head_len == sizeof(line->head)) {
		used = -1;
		why = "a head without an end";
	}
	if (used == 0)
		return len;
	line->head_len = 0;
	if (used < 0) {
		fault(line, why);
		return len;
	}
	answered(line, &response);
	return (size_t)used - before;
}

static void
pause_reading(struct line *line)
{
	if (line->client->pending <= PENDING_MAX || line->over)
		return;
	line->paused = true;
	mc_conn_pause(line->conn, true);
}

/* The bytes of an answer are all there.  With a header it may turn out that
 * the process before had all of the freeze already. */
static void
bytes_done(struct line *line)
{
	struct client *client = line->client;
	const struct course_file *wanted = &client->course.wanted;

	if (line->step.kind != COURSE_QUEUE && wanted->size > 0 &&
	    wanted->have == wanted->size)
		piece_write(client, PIECE_FREEZE_END, wanted->name,
		    wanted->size, false, NULL, 0);
	ask(line);
}

static void
header_take(struct line *line, const uint8_t *data, size_t len)
{
	struct client *client = line->client;
	struct course_step step;

	memcpy(line->header + line->header_len, data, len);
	line->header_len += len;
	line->left -= len;
	if (line->left > 0)
		return;
	course_header(&client->course, line->header, &step);
	if (step.kind == COURSE_FREEZE)
		piece_write(client, PIECE_FREEZE, step.file, 0, false,
		    line->header, sizeof(line->header));
	step.length = 0;
	step_take(line, &step);
	if (!line->over)
		bytes_done(line);
}

static size_t
bytes_take(struct line *line, const uint8_t *data, size_t len)
{
	struct course_step *step = &line->step;

	if (len > line->left)
		len = (size_t)line->left;
	if (step->kind == COURSE_HEADER) {
		header_take(line, data, len);
		return len;
	}
	piece_write(line->client, step->kind == COURSE_QUEUE ?
	    PIECE_QUEUE : PIECE_FREEZE, step->file, step->offset,
	    step->anew, data, len);
	course_bytes(&line->client->course, step->kind, len);
	line->fetched += len;
	step->anew = false;
	step->offset += len;
	line->left -= len;
	pause_reading(line);
	if (line->left == 0)
		bytes_done(line);
	return len;
}

static void
bytes(void *owner, const uint8_t *data, size_t len)
{
	struct line *line = owner;
	size_t used;

	line->heard_ms = mc_now_ms();
	line->client->received += len;
	mc_count(line->client->host, "bytes", (int64_t)len);
	for (; len > 0 && !line->over; data += used, len -= used)
		used = line->left > 0 ? bytes_take(line, data, len) :
		    head_take(line, data, len);
}

/* Life. */

static void *
opened(void *state, struct mc_conn *conn)
{
	struct client *client = state;
	struct line *line;

	if (client->line != NULL || client->stopping)
		return NULL;
	line = mc_zalloc(sizeof(*line));
	line->client = client;
	line->conn = conn;
	line->heard_ms = mc_now_ms();
	client->line = line;
	mc_conn_admit(conn);
	mc_gauge(client->host, "connected", 1);
	course_begin(&client->course);
	ask(line);
	return line;
}

static void
drained(void *owner)
{
	(void)owner;
}

static void
closed(void *owner)
{
	struct line *line = owner;
	struct client *client = line->client;

	bool current = client->line == line;

	mc_timer_clear(&line->hold);
	if (current)
		line_drop(client);
	/* The link's pauses grow when connections are short; one that has
	 * brought something was worth it. */
	if (current && line->fetched >= WORTH) {
		client_hang_up(client);
		client_dial(client, REDIAL_MS);
	}
	free(line);
}

/* It is no longer the one in use; closed frees it. */
void
line_drop(struct client *client)
{
	struct line *line = client->line;

	if (line == NULL)
		return;
	client->line = NULL;
	client->dialled_ms = mc_now_ms();
	line_end(line);
	mc_gauge(client->host, "connected", 0);
	state_lost(client);
}

const struct mc_stream_ops line_ops = {
	.open		= opened,
	.bytes		= bytes,
	.drained	= drained,
	.closed		= closed,
};

/* Once a second. */

static uint64_t
answer_limit_ms(const struct client *client)
{
	const struct course *course = &client->course;
	unsigned wait_s = course->waiting ? course->asked.wait_s : 0;

	return (uint64_t)client->conf->answer_ms + wait_s * 1000;
}

void
line_check(struct client *client, uint64_t now_ms)
{
	struct line *line = client->line;

	if (line == NULL || line->paused)
		return;
	if ((client->course.waiting || line->left > 0) &&
	    now_ms - line->heard_ms > answer_limit_ms(client)) {
		mc_count(client->host, "silences", 1);
		mc_log(client->host, MC_WARN, "%s does not answer any more: "
		    "dialling again",
		    client->servers[client->server].endpoint);
		client_hang_up(client);
		client_dial(client, 0);
	}
}
