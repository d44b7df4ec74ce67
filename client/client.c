/* SPDX-License-Identifier: MIT */
/*
 * client - a client's life: what opens and closes it, and what time does to
 * it.
 *
 *	IDLE -> LOGGING_IN -> LOGGED_IN -> REROUTED -> IN_WORLD -> LEAVING
 *	              \____________________/   ^____/    |  ^
 *	                                              DROPPED
 */
#include "conversation.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PORT		"7740"
#define LEAVE_MS	2000

static void
deadline_min(uint64_t *deadline, uint64_t other)
{
	if (other < *deadline)
		*deadline = other;
}

/* --- life -------------------------------------------------------------- */

static unsigned
or_default(unsigned ms, unsigned fallback)
{
	return ms != 0 ? ms : fallback;
}

static int
string_copy(const char **string)
{
	if (*string == NULL)
		return 0;
	*string = strdup(*string);
	return *string != NULL ? 0 : -1;
}

static void
options_fill(struct metacube_options *options)
{
	options->connect_ms = or_default(options->connect_ms, 10000);
	options->handshake_ms = or_default(options->handshake_ms, 10000);
	options->answer_ms = or_default(options->answer_ms, 40000);
	options->keepalive_ms = or_default(options->keepalive_ms, 20000);
	options->resume_ms = or_default(options->resume_ms, 60000);
}

struct metacube_client *
metacube_client_new(const struct metacube_options *options,
    const struct metacube_events *events)
{
	struct metacube_client *client = calloc(1, sizeof(*client));
	struct metacube_options *own;
	int failed;

	if (client == NULL)
		return NULL;
	own = &client->options;
	*own = *options;
	options_fill(own);
	client->events = *events;
	client->answer_by = UINT64_MAX;
	failed = string_copy(&own->gateway);
	failed |= string_copy(&own->ca_file);
	failed |= string_copy(&own->server_name);
	if (failed)
		metacube_client_free(&client);
	return client;
}

static void
secrets_wipe(struct metacube_client *client)
{
	explicit_bzero(client->proof, sizeof(client->proof));
	explicit_bzero(client->ticket, sizeof(client->ticket));
	explicit_bzero(client->secret, sizeof(client->secret));
	client->ticket_len = client->secret_len = 0;
}

void
client_idle(struct metacube_client *client)
{
	client_hang_up(client);
	secrets_wipe(client);
	seen_clear(&client->seen);
	client->entered = false;
	client->attempts = 0;
	client->state = METACUBE_IDLE;
}

void
metacube_client_free(struct metacube_client **clientp)
{
	struct metacube_client *client = *clientp;

	if (client == NULL)
		return;
	client_idle(client);
	trust_fini(&client->trust);
	free((char *)client->options.gateway);
	free((char *)client->options.ca_file);
	free((char *)client->options.server_name);
	explicit_bzero(client, sizeof(*client));
	free(client);
	*clientp = NULL;
}

void
metacube_client_close(struct metacube_client *client)
{
	client_idle(client);
}

/* --- time -------------------------------------------------------------- */

static bool
is_open(const struct metacube_client *client)
{
	return client->stream != NULL && client->greeted;
}

static void
timed_out(struct metacube_client *client, const char *what)
{
	struct fault fault;

	fault_set(&fault, METACUBE_E_TIMEOUT, "%s %s",
	    stream_label(client->stream), what);
	client_lost(client, &fault);
}

/* Twice the keep-alive time without a sound: nobody is there any more. */
static void
keep_alive(struct metacube_client *client, uint64_t now)
{
	uint64_t ms = client->options.keepalive_ms;

	if (now >= client->heard_ms + 2 * ms)
		timed_out(client, "is silent: the connection is lost");
	else if (now >= client->sent_ms + ms ||
	    (now >= client->heard_ms + ms && !client->pinged))
		talk_ping(client);
}

static void
times(struct metacube_client *client)
{
	uint64_t now = clock_ms();

	if (client->state == METACUBE_LEAVING && now >= client->answer_by) {
		client_left(client);
		return;
	}
	if (client->state == METACUBE_DROPPED && client->stream == NULL) {
		if (now >= client->redial_at)
			client_redial(client);
		return;
	}
	if (client->stream != NULL && now >= client->answer_by)
		timed_out(client, "did not answer in time");
	else if (is_open(client))
		keep_alive(client, now);
}

int
metacube_client_timeout_ms(const struct metacube_client *client)
{
	uint64_t deadline = client->answer_by, now = clock_ms(), ms;

	if (client->stream != NULL)
		deadline_min(&deadline, stream_deadline(client->stream));
	if (client->state == METACUBE_DROPPED && client->stream == NULL)
		deadline_min(&deadline, client->redial_at);
	if (is_open(client)) {
		ms = client->options.keepalive_ms;
		deadline_min(&deadline, client->sent_ms + ms);
		deadline_min(&deadline, client->heard_ms +
		    (client->pinged ? 2 * ms : ms));
	}
	if (deadline == UINT64_MAX)
		return -1;
	if (deadline <= now)
		return 0;
	return deadline - now > 3600000 ? 3600000 : (int)(deadline - now);
}

/* --- polling ----------------------------------------------------------- */

int
metacube_client_fd(const struct metacube_client *client)
{
	return client->stream != NULL ? stream_fd(client->stream) : -1;
}

short
metacube_client_wants(const struct metacube_client *client)
{
	return client->stream != NULL ? stream_wants(client->stream) : 0;
}

