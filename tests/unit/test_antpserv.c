/* SPDX-License-Identifier: MIT */
/*
 * antpserv on a stage: what counts as a replica's progress, and whose bytes
 * are served.  The queue is what the test says, its files are real.
 */
#include "cutap.h"

#include "scratch.h"
#include "stage.h"
#include "../../modules/antpserv/antpserv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOUR_MS	3600000
#define FILE	"20260130.wmq"

static struct conf conf;
static struct antpserv *server;
static struct mc_ref replicas;
static struct wmqfile_extent extent;		/* the only file there is */
static char state_file[256];

static void
extent_answer(void *state, const char *name, uint64_t offset,
    unsigned wait_ms, struct mc_call *call)
{
	(void)state;
	(void)name;
	(void)offset;
	(void)wait_ms;
	mc_call_done(call, MC_OK, &extent, sizeof(extent));
}

static void
find_answer(void *state, uint64_t seq, struct mc_call *call)
{
	(void)state;
	(void)seq;
	mc_call_done(call, MC_OK, &extent, sizeof(extent));
}

static const struct wmqfile_ops wmqfile_ops = {
	.extent = extent_answer, .find = find_answer
};

static void
server_start(void)
{
	server = mc_zalloc(metacube_module.state_size);
	server->wmqfile.ops = &wmqfile_ops;
	replicas.provider = server;
	replicas.ops = metacube_module.provides[0].ops;
	CU_ASSERT_EQUAL_FATAL(metacube_module.init(server, stage_host(),
	    &conf), MC_OK);
	CU_ASSERT_EQUAL_FATAL(metacube_module.start(server), MC_OK);
	stage_pass(0);
}

static void
server_stop(void)
{
	metacube_module.stop(server);
	stage_pass(0);
	metacube_module.fini(server);
	free(server);
}

/* At change 10 of a queue that goes back to change 1. */
static void
begin(void)
{
	stage_reset("accounts");
	scratch_make();
	snprintf(state_file, sizeof(state_file), "%s",
	    scratch_path("replicas"));
	conf = (struct conf) {
		.listen = { .endpoint = "127.0.0.1:0", .idle_ms = 90000 },
		.roles = "gateway", .dbfile = "", .state_file = state_file
	};
	memset(&extent, 0, sizeof(extent));
	strcpy(extent.name, FILE);
	snprintf(extent.path, sizeof(extent.path), "%s", scratch_path(FILE));
	memset(extent.position.epoch, 0xe0, 16);
	extent.first_seq = extent.position.oldest = 1;
	extent.position.durable = 10;
	server_start();
}

static void
end(void)
{
	server_stop();
	CU_ASSERT_EQUAL(stage_owed(), 0);
	scratch_remove();
}

static struct mc_conn *
connect_as(const char *name)
{
	stage_peer("192.0.2.7", name, "gateway");
	return stage_connect();
}

static void
request(struct mc_conn *conn, const struct antp_request *request)
{
	char head[ANTP_HEAD_MAX];

	stage_feed(conn, head, antp_request_write(request, head));
	stage_pass(0);
}

/* Replicas */

static void
acknowledge(struct mc_conn *conn, uint64_t seq, uint8_t epoch)
{
	struct antp_request first = {
		.verb = ANTP_FIRST, .applied.pointer.seq = seq
	};

	memset(first.applied.pointer.epoch, epoch, 16);
	request(conn, &first);
	CU_ASSERT_FALSE(stage_over(conn));
}

static struct replicas_entry listed;

static void
was_listed(void *owner, const struct mc_reply *reply)
{
	(void)owner;
	CU_ASSERT_EQUAL_FATAL(reply->len, sizeof(listed));
	memcpy(&listed, reply->data, sizeof(listed));
}

/* The one replica that there is. */
static const struct replicas_entry *
entry(void)
{
	replicas_list(&replicas, NULL, was_listed, NULL);
	stage_pass(0);
	return &listed;
}

static bool
progressed(struct mc_conn *conn, uint64_t seq, uint8_t epoch)
{
	stage_pass(HOUR_MS / 100);
	acknowledge(conn, seq, epoch);
	CU_ASSERT_EQUAL(entry()->seen_ms, mc_time_ms());
	return entry()->progress_ms == mc_time_ms();
}

