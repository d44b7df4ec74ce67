/* SPDX-License-Identifier: MIT */
/*
 * talk - what a client says.
 *
 * The cid of a question carries the kind of request in its lowest 4 bits, so
 * that a refusal says what was refused.  One question is open at a time;
 * Move and Say are not questions.
 */
#include "conversation.h"

#include <string.h>

#define PROTOCOL_VERSION	1
#define KIND_BITS		4

int
talk_send(struct metacube_client *client, Metacube__Envelope *envelope)
{
	size_t len = metacube__envelope__get_packed_size(envelope);
	uint8_t *room = stream_reserve(client->stream, len);

	if (room == NULL)
		return (int)fault_set(&client->fault, METACUBE_E_BUSY,
		    "%s takes nothing now", stream_label(client->stream));
	metacube__envelope__pack(envelope, room);
	stream_commit(client->stream, len);
	client->sent_ms = clock_ms();
	return METACUBE_OK;
}

static uint32_t
cid_new(struct metacube_client *client, enum metacube_request request)
{
	uint32_t number = (client->cid >> KIND_BITS) + 1;

	client->cid = number << KIND_BITS | (uint32_t)request;
	return client->cid;
}

enum metacube_request
talk_request(uint32_t cid)
{
	return cid & ((1 << KIND_BITS) - 1);
}

bool
talk_was_asked(const struct metacube_client *client,
    enum metacube_request request)
{
	return client->asked != 0 && talk_request(client->asked) == request;
}

int
talk_ask(struct metacube_client *client, enum metacube_request request,
    Metacube__Envelope *envelope)
{
	int error;

	if (client->asked != 0)
		return (int)fault_set(&client->fault, METACUBE_E_BUSY,
		    "%s has not answered the last question yet",
		    stream_label(client->stream));
	envelope->cid = cid_new(client, request);
	error = talk_send(client, envelope);
	if (error != METACUBE_OK)
		return error;
	client->asked = envelope->cid;
	client->answer_by = client->sent_ms + client->options.answer_ms;
	return METACUBE_OK;
}

void
talk_ping(struct metacube_client *client)
{
	Metacube__Ping ping = METACUBE__PING__INIT;
	Metacube__Envelope envelope = ENVELOPE(PING, ping, &ping);

	client->pinged = true;
	/* What is queued already serves as well. */
	if (talk_send(client, &envelope) != METACUBE_OK)
		client->sent_ms = clock_ms();
}

static void
hello_login(struct metacube_client *client)
{
	Metacube__Login login = METACUBE__LOGIN__INIT;
	Metacube__Envelope envelope = ENVELOPE(LOGIN, login, &login);

	login.version = PROTOCOL_VERSION;
	login.mechanism = (char *)"password";
	login.name = client->name;
	login.proof.data = client->proof;
	login.proof.len = sizeof(client->proof);
	login.map = client->route.map;
	talk_ask(client, METACUBE_LOGIN, &envelope);
	explicit_bzero(client->proof, sizeof(client->proof));
}

static void
hello_enter(struct metacube_client *client)
{
	Metacube__Enter enter = METACUBE__ENTER__INIT;
	Metacube__Envelope envelope = ENVELOPE(ENTER, enter, &enter);

	enter.ticket.data = client->ticket;
	enter.ticket.len = client->ticket_len;
	talk_ask(client, METACUBE_ENTER, &envelope);
}

static void
hello_resume(struct metacube_client *client)
{
	Metacube__Resume resume = METACUBE__RESUME__INIT;
	Metacube__Envelope envelope = ENVELOPE(RESUME, resume, &resume);

	resume.session = client->session;
	resume.secret.data = client->secret;
	resume.secret.len = client->secret_len;
	talk_ask(client, METACUBE_ENTER, &envelope);
}

void
talk_hello(struct metacube_client *client)
{
	static void (*const hellos[])(struct metacube_client *) = {
		[HELLO_LOGIN] = hello_login,
		[HELLO_ENTER] = hello_enter,
		[HELLO_RESUME] = hello_resume,
	};

	client->greeted = true;
	client->heard_ms = clock_ms();
	hellos[client->route.hello](client);
}

static enum metacube_error
need_state(struct metacube_client *client, bool fits, const char *what)
{
	return fits ? METACUBE_OK : fault_set(&client->fault,
	    METACUBE_E_STATE, "%s", what);
}

static bool
can_ask(const struct metacube_client *client)
{
	return client->state == METACUBE_LOGGED_IN ||
	    client->state == METACUBE_IN_WORLD;
}

enum metacube_error
metacube_client_list_maps(struct metacube_client *client, const char *after)
{
	Metacube__ListMaps list = METACUBE__LIST_MAPS__INIT;
	Metacube__Envelope envelope = ENVELOPE(LIST_MAPS, list_maps, &list);
	enum metacube_error error = need_state(client, can_ask(client),
	    "log in before you ask for the maps");

	if (error != METACUBE_OK)
		return error;
	if (after != NULL)
		list.after = (char *)after;
	return (enum metacube_error)talk_ask(client, METACUBE_LIST_MAPS,
	    &envelope);
}

enum metacube_error
metacube_client_join(struct metacube_client *client, const char *map)
{
	Metacube__Join join = METACUBE__JOIN__INIT;
	Metacube__Envelope envelope = ENVELOPE(JOIN, join, &join);
	enum metacube_error error = need_state(client, can_ask(client),
	    "log in before you join a map");

	if (error != METACUBE_OK)
		return error;
	if (!mc_key_valid(map))
		return fault_set(&client->fault, METACUBE_E_MAP,
		    "\"%.64s\" is not the key of a map", map);
	join.map = (char *)map;
	return (enum metacube_error)talk_ask(client, METACUBE_JOIN, &envelope);
}

enum metacube_error
metacube_client_move(struct metacube_client *client, int32_t x, int32_t y)
{
	Metacube__Move move = METACUBE__MOVE__INIT;
	Metacube__Envelope envelope = ENVELOPE(MOVE, move, &move);
	enum metacube_error error = need_state(client,
	    client->state == METACUBE_IN_WORLD,
	    "enter a world before you move");

	if (error != METACUBE_OK)
		return error;
	move.x = x;
	move.y = y;
	envelope.cid = cid_new(client, METACUBE_MOVE);
	return (enum metacube_error)talk_send(client, &envelope);
}

enum metacube_error
metacube_client_say(struct metacube_client *client, const char *text,
    enum metacube_range range)
{
	Metacube__Say say = METACUBE__SAY__INIT;
	Metacube__Envelope envelope = ENVELOPE(SAY, say, &say);
	enum metacube_error error = need_state(client,
	    client->state == METACUBE_IN_WORLD,
	    "enter a world before you speak");

	if (error != METACUBE_OK)
		return error;
	if (text[0] == '\0' || !mc_text_valid(text, METACUBE_SAY_MAX))
		return fault_set(&client->fault, METACUBE_E_TEXT,
		    "what is said must be plain UTF-8 text of 1 to %d bytes",
		    METACUBE_SAY_MAX);
	say.text = (char *)text;
	say.range = (Metacube__Range)range;
	envelope.cid = cid_new(client, METACUBE_SAY);
	return (enum metacube_error)talk_send(client, &envelope);
}
