/* SPDX-License-Identifier: MIT */
/*
 * antpclnt: whatever becomes of connection, server and disk, what is shown is
 * what the server has, or nothing.
 */
#include "cutap.h"

#include "antpclnt_rig.h"
#include "scratch.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define ONE	"antp://127.0.0.1:7746/"
#define TWO	ONE ", antp://127.0.0.1:7747/"

static struct rig_reply reply, other;

static void
begin(void)
{
	scratch_make();
	stage_reset("gateway");
	rig_server(1);
}

static void
from_nothing(void)
{
	begin();
	rig_append(200);
	rig_freeze(100, 300000);
	rig_open(ONE);
	CU_ASSERT_STRING_EQUAL(stage_dialled(), "127.0.0.1:7746");
	rig_connect();
	rig_serve();
	CU_ASSERT(rig_same_freeze());
	CU_ASSERT_EQUAL(rig_fetched(), 200);
	CU_ASSERT(rig.waits > 0);
	CU_ASSERT(stage_logged("all is here"));
	rig_obtain(&reply, false);
	CU_ASSERT_EQUAL(reply.status, MC_OK);
	CU_ASSERT_EQUAL(reply.len, sizeof(struct freeze_file));
	rig_done();
}

/* The queue begins where the freeze ends: older files are not fetched. */
static void
after_the_freeze(void)
{
	struct wmq_position position;

	begin();
	rig_append(200);
	rig_freeze(150, 1000);
	rig_open(ONE);
	rig_connect();
	rig_serve();
	rig_position(&reply);
	memcpy(&position, reply.data, sizeof(position));
	CU_ASSERT(position.oldest > 1 && position.oldest <= 151);
	CU_ASSERT_EQUAL(position.durable, 200);
	rig_done();
}

static void
without_freeze(void)
{
	begin();
	rig_append(200);
	rig_open(ONE);
	rig_connect();
	rig_serve();
	CU_ASSERT_EQUAL(rig_fetched(), 200);
	CU_ASSERT(rig_same_queue());
	rig_obtain(&reply, false);
	CU_ASSERT_EQUAL(reply.status, MC_NOT_FOUND);
	rig_close();

	stage_reset("gateway");		/* it has one, but we want none */
	rig_freeze(10, 1000);
	rig_set("mirror_freeze", false);
	rig_open(ONE);
	rig_connect();
	rig_serve();
	CU_ASSERT(!rig_same_freeze());
	CU_ASSERT_EQUAL(rig_fetched(), 200);
	rig_done();
}

static void
not_wanted_freeze(void)
{
	begin();
	rig_append(50);
	rig_freeze(10, 1000);
	rig_set("mirror_freeze", false);
	rig_open(ONE);
	rig_connect();
	rig_serve();
	CU_ASSERT(!rig_same_freeze());
	CU_ASSERT_EQUAL(rig_fetched(), 50);
	CU_ASSERT(rig_same_queue());
	rig_done();
}

/* A change: the reader has it with the bytes, no timer between. */
static void
news(void)
{
	begin();
	rig_append(3);
	rig_open(ONE);
	rig_connect();
	rig_serve();
	rig_read(&reply, 1, 0, 0);
	CU_ASSERT_EQUAL(rig_last_seq(&reply), 3);
	rig_read(&reply, 1, 3, 0);
	CU_ASSERT(reply.answered && reply.status == MC_OK && reply.len == 0);
	rig_read(&reply, 1, 3, 30000);
	CU_ASSERT(!reply.answered);
	rig_append(1);
	rig_serve();
	CU_ASSERT(reply.answered);
	CU_ASSERT_EQUAL(rig_last_seq(&reply), 4);
	rig_read(&reply, 1, 4, 2000);
	stage_pass(1999);
	CU_ASSERT(!reply.answered);
	stage_pass(2);
	CU_ASSERT(reply.answered && reply.status == MC_OK && reply.len == 0);
	rig_done();
}

