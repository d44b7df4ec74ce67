/* SPDX-License-Identifier: MIT */
/* course_answer - what an answer means, if it can be believed at all. */
#include "course_parts.h"

#include <metacube/queue.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_MAX	(8 * 1024 * 1024)
#define PIECE_MS	50	/* a piece should take about so long */
#define SOON_MS		500	/* an EMPTY before that did not wait */
#define HOLD_MIN_MS	100
#define HOLD_MAX_MS	5000
#define IDLE_MAX	32	/* answers without bytes, in a second */

static bool
is_queue_file(const char *name)
{
	return antp_is_queue_file(name) && queue_is_name(name);
}

/* Of two freezes of one epoch, the one with fewer changes is of no use. */
static bool
is_older_freeze(const char *name, const char *than)
{
	return strncmp(name, than, 9) == 0 &&
	    strtoull(name + 9, NULL, 10) < strtoull(than + 9, NULL, 10);
}

static void __attribute__((format(printf, 3, 4)))
step_set(struct course_step *step, enum course_kind kind,
    const char *format, ...)
{
	va_list args;

	memset(step, 0, sizeof(*step));
	step->kind = kind;
	va_start(args, format);
	vsnprintf(step->why, sizeof(step->why), format, args);
	va_end(args);
}

static void
step_bytes(struct course_step *step, enum course_kind kind,
    const struct antp_response *response)
{
	step_set(step, kind, "%s", "");
	course_name(step->file, response->file);
	step->offset = response->offset;
	step->length = response->length;
}

/* What does not fit into what was asked; NULL: it does. */
static const char *
bytes_fault(const struct antp_request *asked,
    const struct antp_response *response)
{
	if (strcmp(response->file, asked->file) != 0)
		return "another file than the one asked for";
	if (response->offset != asked->offset)
		return "another offset than the one asked for";
	if (response->length == 0)
		return "no bytes";
	if (asked->length != 0 && response->length > asked->length)
		return "more bytes than were asked for";
	if (response->length > INT64_MAX ||
	    response->offset > INT64_MAX - response->length)
		return "a length that is none";
	return NULL;
}

static void
got_queue(struct course *course, const struct antp_response *response,
    struct course_step *step)
{
	step_bytes(step, COURSE_QUEUE, response);
	step->anew = course->anew;
	course->anew = false;
	course->level = false;
	course->changed = true;
}

/* A piece should take neither so long that a change waits for it, nor so
 * little that the network rests. */
static void
piece_adapt(struct course *course, uint64_t now_ms, uint64_t length)
{
	uint64_t took = now_ms - course->asked_ms;

	if (length < course->piece)
		return;
	if (took < PIECE_MS / 2 && course->piece < PIECE_MAX)
		course->piece *= 2;
	else if (took > PIECE_MS * 2 && course->piece > COURSE_PIECE_MIN)
		course->piece /= 2;
}

static void
got_freeze(struct course *course, const struct antp_request *asked,
    const struct antp_response *response, struct course_step *step)
{
	if (strcmp(course->wanted.name, asked->file) != 0) {
		step_set(step, COURSE_FAULT, "%s: it has bytes beyond its "
		    "end", asked->file);
	} else if (!course->header_fresh) {
		step_bytes(step, COURSE_HEADER, response);
		if (response->length != FREEZE_HEADER_SIZE)
			step_set(step, COURSE_FAULT, "%s: it is shorter than "
			    "a header", response->file);
	} else if (asked->offset >= course->wanted.size) {
		step_set(step, COURSE_FAULT, "%s: it has bytes beyond its "
		    "end", asked->file);
	} else {
		step_bytes(step, COURSE_FREEZE, response);
	}
}

static void
got_bytes(struct course *course, const struct antp_request *asked,
    const struct antp_response *response, struct course_step *step)
{
	const char *fault = asked->verb == ANTP_FIRST ?
	    "bytes, where a name was asked for" :
	    bytes_fault(asked, response);

	if (fault != NULL)
		step_set(step, COURSE_FAULT, "it has sent %s (%s at %llu)",
		    fault, response->file,
		    (unsigned long long)response->offset);
	else if (is_queue_file(asked->file))
		got_queue(course, response, step);
	else
		got_freeze(course, asked, response, step);
}

