/* SPDX-License-Identifier: MIT */
/* course - what to ask next; course_answer.c judges the answers. */
#include "course_parts.h"

#include <string.h>

#define QUEUE_MAX	(8 * 1024 * 1024)	/* asked for at once */

void
course_init(struct course *course, const struct course_conf *conf)
{
	memset(course, 0, sizeof(*course));
	course->conf = *conf;
	course->piece = COURSE_PIECE_MIN;
	course->look = true;
}

void
course_name(char name[ANTP_FILE_SIZE], const char *from)
{
	memset(name, 0, ANTP_FILE_SIZE);
	memcpy(name, from, strnlen(from, ANTP_FILE_SIZE - 1));
}

void
course_queue(struct course *course, const char *file, uint64_t end,
    const struct wmq_pointer *here)
{
	course_name(course->queue.name, file);
	course->queue.have = end;
	course->here = *here;
}

void
course_freeze(struct course *course, const char *name, uint64_t size)
{
	course_name(course->freeze.name, name);
	course->freeze.have = course->freeze.size = size;
}

void
course_partial(struct course *course, const char *name, uint64_t have,
    const uint8_t header[FREEZE_HEADER_SIZE])
{
	struct freeze_header read;

	if (have < FREEZE_HEADER_SIZE ||
	    freeze_header_read(header, FREEZE_HEADER_SIZE, &read) != NULL ||
	    have > read.size)
		return;
	course_name(course->wanted.name, name);
	course->wanted.have = have;
	course->wanted.size = read.size;
	memcpy(course->header, header, FREEZE_HEADER_SIZE);
	course->header_known = true;
}

void
course_begin(struct course *course)
{
	course->waiting = false;
	course->hold_ms = 0;
	course->level = false;
	course->header_fresh = false;
	course->look = true;
	course->looked = false;
	course->turn = false;
	course->piece = COURSE_PIECE_MIN;
}

static void
request_get(struct antp_request *request, const char *file, uint64_t offset,
    uint64_t length)
{
	memset(request, 0, sizeof(*request));
	request->verb = ANTP_GET;
	course_name(request->file, file);
	request->offset = offset;
	request->length = length;
}

static void
request_first(struct course *course, struct antp_request *request,
    unsigned wait_s)
{
	memset(request, 0, sizeof(*request));
	request->verb = ANTP_FIRST;
	request->wait_s = wait_s;
	course->look = false;
}

static bool
in_transfer(const struct course *course)
{
	return course->wanted.name[0] != '\0' && (!course->header_fresh ||
	    course->wanted.have < course->wanted.size);
}

/* The file to begin with is not known yet. */
static void
ask_begin(struct course *course, struct antp_request *request)
{
	if (course->wanted.name[0] != '\0' && !course->header_fresh)
		request_get(request, course->wanted.name, 0,
		    FREEZE_HEADER_SIZE);
	else if (course->looked && course->entry.size != 0)
		request_get(request, course->entry.name, course->entry.size,
		    0);
	else
		request_first(course, request, course->looked ?
		    course->conf.wait_s : 0);
}

static void
ask_freeze(struct course *course, struct antp_request *request)
{
	uint64_t rest = course->wanted.size - course->wanted.have;

	course->turn = false;
	if (!course->header_fresh)
		request_get(request, course->wanted.name, 0,
		    FREEZE_HEADER_SIZE);
	else
		request_get(request, course->wanted.name,
		    course->wanted.have,
		    rest < course->piece ? rest : course->piece);
}

static void
ask_queue(struct course *course, struct antp_request *request)
{
	bool busy = in_transfer(course) || course->look;

	course->turn = true;
	request_get(request, course->queue.name, course->queue.have,
	    in_transfer(course) ? course->piece : QUEUE_MAX);
	if (busy)
		return;
	request->wait_s = course->changed || course->eager ? COURSE_EAGER_S :
	    course->conf.wait_s;
}

bool
course_next(struct course *course, uint64_t now_ms,
    struct antp_request *request_r)
{
	if (course->waiting)
		return false;
	if (course->queue.name[0] == '\0')
		ask_begin(course, request_r);
	else if (in_transfer(course) && course->turn)
		ask_freeze(course, request_r);
	else if (course->look && course->turn)
		request_first(course, request_r, 0);
	else
		ask_queue(course, request_r);
	course->asked = *request_r;
	course->asked_ms = now_ms;
	course->waiting = true;
	return true;
}

void
course_bytes(struct course *course, enum course_kind kind, uint64_t len)
{
	if (kind == COURSE_QUEUE)
		course->queue.have += len;
	else
		course->wanted.have += len;
}

bool
course_refuse(struct course *course)
{
	if (++course->refused < course->conf.servers)
		return false;
	course->refused = 0;
	course->anew = true;
	memset(&course->queue, 0, sizeof(course->queue));
	memset(&course->here, 0, sizeof(course->here));
	course->level = false;
	return true;
}

void
course_freeze_done(struct course *course)
{
	course->freeze = course->wanted;
	course_freeze_drop(course);
}

void
course_freeze_drop(struct course *course)
{
	memset(&course->wanted, 0, sizeof(course->wanted));
	course->header_known = course->header_fresh = false;
}