static void
refusals(void)
{
	begin();
	rig_open(ONE);
	rig_read(&reply, 1, 0, 100);
	CU_ASSERT_EQUAL(reply.status, MC_UNAVAILABLE);
	rig_position(&reply);
	CU_ASSERT(!reply.answered);
	stage_pass(5001);
	CU_ASSERT(reply.answered && reply.status == MC_UNAVAILABLE);
	rig_append(2);
	rig_position(&reply);
	CU_ASSERT(!reply.answered);
	rig_connect();
	rig_serve();
	CU_ASSERT(reply.answered && reply.status == MC_OK);
	rig_read(&reply, 1, 3, 0);
	CU_ASSERT_EQUAL(reply.status, MC_INVALID);
	rig_read(&reply, 2, 1, 0);
	CU_ASSERT_EQUAL(reply.status, MC_INVALID);
	rig_append_to(&reply);
	CU_ASSERT_EQUAL(reply.status, MC_DENIED);
	rig_done();
}

static void
files(void)
{
	struct wmqfile_extent extent, last;

	begin();
	rig_append(200);
	rig_open(ONE);
	rig_connect();
	rig_serve();
	rig_find(&reply, 0);
	CU_ASSERT_EQUAL_FATAL(reply.status, MC_OK);
	memcpy(&extent, reply.data, sizeof(extent));
	CU_ASSERT_EQUAL(extent.first_seq, 1);
	CU_ASSERT(extent.finished);
	rig_extent(&reply, extent.next, 0, 1000);
	CU_ASSERT_EQUAL_FATAL(reply.status, MC_OK);
	memcpy(&last, reply.data, sizeof(last));
	CU_ASSERT_STRING_EQUAL(last.name, extent.next);
	rig_find(&reply, 200);
	memcpy(&last, reply.data, sizeof(last));
	CU_ASSERT(!last.finished);
	rig_extent(&reply, last.name, last.end, 60000);
	CU_ASSERT(!reply.answered);
	rig_extent(&other, last.name, last.end, 1000);
	stage_pass(1001);
	CU_ASSERT(other.answered && other.status == MC_OK);
	rig_append(1);
	rig_serve();
	CU_ASSERT_FATAL(reply.answered);
	CU_ASSERT(((struct wmqfile_extent *)reply.data)->end > last.end);
	rig_extent(&reply, last.name, last.end + 100000, 0);
	CU_ASSERT_EQUAL(reply.status, MC_INVALID);
	rig_extent(&reply, "20991231.wmq", 0, 0);
	CU_ASSERT_EQUAL(reply.status, MC_NOT_FOUND);
	rig_find(&reply, 500);
	CU_ASSERT_EQUAL(reply.status, MC_INVALID);
	rig_prune(&reply, 200);
	CU_ASSERT_EQUAL_FATAL(reply.status, MC_OK);
	CU_ASSERT(*(uint64_t *)reply.data > 0);
	rig_find(&reply, 0);
	memcpy(&extent, reply.data, sizeof(extent));
	CU_ASSERT_STRING_EQUAL(extent.name, last.name);
	rig_read(&reply, 1, 0, 0);
	CU_ASSERT_EQUAL(reply.status, MC_NOT_FOUND);
	rig_find(&reply, 3);
	CU_ASSERT_EQUAL(reply.status, MC_NOT_FOUND);
	rig_done();
}

/* The connection is lost after so many bytes, again and again; what is here
 * is always whole, and in the end all of it. */
static void
cut_everywhere(void)
{
	begin();
	rig_append(90);
	rig_freeze(20, 5000);
	for (uint64_t step = 1; step < 12000; step += step < 900 ? 1 : 97) {
		rig_open(ONE);
		rig_connect();
		rig.fed = 0;
		rig.cut_after = step;
		rig_serve();
		if (rig.conn == NULL) {
			rig.cut_after = 0;
			rig_connect();
			rig_serve();
		}
		CU_ASSERT_EQUAL(rig_fetched(), 90);
		CU_ASSERT(rig_same_freeze());
		CU_ASSERT_EQUAL(stage_count("refused"), 0);
		CU_ASSERT_EQUAL(stage_count("faults"), 0);
		rig_close();
		rig_mirror_remove();
		stage_reset("gateway");
	}
	rig_open(ONE);
	rig_done();
}

/* The same, and each time the process is another one: only what is on the
 * disk goes on. */