/* FIRST named a freeze. */
static void
freeze_named(struct course *course, const char *name)
{
	bool known = strcmp(name, course->freeze.name) == 0;

	if (known)
		course->entry = course->freeze;
	else if (course->header_fresh &&
	    strcmp(name, course->wanted.name) == 0)
		course->entry = course->wanted;
	else {
		memset(&course->entry, 0, sizeof(course->entry));
		course_name(course->entry.name, name);
	}
	if (known || strcmp(name, course->wanted.name) == 0)
		return;
	if (course->queue.name[0] != '\0' && (!course->conf.mirror_freeze ||
	    (course->freeze.name[0] != '\0' &&
	    is_older_freeze(name, course->freeze.name))))
		return;
	course_freeze_drop(course);
	course_name(course->wanted.name, name);
	course->turn = true;
}

static void
queue_named(struct course *course, const char *name)
{
	course_name(course->queue.name, name);
	course->queue.have = 0;
	course->level = false;
}

static void
first_named(struct course *course, const char *name,
    struct course_step *step)
{
	course->looked = true;
	step_set(step, COURSE_NOTHING, "%s", "");
	if (antp_is_freeze_file(name))
		freeze_named(course, name);
	else if (course->queue.name[0] == '\0')
		queue_named(course, name);
}

/* A file has ended, and this is the next. */
static void
next_named(struct course *course, const struct antp_request *asked,
    const char *name, struct course_step *step)
{
	step_set(step, COURSE_NOTHING, "%s", "");
	if (antp_is_freeze_file(asked->file)) {
		if (asked->offset != course->entry.size ||
		    strcmp(asked->file, course->entry.name) != 0)
			step_set(step, COURSE_FAILED, "%s has become shorter",
			    asked->file);
		else
			queue_named(course, name);
	} else if (asked->offset < SEGMENT_HEADER_SIZE)
		step_set(step, COURSE_FAULT, "%s has no header, and yet %s "
		    "follows", asked->file, name);
	else if (queue_compare(name, asked->file) <= 0)
		step_set(step, COURSE_FAULT, "%s cannot follow %s", name,
		    asked->file);
	else
		queue_named(course, name);
}

static void
got_name(struct course *course, const struct antp_request *asked,
    const struct antp_response *response, struct course_step *step)
{
	bool queue_file = is_queue_file(response->file);

	if (!queue_file && (asked->verb != ANTP_FIRST ||
	    !antp_is_freeze_file(response->file)))
		step_set(step, COURSE_FAULT, "it has named a file that is "
		    "none: %s", response->file);
	else if (response->offset != 0 || response->length != 0)
		step_set(step, COURSE_FAULT, "%s: a name with bytes",
		    response->file);
	else if (asked->verb == ANTP_FIRST)
		first_named(course, response->file, step);
	else
		next_named(course, asked, response->file, step);
}

/* Asking again at once and again is good for nobody. */
static void
hold(struct course *course)
{
	course->hold_ms = course->hold_ms == 0 ? HOLD_MIN_MS :
	    course->hold_ms * 2;
	if (course->hold_ms > HOLD_MAX_MS)
		course->hold_ms = HOLD_MAX_MS;
}

/* Names, looks and polls come in small numbers; more of them within a second
 * lead nowhere. */
static void
idle_count(struct course *course, uint64_t now_ms)
{
	if (now_ms - course->idle_ms >= 1000) {
		course->idle_ms = now_ms;
		course->idle = 0;
	}
	if (++course->idle > IDLE_MAX)
		hold(course);
}

static void
got_nothing(struct course *course, const struct antp_request *asked,
    uint64_t now_ms, struct course_step *step)
{
	step_set(step, COURSE_NOTHING, "%s", "");
	if (asked->verb == ANTP_FIRST)
		course->looked = true;
	else if (is_queue_file(asked->file)) {
		course->level = true;
		if (asked->wait_s > 0)
			course->changed = false;
		course->refused = 0;
	} else if (asked->offset != course->entry.size) {
		step_set(step, COURSE_FAILED, "%s has become shorter",
		    asked->file);
		return;
	}
	/* Between the pieces of a freeze nobody waits, and a look follows
	 * at once; else an EMPTY should have taken its time. */
	if (now_ms - course->asked_ms >= SOON_MS ||
	    (asked->wait_s == 0 && course->queue.name[0] != '\0'))
		course->hold_ms = 0;
	else
		hold(course);
}

