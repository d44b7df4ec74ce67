/* SPDX-License-Identifier: MIT */
/* antpclnt_rig - see antpclnt_rig.h. */

#include "cutap.h"

#include "antpclnt_rig.h"
#include "scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOON		(20000 * (uint64_t)86400000 + 43200000)
#define SEGMENT_SIZE	16384

struct rig rig;

static void *conf, *client;
static struct { const char *key; int64_t number; } numbers[8];
static unsigned nnumbers;
static uint64_t server_ms;

/* The server. */

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

/* The mirror. */

static void
field_set(const char *name, const void *value, size_t size)
{
	const struct mc_key *key = metacube_module.keys;

	while (strcmp(key->name, name) != 0)
		key++;
	memcpy((char *)conf + key->offset, value, size);
}

static void
number_set(const char *name, int64_t number)
{
	field_set(name, &number, sizeof(number));
}

void
rig_set(const char *key, int64_t number)
{
	numbers[nnumbers].key = key;
	numbers[nnumbers++].number = number;
}

void
rig_open(const char *server)
{
	static char path[512];
	const char *at = path, *role = "account";
	bool yes = true;

	snprintf(path, sizeof(path), "%s", scratch_path("mirror"));
	conf = mc_zalloc(metacube_module.conf_size);
	client = mc_zalloc(metacube_module.state_size);
	field_set("path", &at, sizeof(at));
	field_set("server", &server, sizeof(server));
	field_set("role", &role, sizeof(role));
	field_set("mirror_freeze", &yes, sizeof(yes));
	number_set("wait", 20000);
	number_set("answer_timeout", 10000);
	number_set("freeze_interval", 300000);
	number_set("fallback_after", 5000);
	number_set("anew_max", 6);
	for (unsigned i = 0; i < nnumbers; i++)
		if (strcmp(numbers[i].key, "mirror_freeze") == 0)
			field_set("mirror_freeze", &numbers[i].number, 1);
		else
			number_set(numbers[i].key, numbers[i].number);
	nnumbers = 0;
	CU_ASSERT_EQUAL_FATAL(metacube_module.init(client, stage_host(),
	    conf), MC_OK);
	CU_ASSERT_EQUAL_FATAL(metacube_module.start(client), MC_OK);
}

void
rig_close(void)
{
	metacube_module.stop(client);
	stage_pass(0);
	CU_ASSERT_EQUAL(stage_owed(), 0);
	metacube_module.fini(client);
	free(client);
	free(conf);
	rig.conn = NULL;
	stage_reset("");
}

void
rig_mirror_remove(void)
{
	char path[512];
	DIR *dir = opendir(scratch_path("mirror"));
	struct dirent *entry;

	CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
	while ((entry = readdir(dir)) != NULL) {
		snprintf(path, sizeof(path), "mirror/%s", entry->d_name);
		unlink(scratch_path(path));
	}
	closedir(dir);
}

void
rig_done(void)
{
	rig_close();
	rig_server_gone();
	scratch_remove();
}

/* Asking it. */

static const struct mc_ref *
service(unsigned n)
{
	static struct mc_ref ref;

	ref.provider = client;
	ref.ops = metacube_module.provides[n].ops;
	return &ref;
}

static void
replied(void *owner, const struct mc_reply *from)
{
	struct rig_reply *reply = owner;

	reply->answered = true;
	reply->status = from->status;
	reply->len = from->len;
	if (from->len > 0)
		memcpy(reply->data, from->data, from->len);
}

void
rig_forget(struct rig_reply *reply)
{
	mc_call_cancel(&reply->call);
}

#define ASK(n, function, ...) do { \
	memset(reply, 0, sizeof(*reply)); \
	function(service(n), __VA_ARGS__, &reply->call, replied, reply); \
	stage_pass(0); \
} while (0)

void
rig_read(struct rig_reply *reply, uint8_t epoch, uint64_t after,
    unsigned wait_ms)
{
	struct wmq_pointer pointer = { .seq = after };

	memset(pointer.epoch, epoch, sizeof(pointer.epoch));
	ASK(0, wmq_read, &pointer, WMQ_BATCH_MAX, wait_ms);
}

void
rig_append_to(struct rig_reply *reply)
{
	ASK(0, wmq_append, "tst", "x", 1);
}

void
rig_position(struct rig_reply *reply)
{
	memset(reply, 0, sizeof(*reply));
	wmq_position(service(0), &reply->call, replied, reply);
	stage_pass(0);
}

void
rig_extent(struct rig_reply *reply, const char *name, uint64_t offset,
    unsigned wait_ms)
{
	ASK(1, wmqfile_extent, name, offset, wait_ms);
}

void
rig_find(struct rig_reply *reply, uint64_t seq)
{
	ASK(1, wmqfile_find, seq);
}

void
rig_prune(struct rig_reply *reply, uint64_t seq)
{
	ASK(1, wmqfile_prune, seq);
}

void
rig_obtain(struct rig_reply *reply, bool renew)
{
	ASK(2, freeze_obtain, renew);
}

void
rig_state(struct rig_reply *reply, bool fresh)
{
	ASK(3, mirror_state, fresh);
}

void
rig_acknowledge(uint64_t seq)
{
	struct tcapw_position position = { .pointer.seq = seq };

	mirror_acknowledge(service(3), &position);
}

uint64_t
rig_last_seq(const struct rig_reply *reply)
{
	struct mc_reply from = { reply->status, reply->len, reply->data };
	struct wmq_record record;
	uint64_t last = 0;
	size_t offset = 0;

	while (wmq_batch_next(&from, &offset, &record) != NULL)
		last = record.seq;
	return last;
}

uint64_t
rig_fetched(void)
{
	static struct rig_reply reply;
	struct wmq_position position;

	rig_position(&reply);
	if (!reply.answered || reply.status != MC_OK) {
		rig_forget(&reply);
		return 0;
	}
	memcpy(&position, reply.data, sizeof(position));
	return position.durable;
}

bool
rig_same_queue(void)
{
	struct queue_view *view = queue_view(rig.queue);
	bool same = true;

	for (size_t i = 0; i < view->count && same; i++) {
		char ours[128], theirs[128];
		size_t len, our_len;
		char *data, *our_data;

		snprintf(ours, sizeof(ours), "mirror/%s",
		    view->files[i].name);
		snprintf(theirs, sizeof(theirs), "%s/%s", rig.folder,
		    view->files[i].name);
		if (access(scratch_path(ours), F_OK) == -1) {
			same = false;
			break;
		}
		data = scratch_read(scratch_path(theirs), &len);
		our_data = scratch_read(scratch_path(ours), &our_len);
		same = our_len >= view->files[i].end &&
		    memcmp(data, our_data, view->files[i].end) == 0;
		free(data);
		free(our_data);
	}
	free(view);
	return same;
}

bool
rig_same_freeze(void)
{
	char name[128], *data;
	size_t len;
	bool same;

	snprintf(name, sizeof(name), "mirror/%s", rig.freeze);
	if (access(scratch_path(name), F_OK) == -1)
		return false;
	data = scratch_read(scratch_path(name), &len);
	same = len == rig.freeze_size &&
	    memcmp(data, rig.freeze_data, len) == 0;
	free(data);
	return same;
}