static void
resumed(void)
{
	unsigned starts = 0;

	begin();
	rig_append(300);
	rig_freeze(20, 200000);
	rig.chunk = 700;
	while (starts++ < 1000) {
		rig_open(ONE);
		rig_connect();
		rig.fed = 0;
		rig.cut_after = 3001;
		rig_serve();
		if (rig.conn != NULL)
			break;
		rig_close();
		stage_reset("gateway");
	}
	CU_ASSERT(starts > 50 && starts < 500);
	CU_ASSERT_EQUAL(rig_fetched(), 300);
	CU_ASSERT(rig_same_freeze());
	CU_ASSERT_EQUAL(stage_count("refused"), 0);
	rig_done();
}

/* The process before was killed between the last byte and the name. */
static void
all_but_named(void)
{
	char name[96], part[128], path[256];

	begin();
	rig_append(30);
	rig_freeze(20, 5000);
	rig_open(ONE);
	rig_connect();
	rig_serve();
	CU_ASSERT(rig_same_freeze());
	rig_close();
	snprintf(name, sizeof(name), "mirror/%s", rig.freeze);
	snprintf(part, sizeof(part), "%s.part", name);
	snprintf(path, sizeof(path), "%s", scratch_path(part));
	CU_ASSERT_EQUAL(rename(scratch_path(name), path), 0);
	stage_reset("gateway");
	rig_open(ONE);
	rig_connect();
	rig_serve();
	CU_ASSERT(rig_same_freeze());
	CU_ASSERT_EQUAL(access(path, F_OK), -1);
	CU_ASSERT_EQUAL(stage_count("freezes"), 1);
	rig_obtain(&reply, false);
	CU_ASSERT_EQUAL(reply.status, MC_OK);
	rig_done();
}

static void
byte_by_byte(void)
{
	begin();
	rig_append(20);
	rig_freeze(5, 3000);
	rig.chunk = 1;
	rig_open(ONE);
	rig_connect();
	rig_serve();
	CU_ASSERT_EQUAL(rig_fetched(), 20);
	CU_ASSERT(rig_same_freeze());
	rig_done();
}

/* A change comes between the pieces of a large freeze. */
static void
change_during_freeze(void)
{
	begin();
	rig_append(5);
	rig_freeze(5, 20 * 1024 * 1024);
	rig_open(ONE);
	rig_connect();
	rig.fed = 0;
	rig.cut_after = 1024 * 1024;
	rig_serve();
	rig.cut_after = 0;
	rig_append(1);
	rig_read(&reply, 1, 5, 30000);
	rig_connect();
	rig.fed = 0;
	rig.cut_after = 2 * 1024 * 1024;
	rig_serve();
	CU_ASSERT(reply.answered);
	CU_ASSERT_EQUAL(rig_last_seq(&reply), 6);
	CU_ASSERT(!rig_same_freeze());
	rig_obtain(&reply, false);
	CU_ASSERT_EQUAL(reply.status, MC_BUSY);
	rig.cut_after = 0;
	rig_connect();
	rig_serve();
	CU_ASSERT(rig_same_freeze());
	rig_done();
}

/* One made anew under the same name has other bytes: not half and half. */
static void
other_freeze(void)
{
	begin();
	rig_append(30);
	rig_freeze(20, 500000);
	rig_open(ONE);
	rig_connect();
	rig.fed = 0;
	rig.cut_after = 300000;
	rig_serve();
	rig.cut_after = 0;
	rig_freeze(20, 400000);
	rig_connect();
	rig_serve();
	CU_ASSERT(rig_same_freeze());
	rig_freeze(25, 300000);
	rig_pass(6000);
	rig_obtain(&reply, true);
	rig_connect();
	rig_serve();
	CU_ASSERT(reply.answered && reply.status == MC_BUSY);
	CU_ASSERT(rig_same_freeze());
	rig_obtain(&reply, true);
	CU_ASSERT(reply.answered && reply.status == MC_OK);
	CU_ASSERT_EQUAL(((struct freeze_file *)reply.data)->header.
	    position.pointer.seq, 25);
	rig_done();
}