static void
progress(void)
{
	struct mc_conn *conn;

	begin();
	conn = connect_as("world-1");
	CU_ASSERT_TRUE(progressed(conn, 5, 0xe0));
	CU_ASSERT_FALSE(progressed(conn, 5, 0xe0));
	CU_ASSERT_TRUE(progressed(conn, 6, 0xe0));
	/* It has lost what it had: to have it again is none. */
	CU_ASSERT_FALSE(progressed(conn, 3, 0xe0));
	CU_ASSERT_FALSE(progressed(conn, 6, 0xe0));
	CU_ASSERT_TRUE(progressed(conn, 10, 0xe0));
	/* There is nothing more to acknowledge. */
	CU_ASSERT_TRUE(progressed(conn, 10, 0xe0));
	extent.position.durable = 12;
	acknowledge(conn, 10, 0xe0);
	CU_ASSERT_FALSE(progressed(conn, 10, 0xe0));
	CU_ASSERT_FALSE(progressed(conn, 30, 0x99));
	CU_ASSERT_FALSE(progressed(conn, 31, 0x99));
	CU_ASSERT_TRUE(progressed(conn, 12, 0xe0));
	/* Another epoch of the server: the numbers begin anew. */
	memset(extent.position.epoch, 0xe1, 16);
	acknowledge(conn, 12, 0xe0);
	CU_ASSERT_FALSE(progressed(conn, 12, 0xe0));
	CU_ASSERT_TRUE(progressed(conn, 2, 0xe1));
	end();
}

/* Whoever restarts the server often does not keep it waiting for ever. */
static void
kept(void)
{
	struct mc_conn *conn;
	uint64_t since;

	begin();
	conn = connect_as("world-1");
	acknowledge(conn, 5, 0xe0);
	since = mc_time_ms();
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_FALSE(progressed(conn, 5, 0xe0));
		server_stop();
		server_start();
		CU_ASSERT_EQUAL(entry()->progress_ms, since);
		CU_ASSERT_FALSE(entry()->connected);
		conn = connect_as("world-1");
	}
	/* That it was level is kept, although nothing else has changed. */
	CU_ASSERT_TRUE(progressed(conn, 10, 0xe0));
	stage_pass(HOUR_MS);
	CU_ASSERT_TRUE(progressed(conn, 10, 0xe0));
	since = mc_time_ms();
	server_stop();
	stage_pass(HOUR_MS);
	server_start();
	CU_ASSERT_EQUAL(entry()->progress_ms, since);
	/* And now and then, for the case of a crash. */
	conn = connect_as("world-1");
	acknowledge(conn, 10, 0xe0);
	stage_pass(HOUR_MS + 1000);
	CU_ASSERT_FALSE(server->registry.changed);
	acknowledge(conn, 10, 0xe0);
	CU_ASSERT_TRUE(server->registry.changed);
	stage_pass(1000);
	acknowledge(conn, 10, 0xe0);
	CU_ASSERT_FALSE(server->registry.changed);
	stage_drop(conn);
	/* Also that of one that goes, while the server stays. */
	conn = connect_as("world-1");
	CU_ASSERT_TRUE(progressed(conn, 10, 0xe0));
	stage_pass(HOUR_MS / 2);
	CU_ASSERT_TRUE(progressed(conn, 10, 0xe0));
	CU_ASSERT_FALSE(server->registry.changed);
	stage_drop(conn);
	CU_ASSERT_TRUE(server->registry.changed);
	end();
}

static void
done(void *owner, const struct mc_reply *reply)
{
	(void)owner;
	CU_ASSERT_EQUAL(reply->status, MC_OK);
}

