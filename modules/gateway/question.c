/* SPDX-License-Identifier: MIT */
/*
 * question - what somebody asks who is known: what maps there are, the way to
 * one, and changes of the account.
 */
#include "session.h"

static void
maps_send(struct session *session, const struct taskmaster_map *maps,
    size_t count)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Maps message = METACUBE__MAPS__INIT;
	Metacube__MapEntry entries[TASKMASTER_MAPS_MAX];
	Metacube__MapEntry *list[TASKMASTER_MAPS_MAX];

	for (size_t i = 0; i < count; i++) {
		metacube__map_entry__init(&entries[i]);
		entries[i].key = (char *)maps[i].map;
		entries[i].title = (char *)maps[i].title;
		entries[i].copies = maps[i].copies;
		entries[i].users = maps[i].users;
		list[i] = &entries[i];
	}
	message.n_maps = count;
	message.maps = list;
	message.more = count == TASKMASTER_MAPS_MAX;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_MAPS;
	envelope.maps = &message;
	session_send(session, &envelope);
}

static void
listed(void *owner, const struct mc_reply *reply)
{
	struct session *session = owner;
	size_t count = reply->len / sizeof(struct taskmaster_map);

	session->stage = KNOWN;
	if (reply->status != MC_OK || count > TASKMASTER_MAPS_MAX)
		session_refuse(session, METACUBE__REASON__TRY_LATER,
		    "the list of maps cannot be had now", RETRY_MS);
	else
		maps_send(session, reply->data, count);
}

static void
list_said(struct session *session, const char *after)
{
	if (after[0] != '\0' && !mc_key_valid(after)) {
		session_turn_away_bad(session,
		    "this cannot be the name of a map");
		return;
	}
	session->stage = ASKING;
	taskmaster_maps(&session->gateway->taskmaster, after,
	    &session->call, listed, session);
}

static void
join_said(struct session *session, const char *map)
{
	session->began_ms = mc_now_ms();
	if (session_map(session, map))
		session_place(session);
	else
		session_refuse(session, METACUBE__REASON__NO_SUCH_MAP,
		    "this cannot be the name of a map", 0);
}

static bool
question_may(struct session *session)
{
	uint64_t second = mc_now_ms() / 1000;

	if (second != session->second)
		session->questions = 0;
	session->second = second;
	return session->questions++ <
	    session->gateway->conf->question_rate;
}

void
question_said(struct session *session, const Metacube__Envelope *envelope)
{
	if (!question_may(session))
		session_refuse(session, METACUBE__REASON__TRY_LATER,
		    "too many questions at once", RETRY_MS);
	else if (envelope->message_case ==
	    METACUBE__ENVELOPE__MESSAGE_LIST_MAPS)
		list_said(session, envelope->list_maps->after);
	else if (envelope->message_case == METACUBE__ENVELOPE__MESSAGE_JOIN)
		join_said(session, envelope->join->map);
	else if (envelope->message_case ==
	    METACUBE__ENVELOPE__MESSAGE_ACCOUNT_REQUEST)
		change_said(session, envelope->account_request);
	else
		session_turn_away_bad(session, "this was not expected now");
}
