/* SPDX-License-Identifier: MIT */
/*
 * dial - where a client's connection goes, and how the conversation goes on
 * when it has come there, is sent elsewhere, or does not hold.
 *
 * One connection at a time.  While there is no session (before ENTERED) a
 * connection that breaks ends the attempt, unless it broke before anything
 * was said and the route has another endpoint.  With a session the client
 * dials again, after growing pauses, until the time for that is over.
 */
#include "conversation.h"

#include <gnutls/crypto.h>

#include <stdio.h>
#include <string.h>

#define BACKOFF_MIN_MS	250
#define BACKOFF_MAX_MS	5000

void
client_hang_up(struct metacube_client *client)
{
	stream_free(&client->stream);
	client->greeted = false;
	client->pinged = false;
	client->asked = 0;
	client->answer_by = UINT64_MAX;
}

int
client_dial(struct metacube_client *client)
{
	struct route *route = &client->route;
	const char *host = client->options.server_name;
	struct stream_target target = {
		.endpoint = route->endpoints[route->next++],
		.role = route->role,
		.connect_ms = client->options.connect_ms,
		.handshake_ms = client->options.handshake_ms,
	};

	client_hang_up(client);
	if (host == NULL || route->hello != HELLO_LOGIN)
		host = target.endpoint.host;
	snprintf(target.host, sizeof(target.host), "%s", host);
	snprintf(target.name, sizeof(target.name), "%s", route->world);
	client->stream = stream_new(&client->trust, &target);
	if (client->stream != NULL)
		return 0;
	fault_set(&client->fault, METACUBE_E_MEMORY,
	    "%s cannot be dialled: no memory, thread or descriptor is left",
	    target.endpoint.label);
	return -1;
}

void
client_failed(struct metacube_client *client, enum metacube_error error)
{
	struct fault fault = client->fault;

	if (account_unanswered(client))
		return;
	client_idle(client);
	TELL(client, failed, error, fault.text);
}

static unsigned
backoff_ms(unsigned attempts)
{
	unsigned ms = BACKOFF_MIN_MS, jitter = 0;

	while (attempts-- > 0 && ms < BACKOFF_MAX_MS)
		ms *= 2;
	if (ms > BACKOFF_MAX_MS)
		ms = BACKOFF_MAX_MS;
	/* Thousands that were dropped together shall not return together. */
	gnutls_rnd(GNUTLS_RND_NONCE, &jitter, sizeof(jitter));
	return ms + jitter % (ms / 4);
}

/* Somebody else answers where the world was: do not go on asking there. */
static bool
is_foreign(enum metacube_error error)
{
	return error >= METACUBE_E_NO_TLS && error <= METACUBE_E_CERT_BAD &&
	    error != METACUBE_E_TLS;
}

static void
come_back(struct metacube_client *client, const struct fault *fault)
{
	uint64_t now = clock_ms();
	unsigned ms = backoff_ms(client->attempts);

	if (client->state != METACUBE_DROPPED) {
		client->state = METACUBE_DROPPED;
		client->resume_until = now + client->options.resume_ms;
	}
	client->fault = *fault;
	if (is_foreign(fault->kind)) {
		client_failed(client, fault->kind);
		return;
	}
	if (now + ms >= client->resume_until) {
		fault_set(&client->fault, METACUBE_E_RESUME, "the session in "
		    "%s is lost: %.300s", client->place.world, fault->text);
		client_failed(client, METACUBE_E_RESUME);
		return;
	}
	client->attempts++;
	client->redial_at = now + ms;
	client->route.hello = HELLO_RESUME;
	client->route.next = 0;
	TELL(client, dropped, fault->kind, fault->text, ms);
}

void
client_redial(struct metacube_client *client)
{
	struct fault fault;

	if (client_dial(client) == 0)
		return;
	fault = client->fault;
	come_back(client, &fault);
}

void
client_left(struct metacube_client *client)
{
	client_idle(client);
	TELL(client, left);
}

void
client_lost(struct metacube_client *client, const struct fault *fault)
{
	bool said = client->greeted;
	bool another = client->route.next < client->route.count;
	struct fault why = *fault;

	if (account_unanswered(client))
		return;
	client_hang_up(client);
	client->fault = why;
	if (client->state == METACUBE_LEAVING)
		client_left(client);
	else if (client->state != METACUBE_IN_WORLD && !said && another) {
		if (client_dial(client) < 0)
			client_failed(client, client->fault.kind);
	} else if (client->entered)
		come_back(client, &why);
	else
		client_failed(client, why.kind);
}

/* A new route: what is open is left behind in good order. */
void
client_rerouted(struct metacube_client *client, const struct route *route)
{
	Metacube__Leave leave = METACUBE__LEAVE__INIT;
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;

	if (account_unanswered(client))
		return;
	if (client->entered) {
		envelope.message_case = METACUBE__ENVELOPE__MESSAGE_LEAVE;
		envelope.leave = &leave;
		if (talk_send(client, &envelope) == METACUBE_OK)
			stream_poll(client->stream);
	}
	client->entered = false;
	seen_clear(&client->seen);
	client->route = *route;
	client->state = METACUBE_REROUTED;
	if (client_dial(client) < 0)
		client_failed(client, client->fault.kind);
	else
		TELL(client, rerouted, route->world,
		    route->endpoints[0].label, route->map);
}

void
client_entered(struct metacube_client *client)
{
	bool again = client->entered;

	client->state = METACUBE_IN_WORLD;
	client->entered = true;
	client->attempts = 0;
	explicit_bzero(client->ticket, sizeof(client->ticket));
	client->ticket_len = 0;
	if (again)
		TELL(client, resumed, &client->place);
	else
		TELL(client, entered, &client->place);
}
