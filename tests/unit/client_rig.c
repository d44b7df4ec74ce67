/* SPDX-License-Identifier: MIT */
#include "client_rig.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static void
note(struct witness *witness, const char *format, ...)
{
	size_t len = strlen(witness->story);
	va_list args;

	va_start(args, format);
	vsnprintf(witness->story + len, sizeof(witness->story) - len, format,
	    args);
	va_end(args);
}

static void
queued(void *owner, unsigned position)
{
	note(owner, "queued %u; ", position);
}

static void
logged_in(void *owner, const char *display)
{
	note(owner, "logged_in %s; ", display);
}

static void
maps(void *owner, const struct metacube_map *list, size_t count, bool more)
{
	note(owner, "maps");
	for (size_t i = 0; i < count; i++)
		note(owner, " %s=%s,%u,%u", list[i].key, list[i].title,
		    list[i].copies, list[i].users);
	note(owner, "%s; ", more ? "..." : "");
}

static void
rerouted(void *owner, const char *world, const char *endpoint, const char *map)
{
	(void)endpoint;
	note(owner, "rerouted %s %s; ", world, map);
}

static void
entered(void *owner, const struct metacube_place *place)
{
	struct witness *witness = owner;
	size_t count;

	metacube_client_seen(witness->client, &count);
	note(owner, "entered %s %s %zu; ", place->world, place->title, count);
}

static void
appeared(void *owner, const struct metacube_avatar *who)
{
	note(owner, "appeared %s %d %d; ", who->display, who->x, who->y);
}

static void
vanished(void *owner, const struct metacube_avatar *who)
{
	note(owner, "vanished %s; ", who->display);
}

static void
moved(void *owner, const struct metacube_avatar *who)
{
	note(owner, "moved %s %d %d; ", who->display, who->x, who->y);
}

static void
said(void *owner, uint32_t id, const char *display, const char *text,
    enum metacube_range range)
{
	(void)id;
	note(owner, "said %s %s %u; ", display, text, (unsigned)range);
}

static void
kicked(void *owner, enum metacube_reason reason, const char *text)
{
	note(owner, "kicked %u %s; ", (unsigned)reason, text);
}

static void
refused(void *owner, enum metacube_request request,
    enum metacube_reason reason, const char *text, unsigned retry_ms)
{
	struct witness *witness = owner;

	witness->reason = reason;
	note(owner, "refused %u %s %u; ", (unsigned)request, text, retry_ms);
}

static void
dropped(void *owner, enum metacube_error error, const char *why,
    unsigned retry_ms)
{
	(void)why, (void)retry_ms;
	note(owner, "dropped %u; ", (unsigned)error);
}

static void
resumed(void *owner, const struct metacube_place *place)
{
	note(owner, "resumed %s; ", place->map);
}

static void
left(void *owner)
{
	note(owner, "left; ");
}

static void
failed(void *owner, enum metacube_error error, const char *why)
{
	struct witness *witness = owner;

	witness->error = error;
	snprintf(witness->why, sizeof(witness->why), "%s", why);
	note(owner, "failed; ");
}

static void
changed(void *owner, enum metacube_change change, const char *text,
    unsigned retry_ms)
{
	note(owner, "changed %u %s %u; ", (unsigned)change, text, retry_ms);
}

const struct metacube_options usual = {
	.connect_ms = 5000, .handshake_ms = 5000, .answer_ms = 5000,
};

void
begin(struct witness *witness, const char *gateway,
    const struct metacube_options *with)
{
	struct metacube_options options = *with;
	struct metacube_events events = {
		witness, queued, logged_in, maps, rerouted, entered, appeared,
		vanished, moved, said, kicked, refused, dropped, resumed,
		left, failed, changed
	};

	memset(witness, 0, sizeof(*witness));
	options.gateway = gateway;
	if (options.ca_file == NULL)
		options.ca_file = counterpart_ca();
	witness->client = metacube_client_new(&options, &events);
	CU_ASSERT_PTR_NOT_NULL_FATAL(witness->client);
}

void
login(struct witness *witness, const char *map)
{
	CU_ASSERT_EQUAL(metacube_client_login(witness->client, "Joe",
	    "correct horse", map), METACUBE_OK);
}

void
login_to_the_end(struct witness *witness, const char *map)
{
	login(witness, map);
	CU_ASSERT_FALSE(metacube_client_run_for(witness->client, PATIENCE_MS));
}

void
until(struct witness *witness, const char *words)
{
	for (int i = 0; i < PATIENCE_MS / 10; i++) {
		if (strstr(witness->story, words) != NULL)
			return;
		metacube_client_run_for(witness->client, 10);
	}
	fprintf(stderr, "# not \"%s\" but \"%s\" %s\n", words, witness->story,
	    witness->why);
	CU_FAIL("the story goes otherwise");
}

void
fails(struct counterpart *counterpart, enum metacube_error error,
    const char *words, const struct metacube_options *options)
{
	struct witness witness;

	counterpart_start(counterpart);
	begin(&witness, counterpart->endpoint, options);
	login_to_the_end(&witness, NULL);
	metacube_client_free(&witness.client);
	counterpart_stop(counterpart);
	if (witness.error != error || strstr(witness.why, words) == NULL)
		fprintf(stderr, "# %d, %s\n", (int)witness.error, witness.why);
	CU_ASSERT_EQUAL(witness.error, error);
	CU_ASSERT_PTR_NOT_NULL(strstr(witness.why, words));
	CU_ASSERT_PTR_NOT_NULL(strstr(witness.why, counterpart->endpoint));
}

uint32_t heard_cid;
Metacube__Envelope *heard;

void
forget(void)
{
	if (heard != NULL)
		metacube__envelope__free_unpacked(heard, NULL);
	heard = NULL;
}

bool
hear(struct counterpart *self, Metacube__Envelope__MessageCase kind)
{
	forget();
	heard = counterpart_hear(self);
	if (heard == NULL || heard->message_case != kind) {
		fprintf(stderr, "# heard %d instead of %d\n",
		    heard != NULL ? (int)heard->message_case : -1, (int)kind);
		return false;
	}
	heard_cid = heard->cid;
	return true;
}

void
hear_the_end(struct counterpart *self)
{
	Metacube__Envelope *envelope;

	while ((envelope = counterpart_hear(self)) != NULL)
		metacube__envelope__free_unpacked(envelope, NULL);
}

void
silence(struct counterpart *self)
{
	char byte;

	while (recv(self->fd, &byte, 1, 0) > 0)
		;
}

void
hang_up(struct counterpart *self)
{
	(void)self;
}
