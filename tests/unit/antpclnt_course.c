/* SPDX-License-Identifier: MIT */
/*
 * course: every answer to every question, also those that make no sense.
 */
#include "cutap.h"

#include "antpclnt_rig.h"

#include "modules/antpclnt/course.h"

#include <stdio.h>
#include <string.h>

#define QUEUE	"20260130.wmq"
#define NEXT	"20260131.wmq"
#define FREEZE	"01010101-7.freeze"

static struct course course;
static struct antp_request asked;
static struct course_step step;
static const struct course_conf conf = { true, 1, 20 };

static void
fresh(void)
{
	course_init(&course, &conf);
	course_begin(&course);
}

/* With a queue file, at this byte. */
static void
going_on(uint64_t offset)
{
	struct wmq_pointer here = { .seq = 7 };

	memset(here.epoch, 1, sizeof(here.epoch));
	course_init(&course, &conf);
	course_queue(&course, QUEUE, offset, &here);
	course_begin(&course);
}

static bool
next(void)
{
	return course_next(&course, 1000, &asked);
}

static enum course_kind
answer_at(uint64_t now_ms, unsigned status, const char *file,
    uint64_t offset, uint64_t length)
{
	struct antp_response response = {
		.status = status, .offset = offset, .length = length
	};

	snprintf(response.file, sizeof(response.file), "%s", file);
	course_answer(&course, now_ms, &response, &step);
	return step.kind;
}

static enum course_kind
answer(unsigned status, const char *file, uint64_t offset, uint64_t length)
{
	return answer_at(1000, status, file, offset, length);
}

static void
level(void)
{
	going_on(1000);
	next();
	answer(ANTP_EMPTY, QUEUE, 1000, 0);
	next();
	answer(ANTP_NEWFILE, QUEUE, 0, 0);	/* FIRST: no freeze */
}

static void
begins(void)
{
	fresh();
	CU_ASSERT(next() && asked.verb == ANTP_FIRST && asked.wait_s == 0);
	CU_ASSERT(!next());
	CU_ASSERT_EQUAL(answer(ANTP_NEWFILE, QUEUE, 0, 0), COURSE_NOTHING);
	CU_ASSERT(next() && asked.verb == ANTP_GET && asked.offset == 0);
	CU_ASSERT_STRING_EQUAL(asked.file, QUEUE);
	CU_ASSERT_EQUAL(answer(ANTP_OK, QUEUE, 0, 500), COURSE_QUEUE);
	CU_ASSERT(step.offset == 0 && step.length == 500 && !step.anew);
	course_bytes(&course, COURSE_QUEUE, 500);
	CU_ASSERT(next() && asked.offset == 500);
	CU_ASSERT_EQUAL(asked.verb, ANTP_GET);
	CU_ASSERT_EQUAL(answer(ANTP_NEWFILE, NEXT, 0, 0), COURSE_NOTHING);
	CU_ASSERT(next() && asked.offset == 0);
	CU_ASSERT_STRING_EQUAL(asked.file, NEXT);
}

/* The server has nothing yet: it is asked to wait. */
static void
nothing_yet(void)
{
	fresh();
	next();
	CU_ASSERT_EQUAL(answer(ANTP_EMPTY, "", 0, 0), COURSE_NOTHING);
	CU_ASSERT(course.hold_ms > 0);
	CU_ASSERT(next() && asked.verb == ANTP_FIRST && asked.wait_s == 20);
	answer_at(21000, ANTP_EMPTY, "", 0, 0);
	CU_ASSERT_EQUAL(course.hold_ms, 0);
}

static void
waits(void)
{
	level();
	CU_ASSERT(next() && asked.verb == ANTP_GET && asked.wait_s == 20);
	CU_ASSERT(!next());
	course.look = true;
	CU_ASSERT(!next());
	answer_at(21000, ANTP_EMPTY, QUEUE, 1000, 0);
	CU_ASSERT_EQUAL(course.hold_ms, 0);
	CU_ASSERT(next() && asked.verb == ANTP_FIRST);
	CU_ASSERT_EQUAL(answer(ANTP_NEWFILE, FREEZE, 0, 0), COURSE_NOTHING);
	CU_ASSERT_STRING_EQUAL(course.wanted.name, FREEZE);
}

/* After news there is soon something to acknowledge. */
static void
short_waits(void)
{
	level();
	next();
	CU_ASSERT_EQUAL(answer(ANTP_OK, QUEUE, 1000, 100), COURSE_QUEUE);
	course_bytes(&course, COURSE_QUEUE, 100);
	CU_ASSERT(next() && asked.wait_s == 1 && asked.offset == 1100);
	answer_at(2000, ANTP_EMPTY, QUEUE, 1100, 0);
	CU_ASSERT(next() && asked.wait_s == 20);
}

