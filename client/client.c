/* SPDX-License-Identifier: MIT */
/*
 * client - how a conversation with a network goes on, and what is done when
 * a connection does not hold.
 *
 *	IDLE -> LOGGING_IN -> LOGGED_IN -> REROUTED -> IN_WORLD -> LEAVING
 *	              \____________________/   ^____/    |  ^
 *	                                              DROPPED
 *
 * One connection at a time.  While there is no session (before ENTERED) a
 * connection that breaks ends the attempt, unless it broke before anything
 * was said and the route has another endpoint.  With a session the client
 * dials again, after growing pauses, until the time for that is over.
 */
#include "conversation.h"

#include <gnutls/crypto.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PORT		"7740"
#define BACKOFF_MIN_MS	250
#define BACKOFF_MAX_MS	5000
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

static void
stream_drop(struct metacube_client *client)
{
	stream_free(&client->stream);
	client->greeted = false;
	client->pinged = false;
	client->asked = 0;
	client->answer_by = UINT64_MAX;
}

void
client_idle(struct metacube_client *client)
{
	stream_drop(client);
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

/* --- dialling ---------------------------------------------------------- */

/* To the next endpoint of the route. */
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

	stream_drop(client);
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

static void
redial(struct metacube_client *client)
{
	struct fault fault;

	if (client_dial(client) == 0)
		return;
	fault = client->fault;
	come_back(client, &fault);
}

static void
left_behind(struct metacube_client *client)
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
	stream_drop(client);
	client->fault = why;
	if (client->state == METACUBE_LEAVING)
		left_behind(client);
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
		left_behind(client);
		return;
	}
	if (client->state == METACUBE_DROPPED && client->stream == NULL) {
		if (now >= client->redial_at)
			redial(client);
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