static void
renewed(void)
{
	begin();
	rig_append(30);
	rig_freeze(20, 5000);
	rig_open(ONE);
	rig_obtain(&reply, true);
	CU_ASSERT_EQUAL(reply.status, MC_UNAVAILABLE);
	rig_connect();
	rig_serve();
	rig_pass(6000);
	rig_obtain(&reply, true);
	CU_ASSERT(!reply.answered);
	CU_ASSERT(stage_over(rig.conn));	/* ends the long poll */
	rig_connect();
	rig_serve();
	CU_ASSERT(reply.answered && reply.status == MC_OK);
	rig_pass(1500);
	rig_state(&reply, true);
	CU_ASSERT(!reply.answered);
	rig_connect();
	rig_serve();
	CU_ASSERT(reply.answered && reply.status == MC_OK);
	CU_ASSERT_EQUAL(((struct mirror_state *)reply.data)->
	    checkpoint.pointer.seq, 31);
	CU_ASSERT_EQUAL(((struct mirror_state *)reply.data)->head.seq, 30);
	rig_append(1);
	rig_serve();
	rig_state(&reply, true);		/* while a short one waits */
	CU_ASSERT(!stage_over(rig.conn));
	stage_drop(rig.conn);
	rig.conn = NULL;
	stage_pass(0);
	CU_ASSERT(reply.answered && reply.status == MC_UNAVAILABLE);
	rig_state(&reply, false);
	CU_ASSERT(reply.answered && reply.status == MC_OK);
	CU_ASSERT(!((struct mirror_state *)reply.data)->connected);
	rig_done();
}

/* A byte of the freeze goes bad: whoever cannot thaw it asks once more. */
static void
damaged_freeze(void)
{
	char name[128];
	int fd;

	begin();
	rig_append(30);
	rig_freeze(20, 5000);
	rig_open(ONE);
	rig_connect();
	rig_serve();
	snprintf(name, sizeof(name), "mirror/%s", rig.freeze);
	fd = open(scratch_path(name), O_WRONLY);
	CU_ASSERT_EQUAL(pwrite(fd, "?", 1, 3000), 1);
	close(fd);
	CU_ASSERT(!rig_same_freeze());
	rig_obtain(&reply, true);
	CU_ASSERT(reply.answered && reply.status == MC_OK);
	rig_pass(10000);
	rig_obtain(&reply, true);
	rig_connect();
	rig_serve();
	CU_ASSERT(reply.answered && reply.status == MC_BUSY);
	CU_ASSERT(rig_same_freeze());
	rig_obtain(&reply, true);
	CU_ASSERT(reply.answered && reply.status == MC_OK);
	CU_ASSERT_EQUAL(stage_count("distrusted"), 1);
	rig_pass(10000);		/* but not for ever */
	rig_obtain(&reply, true);
	rig_connect();
	rig_serve();
	CU_ASSERT(reply.answered && reply.status == MC_OK);
	CU_ASSERT_EQUAL(stage_count("distrusted"), 1);
	rig_done();
}

/* What the replica holds is told at most about a second later. */
static void
acknowledged(void)
{
	begin();
	rig_append(5);
	rig_open(ONE);
	rig_connect();
	rig_serve();
	CU_ASSERT_EQUAL(rig.last.applied.pointer.seq, 0);
	rig_acknowledge(5);
	rig_pass(1500);
	CU_ASSERT_EQUAL(rig.last.applied.pointer.seq, 5);
	CU_ASSERT_EQUAL(rig.held.wait_s, 20);
	rig_append(1);
	rig_serve();
	rig_pass(5000);
	CU_ASSERT_EQUAL(rig.held.wait_s, 1);	/* the replica is behind */
	rig_acknowledge(6);
	rig_pass(1500);
	CU_ASSERT_EQUAL(rig.held.wait_s, 20);
	CU_ASSERT_EQUAL(rig.last.applied.pointer.seq, 6);
	rig_done();
}

