/* SPDX-License-Identifier: MIT */
/*
 * wire - questions as messages, and the answers back from them.  What does not
 * fit its record is no answer.
 */
#include "taskmaster_remote.h"

#include <stdio.h>
#include <string.h>

static void
question_say(struct remote *remote, const struct question *question,
    Metacube__Envelope *envelope)
{
	envelope->cid = question->cid;
	mc_conn_send(remote->conn, envelope);
}

static void
place_send(struct remote *remote, struct question *question)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Place message = METACUBE__PLACE__INIT;

	message.uid = question->what.place.uid;
	message.name = question->what.place.name;
	message.display = question->what.place.display;
	message.map = question->what.place.map;
	message.generation = question->what.place.generation;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_PLACE;
	envelope.place = &message;
	question_say(remote, question, &envelope);
}

static void
maps_send(struct remote *remote, struct question *question)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__ListMaps message = METACUBE__LIST_MAPS__INIT;

	message.after = question->what.after;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_LIST_MAPS;
	envelope.list_maps = &message;
	question_say(remote, question, &envelope);
}

static void
evict_send(struct remote *remote, struct question *question)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Evict message = METACUBE__EVICT__INIT;

	message.uid = question->what.evict.uid;
	message.reason = (uint32_t)question->what.evict.reason;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_EVICT;
	envelope.evict = &message;
	question_say(remote, question, &envelope);
}

static void
players_send(struct remote *remote, struct question *question)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__ListPlayers message = METACUBE__LIST_PLAYERS__INIT;

	message.after = question->what.players_after;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_LIST_PLAYERS;
	envelope.list_players = &message;
	question_say(remote, question, &envelope);
}

void
question_send(struct remote *remote, struct question *question)
{
	static void (*const sends[])(struct remote *, struct question *) = {
		[PLACE] = place_send,
		[MAPS] = maps_send,
		[EVICT] = evict_send,
		[PLAYERS] = players_send,
	};

	question->sent = true;
	sends[question->kind](remote, question);
}

static bool
text_copy(char *to, size_t size, const char *from)
{
	return snprintf(to, size, "%s", from) < (int)size;
}

static void
placed(struct remote *remote, struct question *question,
    const Metacube__Placed *message)
{
	struct taskmaster_place found = { .epoch = message->epoch };
	bool fits = text_copy(found.world, sizeof(found.world),
	    message->world) &&
	    text_copy(found.map, sizeof(found.map), message->map) &&
	    text_copy(found.endpoint, sizeof(found.endpoint),
	    message->endpoint) &&
	    message->ticket.len <= sizeof(found.ticket);

	if (!fits) {
		mc_log(remote->host, MC_ERROR, "%s has sent a place that "
		    "cannot be one", remote->conf->connect);
		question_end(remote, question, MC_INTERNAL, NULL, 0);
		return;
	}
	found.ticket_len = message->ticket.len;
	if (found.ticket_len > 0)
		memcpy(found.ticket, message->ticket.data, found.ticket_len);
	question_end(remote, question, MC_OK, &found, sizeof(found));
}

static void
listed(struct remote *remote, struct question *question,
    const Metacube__Maps *message)
{
	struct taskmaster_map maps[TASKMASTER_MAPS_MAX] = { 0 };
	bool fits = message->n_maps <= TASKMASTER_MAPS_MAX;

	for (size_t i = 0; fits && i < message->n_maps; i++) {
		const Metacube__MapEntry *entry = message->maps[i];

		fits = text_copy(maps[i].map, sizeof(maps[i].map),
		    entry->key) &&
		    text_copy(maps[i].title, sizeof(maps[i].title),
		    entry->title);
		maps[i].copies = entry->copies;
		maps[i].users = entry->users;
	}
	if (fits)
		question_end(remote, question, MC_OK, maps,
		    message->n_maps * sizeof(maps[0]));
	else
		question_end(remote, question, MC_INTERNAL, NULL, 0);
}

static void
players_listed(struct remote *remote, struct question *question,
    const Metacube__Players *message)
{
	struct taskmaster_players list = {
		.doubt = message->doubt, .count = message->n_number
	};
	bool fits = list.count <= TASKMASTER_PLAYERS_MAX &&
	    message->n_uid == list.count &&
	    message->n_generation == list.count &&
	    message->n_display == list.count;

	for (size_t i = 0; fits && i < list.count; i++) {
		list.players[i].number = message->number[i];
		list.players[i].uid = message->uid[i];
		list.players[i].generation = message->generation[i];
		fits = text_copy(list.players[i].display,
		    sizeof(list.players[i].display), message->display[i]);
	}
	if (fits)
		question_end(remote, question, MC_OK, &list, sizeof(list));
	else
		question_end(remote, question, MC_INTERNAL, NULL, 0);
}

static void
refused(struct remote *remote, struct question *question,
    const Metacube__Refused *message)
{
	enum mc_status status;

	switch (message->reason) {
	case METACUBE__REASON__NO_SUCH_MAP:
		status = MC_NOT_FOUND;
		break;
	case METACUBE__REASON__TRY_LATER:
		status = MC_BUSY;
		break;
	case METACUBE__REASON__NOT_ALLOWED:
		status = MC_DENIED;
		break;
	case METACUBE__REASON__BAD_REQUEST:
		status = MC_INVALID;
		break;
	default:
		status = MC_UNAVAILABLE;
	}
	question_end(remote, question, status, NULL, 0);
}

void
question_answered(struct remote *remote, struct question *question,
    const Metacube__Envelope *envelope)
{
	if (envelope->message_case == METACUBE__ENVELOPE__MESSAGE_REFUSED)
		refused(remote, question, envelope->refused);
	else if (question->kind == PLACE &&
	    envelope->message_case == METACUBE__ENVELOPE__MESSAGE_PLACED)
		placed(remote, question, envelope->placed);
	else if (question->kind == MAPS &&
	    envelope->message_case == METACUBE__ENVELOPE__MESSAGE_MAPS)
		listed(remote, question, envelope->maps);
	else if (question->kind == EVICT &&
	    envelope->message_case == METACUBE__ENVELOPE__MESSAGE_EVICTED)
		question_end(remote, question, MC_OK, NULL, 0);
	else if (question->kind == PLAYERS &&
	    envelope->message_case == METACUBE__ENVELOPE__MESSAGE_PLAYERS)
		players_listed(remote, question, envelope->players);
	else
		question_end(remote, question, MC_INTERNAL, NULL, 0);
}
