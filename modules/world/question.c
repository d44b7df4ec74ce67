/* SPDX-License-Identifier: MIT */
/*
 * question - what clients ask the taskmaster through this world: where can I
 * go from here, and which maps are there?
 *
 * Each session has at most one open question.  It ends with the answer, with
 * the taskmaster's silence, with the link, or with the session.
 */

#include "link.h"

#include <metacube/taskmaster.h>

#include <stdlib.h>

static void
question_free(struct question *question)
{
	struct question **at = &question->link->questions;

	while (*at != question)
		at = &(*at)->next;
	*at = question->next;
	mc_timer_clear(&question->timer);
	question->session->question = NULL;
	free(question);
}

static void
question_answer(struct question *question, const Metacube__Envelope *answer)
{
	struct session *session = question->session;
	uint32_t cid = question->client_cid;

	question_free(question);
	session_answered(session, cid, answer);
}

static void
question_fail(struct question *question, const char *text)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Refused body = METACUBE__REFUSED__INIT;

	body.reason = METACUBE__REASON__TRY_LATER;
	body.text = (char *)text;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_REFUSED;
	envelope.refused = &body;
	question_answer(question, &envelope);
}

static void
question_late(void *owner)
{
	question_fail(owner, "the taskmaster does not answer");
}

static bool
question_ask(struct session *session, uint32_t client_cid,
    Metacube__Envelope *envelope)
{
	struct link *link = session->world->link;
	struct question *question;

	if (!link_up(link))
		return false;
	question = mc_zalloc(sizeof(*question));
	question->link = link;
	question->session = session;
	question->client_cid = client_cid;
	question->cid = link_cid(link);
	question->next = link->questions;
	link->questions = question;
	session->question = question;
	mc_timer_set(session->world->host, &question->timer,
	    TASKMASTER_TIMEOUT_MS, question_late, question);
	envelope->cid = question->cid;
	mc_conn_send(link->conn, envelope);
	return true;
}

bool
link_place(struct session *session, uint32_t cid, const char *map)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Place body = METACUBE__PLACE__INIT;

	body.uid = session->avatar->uid;
	body.name = session->avatar->name;
	body.display = session->avatar->display;
	body.map = (char *)map;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_PLACE;
	envelope.place = &body;
	return question_ask(session, cid, &envelope);
}

bool
link_maps(struct session *session, uint32_t cid, const char *after)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__ListMaps body = METACUBE__LIST_MAPS__INIT;

	body.after = (char *)after;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_LIST_MAPS;
	envelope.list_maps = &body;
	return question_ask(session, cid, &envelope);
}

void
link_forget(struct session *session)
{
	if (session->question != NULL)
		question_free(session->question);
}

static struct question *
question_find(struct link *link, uint32_t cid)
{
	struct question *question = link->questions;

	while (question != NULL && question->cid != cid)
		question = question->next;
	return question;
}

bool
question_answered(struct link *link, uint32_t cid,
    const Metacube__Envelope *answer)
{
	struct question *question = question_find(link, cid);

	if (question != NULL)
		question_answer(question, answer);
	return question != NULL;
}

/* Placed is Reroute to a client. */
void
question_placed(struct link *link, uint32_t cid, const Metacube__Placed *placed)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Reroute reroute = METACUBE__REROUTE__INIT;
	char *endpoint = placed->endpoint;

	reroute.n_endpoint = 1;
	reroute.endpoint = &endpoint;
	reroute.world = placed->world;
	reroute.map = placed->map;
	reroute.ticket = placed->ticket;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_REROUTE;
	envelope.reroute = &reroute;
	question_answered(link, cid, &envelope);
}

void
questions_fail(struct link *link)
{
	while (link->questions != NULL)
		question_fail(link->questions,
		    "the taskmaster cannot be reached");
}