static void
silence(void)
{
	begin();
	rig_append(5);
	rig_open(ONE);
	rig_connect();
	rig_serve();
	rig_pass(1500);
	CU_ASSERT_EQUAL(rig.held.wait_s, 20);
	stage_pass(29000);
	CU_ASSERT(!stage_over(rig.conn));
	stage_pass(3000);
	CU_ASSERT(stage_over(rig.conn));
	CU_ASSERT_EQUAL(stage_count("silences"), 1);
	CU_ASSERT_STRING_EQUAL(stage_dialled(), "127.0.0.1:7746");
	rig_connect();
	rig_append(1);
	rig_serve();
	CU_ASSERT_EQUAL(rig_fetched(), 6);
	rig_done();
}

static void
fallback(void)
{
	begin();
	rig_append(5);
	rig_open(TWO);
	CU_ASSERT_STRING_EQUAL(stage_dialled(), "127.0.0.1:7746");
	stage_pass(6000);
	CU_ASSERT_STRING_EQUAL(stage_dialled(), "127.0.0.1:7747");
	rig_connect();
	rig_serve();
	CU_ASSERT_EQUAL(rig_fetched(), 5);
	stage_drop(rig.conn);
	stage_pass(6000);
	CU_ASSERT_STRING_EQUAL(stage_dialled(), "127.0.0.1:7746");
	rig_done();
}

/* Another server stands behind the first one: nothing is thrown away, as long
 * as there is one that goes on. */
static void
fallback_behind(void)
{
	begin();
	rig_append(50);
	rig_open(TWO);
	rig_connect();
	rig_serve();
	CU_ASSERT_EQUAL(rig_fetched(), 50);
	stage_drop(rig.conn);
	stage_pass(6000);
	rig_connect();
	rig_answer("ANTP/1.0 116 beyond the end\n\n", NULL, 0);
	CU_ASSERT_EQUAL(stage_count("refused"), 1);
	CU_ASSERT_EQUAL(stage_count("anew"), 0);
	stage_pass(1000);
	CU_ASSERT_STRING_EQUAL(stage_dialled(), "127.0.0.1:7746");
	rig_append(1);
	rig_connect();
	rig_serve();
	CU_ASSERT_EQUAL(rig_fetched(), 51);
	rig_done();
}

/* The server's queue is another one. */
static void
replaced(void)
{
	begin();
	rig_append(50);
	rig_freeze(20, 2000);
	rig_open(ONE);
	rig_connect();
	rig_serve();
	rig_read(&reply, 1, 50, 30000);
	stage_drop(rig.conn);
	rig_server(2);
	rig_append(10);
	rig_freeze(3, 1000);
	stage_pass(0);
	rig_connect();
	rig_serve();
	CU_ASSERT(stage_logged("everything is fetched anew"));
	stage_pass(1000);
	rig_connect();
	rig_serve();
	CU_ASSERT(rig_same_freeze());
	CU_ASSERT(rig_same_queue());
	CU_ASSERT_EQUAL(rig_fetched(), 10);
	CU_ASSERT(reply.answered && reply.status == MC_INVALID);
	CU_ASSERT_EQUAL(stage_count("anew"), 1);
	rig_done();
}

/* It was restored to an older state, and tells another story since. */
static void
set_back(void)
{
	begin();
	rig_append(50);
	rig_open(ONE);
	rig_connect();
	rig_serve();
	stage_drop(rig.conn);
	rig_server(1);
	rig_append(20);
	stage_pass(0);
	rig_connect();
	rig_serve();
	CU_ASSERT_EQUAL(stage_count("anew"), 1);
	stage_pass(1000);
	rig_connect();
	rig_serve();
	CU_ASSERT_EQUAL(rig_fetched(), 20);
	CU_ASSERT(rig_same_queue());
	rig_done();
}

/* Older than what is here, but with a head that says nothing. */
static void
set_back_silently(void)
{
	begin();
	rig_append(50);
	rig_open(ONE);
	rig_connect();
	rig_serve();
	stage_drop(rig.conn);
	rig_server(1);
	rig.no_head = true;
	rig_append(70);		/* the same numbers, other times and bytes */
	rig_append(70);
	stage_pass(0);
	rig_connect();
	rig_serve();
	if (rig.conn == NULL) {
		stage_pass(1000);
		rig_connect();
		rig_serve();
	}
	CU_ASSERT_EQUAL(rig_fetched(), 140);
	CU_ASSERT(rig_same_queue());
	rig_done();
}

