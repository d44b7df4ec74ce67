/* SPDX-License-Identifier: MIT */
/*
 * hear - what a client makes of what the servers say.
 *
 * All of it is bounded: frames by the stream, the memory of a decoded message
 * here, texts by TEXT_MAX, who is seen by SEEN_MAX.
 */
#include "conversation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DECODED_MAX	(1024 * 1024)	/* of a frame of 64 KiB */
#define MAPS_MAX	1024		/* of one page */

static void
nonsense(struct metacube_client *client, const char *what)
{
	fault_set(&client->fault, METACUBE_E_PROTOCOL, "%s sent %s",
	    stream_label(client->stream), what);
	client_failed(client, METACUBE_E_PROTOCOL);
}

/* For people to read, whatever it was: what is not plain becomes "?". */
static void
text_clean(char *text)
{
	if (mc_text_valid(text, strlen(text)))
		return;
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

static void
text_copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from);
	text_clean(to);
}

static bool
is_key_copied(char to[METACUBE_KEY_SIZE], const char *from)
{
	if (!mc_key_valid(from))
		return false;
	snprintf(to, METACUBE_KEY_SIZE, "%s", from);
	return true;
}

static void
answered(struct metacube_client *client)
{
	client->asked = 0;
	client->answer_by = UINT64_MAX;
}

static void
queued(struct metacube_client *client, const Metacube__Envelope *envelope)
{
	if (!talk_was_asked(client, METACUBE_LOGIN))
		return;
	client->answer_by = clock_ms() + client->options.answer_ms;
	TELL(client, queued, envelope->queued->position);
}

/* With a map, Reroute is still to come. */
static void
logged_in(struct metacube_client *client, const Metacube__Envelope *envelope)
{
	char display[METACUBE_NAME_SIZE];

	if (!talk_was_asked(client, METACUBE_LOGIN)) {
		nonsense(client, "LoggedIn, and nobody was logging in");
		return;
	}
	if (client->route.map[0] != '\0')
		return;
	text_copy(display, sizeof(display), envelope->logged_in->display);
	answered(client);
	client->state = METACUBE_LOGGED_IN;
	TELL(client, logged_in, display);
}

/* Texts are cleaned where they lie: the message is our copy. */
static void
maps(struct metacube_client *client, const Metacube__Envelope *envelope)
{
	const Metacube__Maps *page = envelope->maps;
	struct metacube_map list[MAPS_MAX];
	size_t count = page->n_maps;

	if (!talk_was_asked(client, METACUBE_LIST_MAPS) || count > MAPS_MAX) {
		nonsense(client, "a list of maps that does not fit");
		return;
	}
	answered(client);
	for (size_t i = 0; i < count; i++) {
		text_clean(page->maps[i]->key);
		text_clean(page->maps[i]->title);
		list[i].key = page->maps[i]->key;
		list[i].title = page->maps[i]->title;
		list[i].copies = page->maps[i]->copies;
		list[i].users = page->maps[i]->users;
	}
	TELL(client, maps, list, count, page->more);
}

static bool
is_route(const Metacube__Reroute *reroute, struct route *route_r)
{
	if (reroute->n_endpoint == 0 || reroute->n_endpoint > ENDPOINTS_MAX ||
	    reroute->ticket.len == 0 || reroute->ticket.len > TICKET_MAX)
		return false;
	for (size_t i = 0; i < reroute->n_endpoint; i++)
		if (endpoint_parse(reroute->endpoint[i], NULL,
		    &route_r->endpoints[i]) < 0)
			return false;
	route_r->count = (int)reroute->n_endpoint;
	return is_key_copied(route_r->world, reroute->world) &&
	    is_key_copied(route_r->map, reroute->map);
}

