/* SPDX-License-Identifier: MIT */
/*
 * The rig's server: it answers by hand what the mirror asks, as antpserv
 * would, or as the test has told it.
 */
#include "cutap.h"

#include "antpclnt_rig.h"
#include "scratch.h"

#include <stdlib.h>
#include <string.h>

#define NOON		(20000 * (uint64_t)86400000 + 43200000)
#define SEGMENT_SIZE	16384

struct rig rig;

static uint64_t server_ms;

void
rig_server_gone(void)
{
	queue_close(&rig.queue);
	free(rig.freeze_data);
	memset(&rig, 0, sizeof(rig));
	rig.chunk = 1 << 20;
}

void
rig_server(uint8_t epoch)
{
	struct queue_conf queue_conf = {
		.segment_size = SEGMENT_SIZE, .server = "test",
		.io = &queue_io_real
	};
	struct queue_news news;
	static unsigned servers;
	char why[QUEUE_WHY];

	rig_server_gone();
	snprintf(rig.folder, sizeof(rig.folder), "server-%u", servers++);
	queue_conf.path = scratch_path(rig.folder);
	memset(queue_conf.epoch, epoch, sizeof(queue_conf.epoch));
	rig.queue = queue_open(&queue_conf, NOON, &news, why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(rig.queue);
	server_ms = NOON;
}

void
rig_append(unsigned records)
{
	static uint8_t data[600];
	uint64_t first;

	for (unsigned i = 0; i < records; i++) {
		struct queue_entry entry = {
			"tst", data, (uint32_t)(i * 37 % sizeof(data))
		};

		memset(data, (int)i + 1, sizeof(data));
		server_ms += 1000;
		CU_ASSERT_EQUAL_FATAL(queue_commit(rig.queue, &entry, 1,
		    server_ms, &first), QUEUE_OK);
	}
}

void
rig_freeze(uint64_t seq, size_t size)
{
	struct wmq_position position;
	struct freeze_header header = { .size = size };

	queue_position(rig.queue, &position);
	memcpy(header.position.pointer.epoch, position.epoch, 16);
	header.position.pointer.seq = seq;
	header.position.count = size;
	free(rig.freeze_data);
	rig.freeze_data = mc_zalloc(size);
	rig.freeze_size = size;
	freeze_header_write(&header, rig.freeze_data);
	for (size_t i = FREEZE_HEADER_SIZE; i < size; i++)
		rig.freeze_data[i] = (uint8_t)(i * 31 + i / 251 + seq);
	freeze_name(&header, rig.freeze);
}

static void
feed(const void *data, size_t len)
{
	const uint8_t *at = data;
	size_t n;

	for (; len > 0 && rig.conn != NULL; at += n, len -= n) {
		n = len < rig.chunk ? len : rig.chunk;
		if (rig.cut_after != 0 && rig.fed + n > rig.cut_after)
			n = (size_t)(rig.cut_after - rig.fed);
		if (n > 0)
			stage_feed(rig.conn, at, n);
		rig.fed += n;
		if (stage_over(rig.conn))
			rig.conn = NULL;
		else if (rig.cut_after != 0 && rig.fed >= rig.cut_after) {
			stage_drop(rig.conn);
			rig.conn = NULL;
		}
		stage_pass(0);
	}
}

static void
respond(struct antp_response *response, const void *data)
{
	struct wmq_position position;
	char head[ANTP_HEAD_MAX];
	size_t len;

	queue_position(rig.queue, &position);
	if (!rig.no_head && response->status < 100) {
		memcpy(response->head.epoch, position.epoch, 16);
		response->head.seq = position.durable;
		response->head_ms = server_ms;
		memcpy(response->digest.pointer.epoch, position.epoch, 16);
		response->digest.pointer.seq = position.durable + 1;
	}
	len = antp_response_write(response, head);
	feed(head, len);
	feed(data, (size_t)response->length);
}

static void
respond_error(unsigned status, const char *text)
{
	struct antp_response response = { .status = status };

	strcpy(response.text, text);
	respond(&response, NULL);
	if (rig.conn != NULL)
		stage_drop(rig.conn);
	rig.conn = NULL;
}

static void
respond_name(unsigned status, const char *name, uint64_t offset)
{
	struct antp_response response = {
		.status = status, .offset = offset
	};

	strcpy(response.file, name);
	respond(&response, NULL);
}

static void
respond_bytes(const struct antp_request *request, const void *data,
    uint64_t rest)
{
	struct antp_response response = {
		.status = ANTP_OK, .offset = request->offset, .length = rest
	};

	strcpy(response.file, request->file);
	if (request->length != 0 && request->length < rest)
		response.length = request->length;
	respond(&response, (const uint8_t *)data + request->offset);
}

/* false: nothing new, and it wants to wait. */
static bool
serve_queue(const struct antp_request *request)
{
	struct queue_view *view = queue_view(rig.queue);
	char name[128];
	size_t i = 0, len;
	char *data;
	bool done = true;

	while (i < view->count &&
	    strcmp(view->files[i].name, request->file) != 0)
		i++;
	if (i == view->count)
		respond_error(ANTP_NO_FILE, "no such file");
	else if (request->offset > view->files[i].end)
		respond_error(ANTP_BAD_OFFSET, "beyond the end");
	else if (request->offset < view->files[i].end) {
		snprintf(name, sizeof(name), "%s/%s", rig.folder,
		    view->files[i].name);
		data = scratch_read(scratch_path(name), &len);
		if (rig.flip < len)
			data[rig.flip] ^= rig.flip == 0 ? 0 : 1;
		respond_bytes(request, data,
		    view->files[i].end - request->offset);
		free(data);
	} else if (i + 1 < view->count)
		respond_name(ANTP_NEWFILE, view->files[i + 1].name, 0);
	else if (request->wait_s == 0)
		respond_name(ANTP_EMPTY, request->file, request->offset);
	else
		done = false;
	free(view);
	return done;
}

static void
name_after(uint64_t seq)
{
	struct queue_view *view = queue_view(rig.queue);
	size_t i = view->count - 1;

	while (i > 0 && view->files[i].first_seq > seq + 1)
		i--;
	respond_name(ANTP_NEWFILE, view->files[i].name, 0);
	free(view);
}

static void
serve_freeze(const struct antp_request *request)
{
	struct freeze_header header;

	if (strcmp(request->file, rig.freeze) != 0)
		respond_error(ANTP_NO_FILE, "no such file");
	else if (request->offset > rig.freeze_size)
		respond_error(ANTP_BAD_OFFSET, "beyond the end");
	else if (request->offset < rig.freeze_size)
		respond_bytes(request, rig.freeze_data,
		    rig.freeze_size - request->offset);
	else {
		freeze_header_read(rig.freeze_data, FREEZE_HEADER_SIZE,
		    &header);
		name_after(header.position.pointer.seq);
	}
}

static bool
serve(const struct antp_request *request)
{
	if (request->verb == ANTP_FIRST) {
		rig.firsts++;
		if (rig.freeze[0] != '\0')
			respond_name(ANTP_NEWFILE, rig.freeze, 0);
		else
			name_after(0);
		return true;
	}
	if (antp_is_freeze_file(request->file)) {
		serve_freeze(request);
		return true;
	}
	return serve_queue(request);
}

/* The next request, if there is one. */
static bool
take_request(struct antp_request *request)
{
	char all[4 * ANTP_HEAD_MAX];
	const char *why, *written;
	size_t len;
	int used;

	written = stage_written(rig.conn, &len);
	CU_ASSERT_FATAL(len <= sizeof(all));
	memcpy(all, written, len);
	used = antp_request_read(all, len, request, &why);
	CU_ASSERT_NOT_EQUAL_FATAL(used, -1);
	if (used <= 0)
		return false;
	stage_unwrite(rig.conn);
	if (len > (size_t)used)
		mc_conn_write(rig.conn, all + used, len - (size_t)used);
	rig.requests++;
	rig.last = *request;
	return true;
}

static void
held_end(void)
{
	struct antp_request held = rig.held;

	rig.held.verb = 0;
	held.wait_s = 0;
	serve(&held);
}

static bool
serve_next(void)
{
	struct antp_request request;

	if (rig.conn == NULL || stage_over(rig.conn) ||
	    !take_request(&request))
		return false;
	if (rig.held.verb != 0)
		held_end();
	if (rig.conn != NULL && !serve(&request)) {
		rig.held = request;
		rig.held_ms = 0;
		rig.waits++;
	}
	return true;
}

void
rig_serve_one(void)
{
	stage_pass(0);
	serve_next();
	stage_pass(0);
}

void
rig_serve(void)
{
	stage_pass(0);
	if (rig.conn != NULL && rig.held.verb != 0 && serve(&rig.held))
		rig.held.verb = 0;
	while (serve_next())
		stage_pass(0);
	if (rig.conn != NULL && stage_over(rig.conn))
		rig.conn = NULL;
	stage_pass(0);
}

/* Long polls end. */
void
rig_pass(unsigned ms)
{
	for (unsigned past = 0; past < ms; past += 500) {
		stage_pass(500);
		rig_serve();
		if (rig.conn != NULL && rig.held.verb != 0 &&
		    (rig.held_ms += 500) >= rig.held.wait_s * 1000)
			held_end();
		rig_serve();
	}
}

void
rig_connect(void)
{
	rig.held.verb = 0;
	if (stage_dialled()[0] == '\0')
		stage_pass(150);	/* it does not dial at once again */
	rig.conn = stage_accept();
	CU_ASSERT_PTR_NOT_NULL_FATAL(rig.conn);
}

void
rig_answer(const char *head, const void *data, size_t len)
{
	struct antp_request request;

	CU_ASSERT_FATAL(rig.held.verb != 0 || take_request(&request));
	rig.held.verb = 0;
	feed(head, strlen(head));
	feed(data, len);
	stage_pass(0);
	if (rig.conn != NULL && stage_over(rig.conn))
		rig.conn = NULL;
}
