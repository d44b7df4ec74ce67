/* SPDX-License-Identifier: MIT */
/*
 * antpclnt: its own disk is damaged, full or slow.
 */
#include "cutap.h"

#include "antpclnt_rig.h"
#include "scratch.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static struct rig_reply reply;

static void
damage(const char *path, off_t offset)
{
	int fd = open(path, O_WRONLY);

	CU_ASSERT_EQUAL(pwrite(fd, "?", 1, offset), 1);
	close(fd);
}

/* A byte of the freeze goes bad: whoever cannot thaw it asks once more. */
static void
damaged_freeze(void)
{
	char name[128];

	rig_begin();
	rig_append(30);
	rig_freeze(20, 5000);
	rig_fetch(RIG_SERVER);
	snprintf(name, sizeof(name), "mirror/%s", rig.freeze);
	damage(scratch_path(name), 3000);
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

/* A byte of a mirrored file goes bad while we run. */
static void
damaged_while_running(void)
{
	struct wmqfile_extent extent;

	rig_begin();
	rig_append(200);
	rig_fetch(RIG_SERVER);
	rig_find(&reply, 0);
	memcpy(&extent, reply.data, sizeof(extent));
	damage(extent.path, 900);
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

	rig_begin();
	rig_append(200);
	rig_fetch(RIG_SERVER);
	rig_find(&reply, 200);
	memcpy(&extent, reply.data, sizeof(extent));
	rig_close();
	stage_reset("gateway");
	damage(extent.path, 150);
	rig_open(RIG_SERVER);
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

	rig_begin();
	rig_append(200);
	rig_freeze(10, 400000);
	rig_open(RIG_SERVER);
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

	rig_begin();
	rig_append(5);
	rig_freeze(5, 100 * 1024 * 1024);
	rig_open(RIG_SERVER);
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

const struct cutap_test antpclnt_disk_tests[] = {
	{ "a freeze damaged on the disk", damaged_freeze },
	{ "a file damaged while it is served", damaged_while_running },
	{ "a file damaged before the start", damaged_at_start },
	{ "a full disk", full_disk },
	{ "a disk slower than the network", slow_disk },
	{ NULL, NULL }
};