/* A world may send one unasked: its maps move elsewhere. */
static void
rerouted(struct metacube_client *client, const Metacube__Envelope *envelope)
{
	const Metacube__Reroute *reroute = envelope->reroute;
	struct route route = { .hello = HELLO_ENTER, .role = "world" };

	if (client->state == METACUBE_LEAVING)
		return;
	if (!is_route(reroute, &route) || (client->state !=
	    METACUBE_IN_WORLD && client->state != METACUBE_LOGGED_IN &&
	    client->state != METACUBE_LOGGING_IN)) {
		nonsense(client, "a Reroute that makes no sense");
		return;
	}
	memcpy(client->ticket, reroute->ticket.data, reroute->ticket.len);
	client->ticket_len = reroute->ticket.len;
	client_rerouted(client, &route);
}

static bool
is_place(struct metacube_client *client, const Metacube__Entered *entered)
{
	struct metacube_place *place = &client->place;
	size_t n = entered->n_id;

	if (entered->n_display != n || entered->n_x != n ||
	    entered->n_y != n || entered->n_z != n ||
	    entered->secret.len == 0 || entered->secret.len > SECRET_MAX ||
	    !is_key_copied(place->world, entered->world) ||
	    !is_key_copied(place->map, entered->map))
		return false;
	text_copy(place->title, sizeof(place->title), entered->title);
	place->self = entered->avatar;
	place->width = entered->width;
	place->height = entered->height;
	place->tick_ms = entered->tick_ms;
	place->speed = entered->speed;
	return true;
}

static bool
is_snapshot(struct metacube_client *client, const Metacube__Entered *entered)
{
	seen_clear(&client->seen);
	for (size_t i = 0; i < entered->n_id; i++) {
		struct metacube_avatar *avatar =
		    seen_add(&client->seen, entered->id[i]);

		if (avatar == NULL)
			return false;
		avatar->x = entered->x[i];
		avatar->y = entered->y[i];
		avatar->z = entered->z[i];
		text_copy(avatar->display, sizeof(avatar->display),
		    entered->display[i]);
	}
	return true;
}

static void
entered(struct metacube_client *client, const Metacube__Envelope *envelope)
{
	const Metacube__Entered *message = envelope->entered;
	const struct route *route = &client->route;

	if (client->state == METACUBE_LEAVING)
		return;
	if (!talk_was_asked(client, METACUBE_ENTER) ||
	    !is_place(client, message) || !is_snapshot(client, message)) {
		nonsense(client, "an Entered that makes no sense");
		return;
	}
	if (strcmp(route->world, message->world) != 0 ||
	    strcmp(route->map, message->map) != 0) {
		fault_set(&client->fault, METACUBE_E_WORLD, "%s should be "
		    "%s with %s, but it is %s with %s",
		    stream_label(client->stream), route->world, route->map,
		    client->place.world, client->place.map);
		client_failed(client, METACUBE_E_WORLD);
		return;
	}
	answered(client);
	client->session = message->session;
	client->secret_len = message->secret.len;
	memcpy(client->secret, message->secret.data, message->secret.len);
	client_entered(client);
}

/* A copy: the callback may close the client, and with it the table. */
static void
tell_of(struct metacube_client *client,
    void (*event)(void *, const struct metacube_avatar *),
    const struct metacube_avatar *avatar)
{
	struct metacube_avatar who = *avatar;

	if (event != NULL)
		event(client->events.owner, &who);
}

/* Positions of those who have not appeared are left out: the snapshot that
 * holds them, or their Appeared, follows. */
static void
updated(struct metacube_client *client, const Metacube__Envelope *envelope)
{
	const Metacube__Update *update = envelope->update;
	size_t n = update->n_id;

	if (update->n_x != n || update->n_y != n || update->n_z != n) {
		nonsense(client, "an Update with lists of different lengths");
		return;
	}
	for (size_t i = 0; i < n && client->state == METACUBE_IN_WORLD; i++) {
		struct metacube_avatar *avatar =
		    seen_find(&client->seen, update->id[i]);

		if (avatar == NULL)
			continue;
		avatar->x = update->x[i];
		avatar->y = update->y[i];
		avatar->z = update->z[i];
		tell_of(client, client->events.moved, avatar);
	}
}

