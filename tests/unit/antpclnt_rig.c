/* SPDX-License-Identifier: MIT */
/* The rig's mirror: antpclnt as a module, and what it says. */
#include "cutap.h"

#include "antpclnt_rig.h"
#include "scratch.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *conf, *client;
static struct { const char *key; int64_t number; } numbers[8];
static unsigned nnumbers;

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
rig_begin(void)
{
	scratch_make();
	stage_reset("gateway");
	rig_server(1);
}

void
rig_fetch(const char *server)
{
	rig_open(server);
	rig_connect();
	rig_serve();
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