/* What is wrong is never shown, and fetched again; for ever so is too
 * often. */
static void
wrong_bytes(void)
{
	unsigned rounds = 0;

	begin();
	rig_append(10);
	rig_open(ONE);
	rig_connect();
	rig.flip = 700;
	while (rounds++ < 50 && !stage_logged("too often within an hour")) {
		rig_serve();
		CU_ASSERT(rig_fetched() < 10);
		CU_ASSERT_PTR_NULL_FATAL(rig.conn);
		stage_pass(40000);
		if (stage_dialled()[0] != '\0')
			rig_connect();
	}
	CU_ASSERT_EQUAL(rounds, 8);
	CU_ASSERT_EQUAL(stage_count("anew"), 7);
	CU_ASSERT_STRING_EQUAL(stage_dialled(), "");
	rig_state(&reply, false);
	CU_ASSERT(((struct mirror_state *)reply.data)->halted);
	rig.flip = 0;
	stage_pass(3600000);
	CU_ASSERT_STRING_NOT_EQUAL(stage_dialled(), "");
	rig_connect();
	rig_serve();
	CU_ASSERT_EQUAL(rig_fetched(), 10);
	rig_done();
}

/* A byte of a mirrored file goes bad while we run. */
static void
damaged_while_running(void)
{
	struct wmqfile_extent extent;
	int fd;

	begin();
	rig_append(200);
	rig_open(ONE);
	rig_connect();
	rig_serve();
	rig_find(&reply, 0);
	memcpy(&extent, reply.data, sizeof(extent));
	fd = open(extent.path, O_WRONLY);
	CU_ASSERT_EQUAL(pwrite(fd, "?", 1, 900), 1);
	close(fd);
	rig_read(&reply, 1, 0, 0);
	if (reply.status == MC_OK)
		rig_read(&reply, 1, rig_last_seq(&reply), 0);
	CU_ASSERT_EQUAL(reply.status, MC_UNAVAILABLE);
	CU_ASSERT_EQUAL(stage_count("damaged"), 1);
	rig_read(&reply, 1, 200, 30000);	/* it was here: not wrong */
	CU_ASSERT(!reply.answered);
	CU_ASSERT_EQUAL(rig_fetched(), 0);	/* not told until it is */
	stage_pass(2000);
	rig_connect();
	rig_append(1);
	rig_serve();
	CU_ASSERT(reply.answered);
	CU_ASSERT_EQUAL(rig_last_seq(&reply), 201);
	CU_ASSERT_EQUAL(rig_fetched(), 201);
	CU_ASSERT(rig_same_queue());
	CU_ASSERT_EQUAL(stage_count("anew"), 0);
	rig_done();
}

/* It went bad while we did not run. */
static void
damaged_at_start(void)
{
	struct wmqfile_extent extent;
	int fd;

	begin();
	rig_append(200);
	rig_open(ONE);
	rig_connect();
	rig_serve();
	rig_find(&reply, 200);
	memcpy(&extent, reply.data, sizeof(extent));
	rig_close();
	stage_reset("gateway");
	fd = open(extent.path, O_WRONLY);
	CU_ASSERT_EQUAL(pwrite(fd, "?", 1, 150), 1);
	close(fd);
	rig_open(ONE);
	CU_ASSERT_EQUAL(stage_count("damaged"), 1);
	CU_ASSERT_EQUAL(rig_fetched(), 0);
	rig_connect();
	rig_serve();
	CU_ASSERT_EQUAL(rig_fetched(), 200);
	CU_ASSERT(rig_same_queue());
	rig_done();
}