static void
appeared(struct metacube_client *client, const Metacube__Envelope *envelope)
{
	const Metacube__Appeared *message = envelope->appeared;
	struct metacube_avatar *avatar = seen_add(&client->seen, message->id);

	if (avatar == NULL) {
		nonsense(client, "more avatars than there can be");
		return;
	}
	avatar->x = message->x;
	avatar->y = message->y;
	avatar->z = message->z;
	text_copy(avatar->display, sizeof(avatar->display), message->display);
	tell_of(client, client->events.appeared, avatar);
}

static void
vanished(struct metacube_client *client, const Metacube__Envelope *envelope)
{
	struct metacube_avatar *avatar =
	    seen_find(&client->seen, envelope->vanished->id), gone;

	if (avatar == NULL)
		return;
	gone = *avatar;
	seen_remove(&client->seen, gone.id);
	TELL(client, vanished, &gone);
}

static void
said(struct metacube_client *client, const Metacube__Envelope *envelope)
{
	const Metacube__Said *message = envelope->said;
	char display[METACUBE_NAME_SIZE], text[TEXT_MAX];

	text_copy(display, sizeof(display), message->display);
	text_copy(text, sizeof(text), message->text);
	TELL(client, said, message->id, display, text,
	    (enum metacube_range)message->range);
}

static void
kicked(struct metacube_client *client, const Metacube__Envelope *envelope)
{
	enum metacube_reason reason =
	    (enum metacube_reason)envelope->kicked->reason;
	char text[TEXT_MAX];

	text_copy(text, sizeof(text), envelope->kicked->text);
	if (account_unanswered(client))
		return;
	client_idle(client);
	TELL(client, kicked, reason, text);
}

static void
changed(struct metacube_client *client, const Metacube__Envelope *envelope)
{
	const Metacube__AccountAnswer *answer = envelope->account_answer;
	enum metacube_change change = (enum metacube_change)answer->result;
	char text[TEXT_MAX];

	if (!talk_was_asked(client, METACUBE_ACCOUNT)) {
		nonsense(client, "an answer to a change, and nobody had asked");
		return;
	}
	if (change < METACUBE_C_DONE || change > METACUBE_C_NOT_ALLOWED)
		change = METACUBE_C_UNCERTAIN;	/* of a newer server */
	text_copy(text, sizeof(text), answer->text);
	answered(client);
	TELL(client, changed, change, text, answer->retry_ms);
}

/* The session is unknown to the world, or cannot be taken just now. */
static void
resume_refused(struct metacube_client *client, const Metacube__Refused *refused,
    const char *text)
{
	struct fault fault;

	fault_set(&fault, METACUBE_E_RESUME, "%s does not take the session up "
	    "again: %.300s", stream_label(client->stream), text);
	client->fault = fault;
	if (refused->reason == METACUBE__REASON__TRY_LATER)
		client_lost(client, &fault);
	else
		client_failed(client, METACUBE_E_RESUME);
}

static void
refused(struct metacube_client *client, const Metacube__Envelope *envelope)
{
	const Metacube__Refused *message = envelope->refused;
	uint32_t cid = envelope->cid != 0 ? envelope->cid : client->asked;
	enum metacube_request request = talk_request(cid);
	enum metacube_reason reason = (enum metacube_reason)message->reason;
	unsigned retry_ms = message->retry_ms;
	char text[TEXT_MAX];

	text_copy(text, sizeof(text), message->text);
	if (text[0] == '\0')
		text_copy(text, sizeof(text), metacube_reason_text(reason));
	if (client->state == METACUBE_DROPPED) {
		resume_refused(client, message, text);
		return;
	}
	if (request > METACUBE_ACCOUNT)
		request = METACUBE_NOTHING;
	if (cid == client->asked)
		answered(client);
	if (client->state == METACUBE_LOGGING_IN ||
	    client->state == METACUBE_REROUTED)
		client_idle(client);
	TELL(client, refused, request, reason, text, retry_ms);
}