static void
got_error(struct course *course, const struct antp_request *asked,
    const struct antp_response *response, struct course_step *step)
{
	bool lost = response->status == ANTP_NO_FILE ||
	    response->status == ANTP_BAD_OFFSET;

	step_set(step, lost && is_queue_file(asked->file) ?
	    COURSE_REFUSED : COURSE_FAILED, "%u %s (%s at %llu)",
	    response->status, response->text,
	    asked->verb == ANTP_FIRST ? "FIRST" : asked->file,
	    (unsigned long long)asked->offset);
	if (lost && antp_is_freeze_file(asked->file)) {
		if (strcmp(asked->file, course->freeze.name) == 0)
			memset(&course->entry, 0, sizeof(course->entry));
		course_freeze_drop(course);
	}
}

/* A server whose last record is before ours, or that tells another story. */
static bool
is_elsewhere(const struct course *course,
    const struct antp_response *response, struct course_step *step)
{
	static const struct wmq_pointer none;
	const struct wmq_pointer *head = &response->head;

	if (memcmp(head, &none, sizeof(none)) == 0 || course->anew ||
	    memcmp(course->here.epoch, none.epoch, sizeof(none.epoch)) == 0)
		return false;
	if (memcmp(head->epoch, course->here.epoch,
	    sizeof(head->epoch)) != 0)
		step_set(step, COURSE_REFUSED, "its queue has another epoch: "
		    "a backup was restored there, or it is another queue");
	else if (head->seq < course->here.seq)
		step_set(step, COURSE_REFUSED, "its queue ends with record "
		    "%llu, but here is %llu already",
		    (unsigned long long)head->seq,
		    (unsigned long long)course->here.seq);
	else
		return false;
	return true;
}

void
course_answer(struct course *course, uint64_t now_ms,
    const struct antp_response *response, struct course_step *step_r)
{
	struct antp_request asked = course->asked;

	if (!course->waiting) {
		step_set(step_r, COURSE_FAULT, "an answer that nobody has "
		    "asked for");
		return;
	}
	course->waiting = false;
	if (response->status >= 100)
		got_error(course, &asked, response, step_r);
	else if (is_elsewhere(course, response, step_r))
		return;
	else if (response->status == ANTP_OK)
		got_bytes(course, &asked, response, step_r);
	else if (response->status == ANTP_NEWFILE)
		got_name(course, &asked, response, step_r);
	else if (response->status == ANTP_EMPTY)
		got_nothing(course, &asked, now_ms, step_r);
	else
		step_set(step_r, COURSE_FAULT, "status %u means nothing",
		    response->status);
	if (step_r->kind == COURSE_FREEZE)
		piece_adapt(course, now_ms, step_r->length);
	if (step_r->length == 0)
		idle_count(course, now_ms);
	else {
		course->hold_ms = 0;
		course->idle = 0;
	}
}

/* Taken as the begin of the file, or found to be that of what is here. */
void
course_header(struct course *course, const uint8_t data[FREEZE_HEADER_SIZE],
    struct course_step *step_r)
{
	struct freeze_header header;
	const char *fault = freeze_header_read(data, FREEZE_HEADER_SIZE,
	    &header);
	char name[64];

	step_set(step_r, COURSE_NOTHING, "%s", "");
	if (fault == NULL) {
		freeze_name(&header, name);
		if (strcmp(name, course->wanted.name) != 0)
			fault = "is not what its name says";
		else if (header.size < FREEZE_HEADER_SIZE ||
		    header.size > INT64_MAX)
			fault = "has a size that is none";
	}
	if (fault != NULL) {
		step_set(step_r, COURSE_FAULT, "%s %s", course->wanted.name,
		    fault);
		course_freeze_drop(course);
		return;
	}
	course->header_fresh = true;
	course->entry = course->wanted;
	course->entry.size = course->wanted.size = header.size;
	if (!course->conf.mirror_freeze) {
		course_freeze_drop(course);
	} else if (!course->header_known ||
	    memcmp(data, course->header, FREEZE_HEADER_SIZE) != 0) {
		memcpy(course->header, data, FREEZE_HEADER_SIZE);
		course->header_known = true;
		course->wanted.have = FREEZE_HEADER_SIZE;
		step_r->kind = COURSE_FREEZE;
		course_name(step_r->file, course->wanted.name);
		step_r->length = FREEZE_HEADER_SIZE;
	}
}