/* The disk is full: nothing is lost, and it goes on by itself. */
static void
full_disk(void)
{
	struct rlimit limit, small;

	begin();
	rig_append(200);
	rig_freeze(10, 400000);
	rig_open(ONE);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	small = limit;
	small.rlim_cur = 100000;
	setrlimit(RLIMIT_FSIZE, &small);
	for (unsigned i = 0; i < 5; i++) {
		if (rig.conn == NULL)
			rig_connect();
		rig_serve();
		CU_ASSERT_PTR_NULL(rig.conn);
		stage_pass(60000);
	}
	CU_ASSERT(stage_logged("nothing is fetched until"));
	CU_ASSERT(!rig_same_freeze());
	setrlimit(RLIMIT_FSIZE, &limit);
	rig_connect();
	rig_serve();
	CU_ASSERT(stage_logged("can be written again"));
	CU_ASSERT(rig_same_freeze());
	CU_ASSERT_EQUAL(rig_fetched(), 200);
	CU_ASSERT_EQUAL(stage_count("anew"), 0);
	rig_done();
}

/* What no server should say: it is hung up, and nothing is shown of it. */
static void
hostile(void)
{
	static const struct {
		const char *head;
		size_t len;		/* bytes after it */
	} lies[] = {
		{ "HTTP/1.1 200 OK\r\n\r\n", 0 },
		{ "ANTP/1.0 010 ../../etc/passwd 0 5\n\n", 5 },
		{ "ANTP/1.0 020 ../20260130.wmq 0 0\n\n", 0 },
		{ "ANTP/1.0 020 /20260130.wmq 0 0\n\n", 0 },
		{ "ANTP/1.0 010 20260130.wmq 0 5\n\n", 5 },
		{ "ANTP/1.0 020 20260130.wmq 0 5\n\n", 5 },
		{ "ANTP/1.0 020 20260130.wmq 7 0\n\n", 0 },
		{ "ANTP/1.0 010 20260130.wmq -1 5\n\n", 5 },
		{ "ANTP/1.0 010 20260130.wmq 99999999999999999999 5\n\n", 5 },
		{ "ANTP/1.0 010 20260130.wmq 18446744073709551615 5\n\n", 5 },
		{ "ANTP/1.0 030 20260130.wmq 0 5\n\n", 5 },
		{ "ANTP/1.0 050 20260130.wmq 0 0\n\n", 0 },
		{ "\n", 0 },
	};
	static const uint8_t junk[64];
	char long_head[5000];

	begin();
	rig_open(ONE);
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		rig_connect();
		rig_answer(lies[i].head, junk, lies[i].len);
		CU_ASSERT_PTR_NULL(rig.conn);
		CU_ASSERT_EQUAL(stage_count("faults"), (int64_t)i + 1);
		stage_pass(1000);
	}
	memset(long_head, 'x', sizeof(long_head));
	memcpy(long_head, "ANTP/1.0 030 ", 13);
	long_head[sizeof(long_head) - 1] = '\0';
	rig_connect();
	rig_answer(long_head, NULL, 0);
	CU_ASSERT_PTR_NULL(rig.conn);
	rig_connect();			/* answers nobody has asked for */
	rig_answer("ANTP/1.0 030 - 0 0\n\nANTP/1.0 030 - 0 0\n\n", NULL, 0);
	CU_ASSERT_PTR_NULL(rig.conn);
	CU_ASSERT_EQUAL(rig_fetched(), 0);
	rig_done();
}

/* EMPTY at once, again and again: it is not asked without a pause. */
static void
eager_server(void)
{
	begin();
	rig_append(1);
	rig_open(ONE);
	rig_connect();
	rig_serve();
	rig.requests = 0;
	for (unsigned ms = 0; ms < 60000; ms += 20) {
		char head[128];

		if (rig.held.verb != 0) {
			snprintf(head, sizeof(head), "ANTP/1.0 030 %s %llu 0"
			    "\n\n", rig.held.file,
			    (unsigned long long)rig.held.offset);
			rig_answer(head, NULL, 0);
		}
		stage_pass(20);
		rig_serve();
	}
	CU_ASSERT(rig.requests < 40);
	CU_ASSERT(rig.requests > 5);
	rig_done();
}

static void
server_errors(void)
{
	begin();
	rig_append(5);
	rig_open(ONE);
	rig_connect();
	rig_answer("ANTP/1.0 153 later\n\n", NULL, 0);
	CU_ASSERT_PTR_NULL(rig.conn);
	CU_ASSERT_EQUAL(stage_count("failures"), 1);
	CU_ASSERT(stage_logged("later"));
	rig_connect();
	rig_serve();
	CU_ASSERT_EQUAL(rig_fetched(), 5);
	stage_drop(rig.conn);
	stage_pass(0);
	rig_connect();
	rig_answer("ANTP/1.0 150 broken\n\n", NULL, 0);
	CU_ASSERT_EQUAL(stage_count("refused"), 0);
	rig_done();
}