static void
ponged(struct metacube_client *client, const Metacube__Envelope *envelope)
{
	Metacube__Pong pong = METACUBE__PONG__INIT;
	Metacube__Envelope answer = ENVELOPE(PONG, pong, &pong);

	answer.cid = envelope->cid;
	talk_send(client, &answer);
}

/* What only a world says, once the client is in it. */
static bool
world_said(struct metacube_client *client, const Metacube__Envelope *envelope)
{
	if (client->state != METACUBE_IN_WORLD &&
	    client->state != METACUBE_LEAVING)
		return false;
	switch (envelope->message_case) {
	case METACUBE__ENVELOPE__MESSAGE_UPDATE:
		updated(client, envelope);
		return true;
	case METACUBE__ENVELOPE__MESSAGE_APPEARED:
		appeared(client, envelope);
		return true;
	case METACUBE__ENVELOPE__MESSAGE_VANISHED:
		vanished(client, envelope);
		return true;
	case METACUBE__ENVELOPE__MESSAGE_SAID:
		said(client, envelope);
		return true;
	default:
		return false;
	}
}

static void
server_said(struct metacube_client *client, const Metacube__Envelope *envelope)
{
	switch (envelope->message_case) {
	case METACUBE__ENVELOPE__MESSAGE_REFUSED:
		refused(client, envelope);
		return;
	case METACUBE__ENVELOPE__MESSAGE_PING:
		ponged(client, envelope);
		return;
	case METACUBE__ENVELOPE__MESSAGE_PONG:
		return;
	case METACUBE__ENVELOPE__MESSAGE_QUEUED:
		queued(client, envelope);
		return;
	case METACUBE__ENVELOPE__MESSAGE_LOGGED_IN:
		logged_in(client, envelope);
		return;
	case METACUBE__ENVELOPE__MESSAGE_MAPS:
		maps(client, envelope);
		return;
	case METACUBE__ENVELOPE__MESSAGE_REROUTE:
		rerouted(client, envelope);
		return;
	case METACUBE__ENVELOPE__MESSAGE_ENTERED:
		entered(client, envelope);
		return;
	case METACUBE__ENVELOPE__MESSAGE_KICKED:
		kicked(client, envelope);
		return;
	case METACUBE__ENVELOPE__MESSAGE_ACCOUNT_ANSWER:
		changed(client, envelope);
		return;
	case METACUBE__ENVELOPE__MESSAGE__NOT_SET:
		return;		/* of a newer server: not for us */
	default:
		if (!world_said(client, envelope))
			nonsense(client, "a message that does not belong here");
	}
}

/* protobuf-c asks for memory as the input tells it to: so much and no more. */
struct budget {
	size_t	left;
};

static void *
budget_alloc(void *data, size_t size)
{
	struct budget *budget = data;

	if (size > budget->left)
		return NULL;
	budget->left -= size;
	return malloc(size);
}

static void
budget_free(void *data, void *block)
{
	(void)data;
	free(block);
}

void
hear_frame(struct metacube_client *client, const uint8_t *frame, size_t len)
{
	struct budget budget = { DECODED_MAX };
	ProtobufCAllocator allocator = { budget_alloc, budget_free, &budget };
	Metacube__Envelope *envelope;

	client->heard_ms = clock_ms();
	client->pinged = false;
	envelope = metacube__envelope__unpack(&allocator, len, frame);
	if (envelope == NULL) {
		nonsense(client, "what cannot be decoded");
		return;
	}
	server_said(client, envelope);
	metacube__envelope__free_unpacked(envelope, &allocator);
}