static void
lies(void)
{
	static const struct {
		unsigned status;
		const char *file;
		uint64_t offset, length;
	} cases[] = {
		{ ANTP_OK, NEXT, 1000, 10 },
		{ ANTP_OK, FREEZE, 1000, 10 },
		{ ANTP_OK, QUEUE, 0, 10 },
		{ ANTP_OK, QUEUE, 999, 10 },
		{ ANTP_OK, QUEUE, 1000, 0 },
		{ ANTP_OK, QUEUE, 1000, UINT64_MAX },
		{ ANTP_OK, QUEUE, 1000, UINT64_MAX - 1000 },
		{ ANTP_OK, QUEUE, 1000, 9 * 1024 * 1024 },
		{ ANTP_NEWFILE, QUEUE, 0, 0 },
		{ ANTP_NEWFILE, "20260129.wmq", 0, 0 },
		{ ANTP_NEWFILE, "20260129-999.wmq", 0, 0 },
		{ ANTP_NEWFILE, FREEZE, 0, 0 },
		{ ANTP_NEWFILE, "x", 0, 0 },
		{ ANTP_NEWFILE, "", 0, 0 },
		{ ANTP_NEWFILE, NEXT, 1, 0 },
		{ ANTP_NEWFILE, NEXT, 0, 1 },
		{ 50, QUEUE, 0, 0 }, { 0, QUEUE, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		going_on(1000);
		next();
		CU_ASSERT_EQUAL(answer(cases[i].status, cases[i].file,
		    cases[i].offset, cases[i].length), COURSE_FAULT);
	}
	going_on(0);			/* a file without even a header */
	next();
	CU_ASSERT_EQUAL(answer(ANTP_NEWFILE, NEXT, 0, 0), COURSE_FAULT);
	fresh();
	next();
	CU_ASSERT_EQUAL(answer(ANTP_OK, QUEUE, 0, 10), COURSE_FAULT);
	fresh();
	CU_ASSERT_EQUAL(answer(ANTP_EMPTY, QUEUE, 0, 0), COURSE_FAULT);
}

static void
errors(void)
{
	going_on(1000);
	next();
	CU_ASSERT_EQUAL(answer(ANTP_NO_FILE, "", 0, 0), COURSE_REFUSED);
	going_on(1000);
	next();
	CU_ASSERT_EQUAL(answer(ANTP_BAD_OFFSET, "", 0, 0), COURSE_REFUSED);
	going_on(1000);
	next();
	CU_ASSERT_EQUAL(answer(ANTP_TRY_LATER, "", 0, 0), COURSE_FAILED);
	fresh();
	next();
	CU_ASSERT_EQUAL(answer(ANTP_NO_FILE, "", 0, 0), COURSE_FAILED);
}

static void
other_stories(void)
{
	struct antp_response response = {
		.status = ANTP_EMPTY, .file = QUEUE, .offset = 1000
	};

	memset(response.head.epoch, 1, sizeof(response.head.epoch));
	going_on(1000);
	response.head.seq = 6;
	next();
	course_answer(&course, 1000, &response, &step);
	CU_ASSERT_EQUAL(step.kind, COURSE_REFUSED);
	going_on(1000);
	response.head.seq = 7;
	next();
	course_answer(&course, 1000, &response, &step);
	CU_ASSERT_EQUAL(step.kind, COURSE_NOTHING);
	response.head.epoch[3] = 2;
	next();
	course_answer(&course, 1000, &response, &step);
	CU_ASSERT_EQUAL(step.kind, COURSE_REFUSED);
	CU_ASSERT(course_refuse(&course));
	course_begin(&course);
	CU_ASSERT(next() && asked.verb == ANTP_FIRST);
	answer(ANTP_NEWFILE, NEXT, 0, 0);
	next();
	CU_ASSERT_EQUAL(answer(ANTP_OK, NEXT, 0, 200), COURSE_QUEUE);
	CU_ASSERT(step.anew);
	course_bytes(&course, COURSE_QUEUE, 200);
	next();
	answer(ANTP_OK, NEXT, 200, 200);
	CU_ASSERT(!step.anew);
}

static void
freezes(void)
{
	struct freeze_header header = { .size = 1000000 };
	uint8_t data[FREEZE_HEADER_SIZE];
	char name[64];
	unsigned polls = 0;

	memset(header.position.pointer.epoch, 1, 16);
	header.position.pointer.seq = 7;
	freeze_header_write(&header, data);
	freeze_name(&header, name);
	CU_ASSERT_STRING_EQUAL(name, FREEZE);
	fresh();
	next();
	answer(ANTP_NEWFILE, FREEZE, 0, 0);
	CU_ASSERT(next() && asked.offset == 0 &&
	    asked.length == FREEZE_HEADER_SIZE);
	CU_ASSERT_EQUAL(answer(ANTP_OK, FREEZE, 0, FREEZE_HEADER_SIZE),
	    COURSE_HEADER);
	course_header(&course, data, &step);
	CU_ASSERT_EQUAL(step.kind, COURSE_FREEZE);
	CU_ASSERT_EQUAL(step.length, FREEZE_HEADER_SIZE);
	CU_ASSERT(next() && asked.offset == 1000000);
	CU_ASSERT_EQUAL(answer(ANTP_NEWFILE, QUEUE, 0, 0), COURSE_NOTHING);
	while (course.wanted.have < course.wanted.size && polls < 1000) {
		CU_ASSERT(next() && asked.wait_s == 0);
		if (antp_is_queue_file(asked.file)) {
			polls++;
			answer(ANTP_EMPTY, QUEUE, 0, 0);
			continue;
		}
		CU_ASSERT_EQUAL(answer(ANTP_OK, FREEZE, asked.offset,
		    asked.length), COURSE_FREEZE);
		course_bytes(&course, COURSE_FREEZE, asked.length);
	}
	CU_ASSERT(polls >= 3 && polls < 1000);	/* between all pieces */
	course_freeze_done(&course);
	CU_ASSERT_STRING_EQUAL(course.freeze.name, FREEZE);
	CU_ASSERT_STRING_EQUAL(course.wanted.name, "");
}

static void
bad_freezes(void)
{
	struct freeze_header header = { .size = 1000000 };
	uint8_t data[FREEZE_HEADER_SIZE];

	memset(header.position.pointer.epoch, 1, 16);
	header.position.pointer.seq = 7;
	freeze_header_write(&header, data);
	for (unsigned i = 0; i < 3; i++) {
		fresh();
		next();
		answer(ANTP_NEWFILE, i == 1 ? "01010101-8.freeze" : FREEZE,
		    0, 0);
		next();
		answer(ANTP_OK, asked.file, 0, FREEZE_HEADER_SIZE);
		data[70] ^= i == 0;
		course_header(&course, data, &step);
		data[70] ^= i == 0;
		CU_ASSERT_EQUAL(step.kind, i == 2 ? COURSE_FREEZE :
		    COURSE_FAULT);
	}
	next();				/* its end, to learn the queue file */
	CU_ASSERT_EQUAL(answer(ANTP_OK, FREEZE, 1000000, 1), COURSE_FAULT);
	fresh();
	next();
	answer(ANTP_NEWFILE, FREEZE, 0, 0);
	next();
	CU_ASSERT_EQUAL(answer(ANTP_OK, FREEZE, 0, 20), COURSE_FAULT);
	fresh();
	next();
	answer(ANTP_NEWFILE, FREEZE, 0, 0);
	next();
	CU_ASSERT_EQUAL(answer(ANTP_NO_FILE, "", 0, 0), COURSE_FAILED);
	CU_ASSERT_STRING_EQUAL(course.wanted.name, "");
}

/* A server that names file after file never sends anything. */
static void
endless_names(void)
{
	char name[32];

	going_on(1000);
	next();
	CU_ASSERT_EQUAL(answer(ANTP_NEWFILE, NEXT, 0, 0), COURSE_NOTHING);
	if (asked.verb == ANTP_GET && next() && asked.verb == ANTP_FIRST) {
		answer(ANTP_NEWFILE, QUEUE, 0, 0);
		next();
	}
	snprintf(name, sizeof(name), "20260201.wmq");
	CU_ASSERT_EQUAL(answer(ANTP_NEWFILE, name, 0, 0), COURSE_FAULT);
}

static void
pauses_grow(void)
{
	unsigned last = 0;

	level();
	for (unsigned i = 0; i < 10; i++) {
		next();
		answer(ANTP_EMPTY, QUEUE, 1000, 0);
		CU_ASSERT(course.hold_ms >= last && course.hold_ms > 0);
		last = course.hold_ms;
	}
	CU_ASSERT(last >= 1000 && last <= 10000);
	next();
	answer(ANTP_OK, QUEUE, 1000, 10);
	CU_ASSERT_EQUAL(course.hold_ms, 0);
}

const struct cutap_test antpclnt_course_tests[] = {
	{ "from FIRST to the queue", begins },
	{ "a server that has nothing yet", nothing_yet },
	{ "long polls, and a look in between", waits },
	{ "short ones after news", short_waits },
	{ "answers that do not fit", lies },
	{ "errors", errors },
	{ "servers that tell another story", other_stories },
	{ "a freeze in pieces, with polls between", freezes },
	{ "freezes that are none", bad_freezes },
	{ "names without end", endless_names },
	{ "pauses that grow", pauses_grow },
	{ NULL, NULL }
};