/* The disk is slower than the network: reading stops, and goes on. */
static void
slow_disk(void)
{
	struct antp_response response = {
		.status = ANTP_OK, .length = 8 * 1024 * 1024
	};
	static uint8_t block[1024 * 1024];
	char head[ANTP_HEAD_MAX];
	struct antp_request request;
	const char *why;
	bool paused = false;

	begin();
	rig_append(5);
	rig_freeze(5, 100 * 1024 * 1024);
	rig_open(ONE);
	rig_connect();
	rig.fed = 0;
	rig.cut_after = 60 * 1024 * 1024;
	/* Until pieces have their full size; then the thread stands still:
	 * no stage_pass between. */
	while (rig.conn != NULL && !(antp_request_read(
	    stage_written(rig.conn, NULL), strlen(stage_written(rig.conn,
	    NULL)), &request, &why) > 0 && request.length ==
	    response.length && antp_is_freeze_file(request.file)))
		rig_serve_one();
	CU_ASSERT_PTR_NOT_NULL_FATAL(rig.conn);
	for (unsigned i = 0; i < 12 && !paused; i++) {
		if (antp_request_read(stage_written(rig.conn, NULL),
		    strlen(stage_written(rig.conn, NULL)), &request,
		    &why) <= 0)
			break;
		stage_unwrite(rig.conn);
		strcpy(response.file, request.file);
		response.offset = request.offset;
		if (antp_is_queue_file(request.file)) {
			response.status = ANTP_EMPTY;
			response.length = 0;
		} else {
			response.status = ANTP_OK;
			response.length = request.length;
		}
		stage_feed(rig.conn, head, antp_response_write(&response,
		    head));
		for (uint64_t sent = 0; sent < response.length && !paused;
		    sent += sizeof(block)) {
			stage_feed(rig.conn, block, sizeof(block));
			paused = stage_paused(rig.conn);
		}
	}
	CU_ASSERT(paused);
	stage_pass(0);
	CU_ASSERT(!stage_paused(rig.conn));
	rig_done();
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "a mirror from nothing", from_nothing },
		{ "the queue from the freeze on", after_the_freeze },
		{ "a server without a freeze", without_freeze },
		{ "a freeze that is not wanted", not_wanted_freeze },
		{ "news for a waiting reader", news },
		{ "what cannot be read", refusals },
		{ "files, for further replicas", files },
		{ "a connection cut at every byte", cut_everywhere },
		{ "a process that ends every few bytes", resumed },
		{ "a freeze that only lacks its name", all_but_named },
		{ "bytes one by one", byte_by_byte },
		{ "a change while a freeze is fetched", change_during_freeze },
		{ "another freeze of the same name, and a newer one",
		  other_freeze },
		{ "a look at the server on demand", renewed },
		{ "a freeze damaged on the disk", damaged_freeze },
		{ "what the replica holds is told", acknowledged },
		{ "a server that has gone silent", silence },
		{ "another server stands in", fallback },
		{ "one that is behind does no harm", fallback_behind },
		{ "a queue with another epoch", replaced },
		{ "a server set back", set_back },
		{ "a server set back that does not say so",
		  set_back_silently },
		{ "bytes that are wrong, for ever", wrong_bytes },
		{ "a file damaged while it is served",
		  damaged_while_running },
		{ "a file damaged before the start", damaged_at_start },
		{ "a full disk", full_disk },
		{ "a disk slower than the network", slow_disk },
		{ "answers no server should give", hostile },
		{ "a server that does not wait", eager_server },
		{ "errors of the server", server_errors },
		{ NULL, NULL }
	};
	static const struct cutap_suite suites[] = {
		{ "course", course_tests }, { "antpclnt", tests },
		{ NULL, NULL }
	};

	return cutap_run_all(suites);
}