/* A callback may close, and even replace, the stream. */
static void
stream_step(struct metacube_client *client)
{
	const uint8_t *frame;
	struct fault fault;
	size_t len;

	if (stream_poll(client->stream) == STREAM_OPEN && !client->greeted)
		talk_hello(client);
	while (client->stream != NULL &&
	    (frame = stream_frame(client->stream, &len)) != NULL)
		hear_frame(client, frame, len);
	if (client->stream == NULL)
		return;
	if (stream_state(client->stream) == STREAM_BROKEN) {
		fault = *stream_fault(client->stream);
		client_lost(client, &fault);
	} else if (client->greeted && !stream_flushed(client->stream))
		stream_poll(client->stream);
}

bool
metacube_client_poll(struct metacube_client *client)
{
	if (client->stream != NULL)
		stream_step(client);
	times(client);
	return client->state != METACUBE_IDLE;
}

bool
metacube_client_run_for(struct metacube_client *client, unsigned ms)
{
	uint64_t end = clock_ms() + ms, now;

	while ((now = clock_ms()) < end &&
	    client->state != METACUBE_IDLE) {
		struct pollfd poller = {
			.fd = metacube_client_fd(client),
			.events = metacube_client_wants(client),
		};
		int timeout = metacube_client_timeout_ms(client);

		if (timeout < 0 || (uint64_t)timeout > end - now)
			timeout = (int)(end - now);
		poll(&poller, 1, timeout);
		metacube_client_poll(client);
	}
	return client->state != METACUBE_IDLE;
}

enum metacube_state
metacube_client_state(const struct metacube_client *client)
{
	return client->state;
}

const char *
metacube_client_why(const struct metacube_client *client)
{
	return client->fault.text;
}

const struct metacube_place *
metacube_client_place(const struct metacube_client *client)
{
	return client->entered ? &client->place : NULL;
}

const struct metacube_avatar *
metacube_client_seen(const struct metacube_client *client, size_t *count_r)
{
	*count_r = client->seen.count;
	return client->seen.all;
}

const struct metacube_avatar *
metacube_client_find(const struct metacube_client *client, uint32_t id)
{
	return seen_find(&client->seen, id);
}

/* --- requests that open and close -------------------------------------- */

static enum metacube_error
login_check(struct metacube_client *client, const char *name, const char *map)
{
	const char *wrong;

	if (client->state != METACUBE_IDLE)
		return fault_set(&client->fault, METACUBE_E_STATE,
		    "already logged in, or on the way");
	wrong = mc_name_fold(name, client->name);
	if (wrong != NULL)
		return fault_set(&client->fault, METACUBE_E_NAME,
		    "the name %s", wrong);
	if (map != NULL && !mc_key_valid(map))
		return fault_set(&client->fault, METACUBE_E_MAP,
		    "\"%.64s\" is not the key of a map", map);
	return METACUBE_OK;
}

/* Without a CA, and without a gateway, there is nobody to talk to. */
static enum metacube_error
route_to_gateway(struct metacube_client *client, const char *map)
{
	const char *gateway = client->options.gateway;
	struct route *route = &client->route;

	memset(route, 0, sizeof(*route));
	route->hello = HELLO_LOGIN;
	route->role = "gateway";
	if (map != NULL)
		snprintf(route->map, sizeof(route->map), "%s", map);
	route->count = gateway != NULL ?
	    endpoints_parse(gateway, PORT, route->endpoints) : -1;
	if (route->count < 0)
		return fault_set(&client->fault, METACUBE_E_ENDPOINT,
		    "the gateway \"%.200s\" is not HOST:PORT",
		    gateway != NULL ? gateway : "");
	if (client->trust.credentials == NULL && trust_init(&client->trust,
	    client->options.ca_file, &client->fault) < 0)
		return client->fault.kind;
	return METACUBE_OK;
}

enum metacube_error
metacube_client_login_proof(struct metacube_client *client, const char *name,
    const uint8_t proof[METACUBE_PROOF_SIZE], const char *map)
{
	enum metacube_error error = login_check(client, name, map);

	if (error == METACUBE_OK)
		error = route_to_gateway(client, map);
	if (error == METACUBE_OK && client_dial(client) < 0)
		error = client->fault.kind;
	if (error != METACUBE_OK)
		return error;
	memcpy(client->proof, proof, sizeof(client->proof));
	client->state = METACUBE_LOGGING_IN;
	return METACUBE_OK;
}

enum metacube_error
metacube_client_login(struct metacube_client *client, const char *name,
    const char *password, const char *map)
{
	uint8_t proof[METACUBE_PROOF_SIZE];
	enum metacube_error error = login_check(client, name, map);

	if (error != METACUBE_OK)
		return error;
	error = metacube_proof(name, password, proof);
	if (error == METACUBE_OK)
		error = metacube_client_login_proof(client, name, proof, map);
	else
		fault_set(&client->fault, error, "%s",
		    metacube_error_text(error));
	explicit_bzero(proof, sizeof(proof));
	return error;
}

enum metacube_error
metacube_client_leave(struct metacube_client *client)
{
	Metacube__Leave leave = METACUBE__LEAVE__INIT;
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;

	if (client->state == METACUBE_IDLE ||
	    client->state == METACUBE_LEAVING)
		return fault_set(&client->fault, METACUBE_E_STATE,
		    "there is nothing to leave");
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_LEAVE;
	envelope.leave = &leave;
	client->answer_by = clock_ms();
	if (client->state == METACUBE_IN_WORLD &&
	    talk_send(client, &envelope) == METACUBE_OK)
		client->answer_by += LEAVE_MS;
	client->state = METACUBE_LEAVING;
	return METACUBE_OK;
}