/* It is not back before it moves, nor when its records are gone. */
static void
given_up(void)
{
	struct mc_conn *conn;

	begin();
	conn = connect_as("world-1");
	acknowledge(conn, 5, 0xe0);
	replicas_give_up(&replicas, "world-1", NULL, done, NULL);
	stage_pass(0);
	CU_ASSERT_TRUE(entry()->resync);
	CU_ASSERT_TRUE(stage_logged("world-1 is given up"));
	acknowledge(conn, 5, 0xe0);
	CU_ASSERT_TRUE(entry()->resync);
	acknowledge(conn, 6, 0xe0);
	CU_ASSERT_FALSE(entry()->resync);
	replicas_give_up(&replicas, "world-1", NULL, done, NULL);
	extent.position.oldest = 9;
	acknowledge(conn, 6, 0xe0);	/* which the server hears with this */
	acknowledge(conn, 7, 0xe0);
	CU_ASSERT_TRUE(entry()->resync);
	acknowledge(conn, 8, 0xe0);
	CU_ASSERT_FALSE(entry()->resync);
	end();
}

/* Files */

static void
file_write(char byte, size_t size)
{
	char *bytes = mc_zalloc(size);

	memset(bytes, byte, size);
	unlink(extent.path);
	scratch_write(FILE, bytes, size, 0600);
	free(bytes);
	extent.end = size;
}

static void
get(struct mc_conn *conn, uint64_t offset)
{
	const struct antp_request file = {
		.verb = ANTP_GET, .file = FILE, .offset = offset
	};

	stage_unwrite(conn);
	request(conn, &file);
}

/* Takes the rest; is the answer so many bytes that are all this one? */
static bool
got(struct mc_conn *conn, char byte, size_t size)
{
	struct antp_response response;
	const char *bytes, *why;
	size_t len, before;
	int head;

	do {
		stage_written(conn, &before);
		stage_drain(conn);
		stage_pass(0);
		bytes = stage_written(conn, &len);
	} while (len > before);
	head = antp_response_read(bytes, len, &response, &why);
	if (head <= 0 || response.status != ANTP_OK ||
	    response.length != size || len - (size_t)head != size)
		return false;
	for (size_t i = (size_t)head; i < len; i++)
		if (bytes[i] != byte)
			return false;
	return true;
}

/* The same name, but not the same file. */
static void
replaced(void)
{
	struct mc_conn *old, *new, *third;
	size_t most, len;

	begin();
	file_write('a', 1500000);
	old = connect_as("world-1");
	get(old, 0);
	stage_written(old, &most);
	CU_ASSERT_TRUE(most > 0 && most < 1500000);	/* in the midst of it */
	file_write('b', 1200000);
	new = connect_as("world-2");
	get(new, 200000);
	stage_written(new, &len);
	CU_ASSERT_TRUE(len > 0 && len < 1000000);
	third = connect_as("world-3");
	get(third, 1199999);
	CU_ASSERT_TRUE(got(third, 'b', 1));
	CU_ASSERT_TRUE(got(old, 'a', 1500000));
	CU_ASSERT_TRUE(got(new, 'b', 1000000));
	get(old, 0);
	CU_ASSERT_TRUE(got(old, 'b', 1200000));
	/* One that is deleted after it was named is still whole. */
	unlink(extent.path);
	get(new, 0);
	CU_ASSERT_TRUE(got(new, 'b', 1200000));
	end();
}

/* Both have the old one when they ask, and one goes. */
static void
replaced_for_two(void)
{
	const struct antp_request file = { .verb = ANTP_GET, .file = FILE };
	struct mc_conn *one, *two;
	char head[ANTP_HEAD_MAX];
	size_t len = antp_request_write(&file, head);

	begin();
	file_write('a', 1000);
	one = connect_as("world-1");
	two = connect_as("world-2");
	get(one, 0);
	get(two, 0);
	CU_ASSERT_TRUE(got(one, 'a', 1000) && got(two, 'a', 1000));
	file_write('b', 2000);
	stage_unwrite(two);
	stage_feed(one, head, len);
	stage_feed(two, head, len);
	stage_drop(one);
	stage_pass(0);
	CU_ASSERT_TRUE(got(two, 'b', 2000));
	end();
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "what counts as progress", progress },
		{ "it is kept over restarts", kept },
		{ "who was given up comes back by progress", given_up },
		{ "another file of the same name", replaced },
		{ "while two ask for it", replaced_for_two },
		{ NULL, NULL }
	};

	return cutap_run("antpserv", tests);
}
