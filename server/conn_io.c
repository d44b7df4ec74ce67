/* SPDX-License-Identifier: MIT */
/*
 * What comes in: one recv for a wake-up into the thread's buffer, then TLS,
 * frames and messages until it is used up.  The connection keeps nothing but
 * a frame that has arrived in part, or, while the loop thread is behind, what
 * could not be delivered.
 *
 * Nothing is freed while a connection may still be worked on: conn_drop
 * closes it, conn_free_dead frees it at the end of the round.
 */
#include "conn.h"

#include "listen.h"
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxy.h"

#define LINGER_MS	2000
#define LINK_PING_MS	10000

static void feed(struct mc_conn *);

/* From the first byte to the last */

struct mc_conn *
conn_new(struct io_thread *thread, struct mc_host *host,
    struct conn_terms *terms)
{
	struct mc_conn *conn = mc_zalloc(sizeof(*conn));

	conn->thread = thread;
	conn->host = host;
	conn->terms = terms;
	conn->fd = -1;
	conn->frame_max = MC_FRAME_LOGIN;
	STAILQ_INIT(&conn->queue);
	conn->opened_mail.run = conn_opened;
	conn->closed_mail.run = conn_closed;
	conn->admit_order.run = conn_admit;
	conn->close_order.run = conn_close;
	conn->resume_order.run = conn_resume;
	conn->release_order.run = conn_release;
	return conn;
}

static void
conn_free(struct mc_conn *conn)
{
	if (conn->acceptor != NULL)
		acceptor_unref(conn->acceptor);
	free(conn->target);
	free(conn->why);
	free(conn);
}

void
conn_free_dead(struct io_thread *thread)
{
	struct mc_conn *conn;

	while ((conn = LIST_FIRST(&thread->dead)) != NULL) {
		LIST_REMOVE(conn, link);
		conn_free(conn);
	}
}

static void
tell_closed(struct mc_conn *conn)
{
	if (conn->told_closed || (!conn->told_opened && conn->target == NULL))
		return;
	conn->told_closed = true;
	io_tell(conn->thread, &conn->closed_mail);
}

static void
held_free(struct mc_conn *conn)
{
	if (conn->held == NULL)
		return;
	mc_wipe(conn->held->bytes, conn->held->plain_len +
	    conn->held->raw_len);
	free(conn->held);
	conn->held = NULL;
}

static void
close_socket(struct mc_conn *conn)
{
	if (conn->fd == -1)
		return;
	event_del(&conn->readable);
	event_del(&conn->writable);
	close(conn->fd);
	conn->fd = -1;
	if (conn->acceptor != NULL)
		limit_give(conn->acceptor->limit, conn->limit_key);
}

void
conn_drop(struct mc_conn *conn)
{
	if (conn->state == CONN_CLOSED)
		return;
	conn->state = CONN_CLOSED;
	close_socket(conn);
	wheel_clear(&conn->thread->wheel, &conn->deadline);
	conn_out_clear(conn);
	if (conn->tls != NULL)
		gnutls_deinit(conn->tls);
	conn->tls = NULL;
	tls_unref(&conn->context);
	frame_part_clear(&conn->part);
	held_free(conn);
	LIST_REMOVE(conn, link);
	tell_closed(conn);
	if (!conn->told_closed || conn->released)
		LIST_INSERT_HEAD(&conn->thread->dead, conn, link);
}

void
conn_release(struct mail *mail)
{
	struct mc_conn *conn = CONN_OF(mail, release_order);

	conn->released = true;
	if (conn->state == CONN_CLOSED)
		LIST_INSERT_HEAD(&conn->thread->dead, conn, link);
}

/* What a peer did is worth a line when it is a server; what clients do would
 * fill the log. */
static void
log_peer(struct mc_conn *conn, const char *why)
{
	struct acceptor *acceptor = conn->acceptor;

	flood_log(&acceptor->flood, conn->host,
	    acceptor->roles != NULL ? MC_WARN : MC_DEBUG,
	    "%s%s%s%s on %s: %s", conn->peer.address,
	    conn->peer.name[0] != '\0' ? " (" : "", conn->peer.name,
	    conn->peer.name[0] != '\0' ? ")" : "", acceptor->address, why);
}

static void
note_failure(struct mc_conn *conn, const char *counter, const char *why)
{
	if (counter != NULL)
		mc_count(conn->host, counter, 1);
	if (conn->target == NULL)
		log_peer(conn, why);
	else if (conn->why == NULL)
		conn->why = strdup(why);
}

void
conn_fail(struct mc_conn *conn, const char *counter, const char *format, ...)
{
	char why[TLS_WHY_SIZE + 128];
	va_list ap;

	if (conn->state == CONN_CLOSED)
		return;
	va_start(ap, format);
	vsnprintf(why, sizeof(why), format, ap);
	va_end(ap);
	note_failure(conn, counter, why);
	conn_drop(conn);
}

/* The one who closes first does not reset what is still on its way to the
 * peer: a reset would take back the last message. */
static void
linger(struct mc_conn *conn)
{
	conn->state = CONN_LINGERING;
	shutdown(conn->fd, SHUT_WR);
	conn->input_ms = mc_now_ms() + LINGER_MS;
	conn->output_ms = conn->ping_ms = 0;
	conn_deadlines(conn);
	event_add(&conn->readable, NULL);
	tell_closed(conn);
}

void
conn_shut(struct mc_conn *conn)
{
	ssize_t n = recv(conn->fd, conn->thread->in_buffer, IO_IN_SIZE,
	    MSG_DONTWAIT);

	if (n > 0)
		linger(conn);
	else
		conn_drop(conn);
}

void
conn_drop_of(struct io_thread *thread, struct mc_host *host)
{
	struct mc_conn *conn, *next;

	for (conn = LIST_FIRST(&thread->conns); conn != NULL; conn = next) {
		next = LIST_NEXT(conn, link);
		if (host != NULL && conn->host != host)
			continue;
		conn_finish(conn);
		if (conn->state == CONN_CLOSING)
			conn_flush(conn);
		conn_drop(conn);
	}
}

/* Deadlines */

void
conn_deadlines(struct mc_conn *conn)
{
	uint64_t next = conn->input_ms;

	if (conn->output_ms != 0 && (next == 0 || conn->output_ms < next))
		next = conn->output_ms;
	if (conn->ping_ms != 0 && (next == 0 || conn->ping_ms < next))
		next = conn->ping_ms;
	if (next != 0)
		wheel_set(&conn->thread->wheel, &conn->deadline, next);
	else
		wheel_clear(&conn->thread->wheel, &conn->deadline);
}

static void
input_within(struct mc_conn *conn, int64_t ms)
{
	conn->input_ms = mc_now_ms() + (uint64_t)ms;
	conn_deadlines(conn);
}

static void
ping(struct mc_conn *conn)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Ping empty = METACUBE__PING__INIT;

	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_PING;
	envelope.ping = &empty;
	conn->ping_ms = mc_now_ms() + LINK_PING_MS;
	conn_deadlines(conn);
	conn_say(conn, &envelope);
}

static void
waited_for_input(struct mc_conn *conn)
{
	switch (conn->state) {
	case CONN_OPEN:
		if (conn->target != NULL)
			conn_fail(conn, "idle_timeouts",
			    "nothing was heard of it for %lld s",
			    (long long)conn->terms->idle_ms / 1000);
		else if (conn->admitted)
			conn_fail(conn, "idle_timeouts", "was idle too long");
		else
			conn_fail(conn, "login_timeouts",
			    "did not log in in time");
		return;
	case CONN_CONNECTING:
		conn_fail(conn, "handshake_timeouts", "no answer");
		return;
	case CONN_CLOSING:
	case CONN_LINGERING:
		conn_drop(conn);
		return;
	default:
		conn_fail(conn, "handshake_timeouts",
		    "the handshake took too long");
	}
}

void
conn_due(struct wheel_entry *entry)
{
	struct mc_conn *conn = CONN_OF(entry, deadline);
	uint64_t now_ms = mc_now_ms();

	if (conn->output_ms != 0 && conn->output_ms <= now_ms) {
		conn_fail(conn, "send_timeouts",
		    "takes nothing of what is sent to it");
		return;
	}
	if (conn->input_ms != 0 && conn->input_ms <= now_ms) {
		waited_for_input(conn);
		return;
	}
	if (conn->ping_ms != 0 && conn->ping_ms <= now_ms)
		ping(conn);
	else
		conn_deadlines(conn);
}

/* Messages */

static void
opened(struct mc_conn *conn)
{
	conn->state = CONN_OPEN;
	conn->told_opened = true;
	input_within(conn, conn->target != NULL ? conn->terms->idle_ms :
	    conn->terms->login_ms);
	io_tell(conn->thread, &conn->opened_mail);
}

static void
refuse(struct mc_conn *conn, Metacube__Reason reason, const char *text)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Refused refused = METACUBE__REFUSED__INIT;

	refused.reason = reason;
	refused.text = (char *)text;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_REFUSED;
	envelope.refused = &refused;
	conn_say(conn, &envelope);
	conn_finish(conn);
}

static void
malformed(struct mc_conn *conn, const char *fault)
{
	note_failure(conn, "malformed", fault);
	refuse(conn, METACUBE__REASON__BAD_REQUEST, fault);
}

static void
pong(struct mc_conn *conn, uint32_t cid)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Pong empty = METACUBE__PONG__INIT;

	if (mc_conn_queued(conn) >= (size_t)conn->terms->queue_max) {
		conn_fail(conn, "slow_peers", "asks and does not listen");
		return;
	}
	envelope.cid = cid;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_PONG;
	envelope.pong = &empty;
	conn_say(conn, &envelope);
}

/* true: it was for the pump, or ended the connection. */
static bool
own_message(struct mc_conn *conn, const Metacube__Envelope *envelope)
{
	bool proving = conn->state == CONN_PROVING;

	if (proving && envelope->message_case ==
	    METACUBE__ENVELOPE__MESSAGE_REFUSED) {
		conn_fail(conn, NULL, "it refuses us: %s",
		    envelope->refused->text);
		return true;
	}
	if (proving)
		opened(conn);
	switch (envelope->message_case) {
	case METACUBE__ENVELOPE__MESSAGE_PING:
		pong(conn, envelope->cid);
		return true;
	case METACUBE__ENVELOPE__MESSAGE_PONG:
		return true;
	default:
		return false;
	}
}

static void
take_message(struct mc_conn *conn, const uint8_t *body, size_t len)
{
	const char *fault;
	struct message *message = message_decode(body, len, &fault);

	if (message == NULL) {
		malformed(conn, fault);
		return;
	}
	if (own_message(conn, message->envelope)) {
		message_free(&message);
		return;
	}
	message->conn = conn;
	message->mail.run = conn_message;
	atomic_fetch_add(&conn->undelivered, 1);
	io_tell(conn->thread, &message->mail);
}

static bool
listening(const struct mc_conn *conn)
{
	return (conn->state == CONN_OPEN || conn->state == CONN_PROVING) &&
	    conn->held == NULL;
}

/* The loop thread is behind: keeps what is left of the input and stops
 * reading.  false: it has caught up meanwhile. */
static bool
pause_reading(struct mc_conn *conn, const uint8_t *plain, size_t len)
{
	struct io_thread *thread = conn->thread;
	size_t raw = conn->local ? 0 : thread->in_len;

	atomic_store(&conn->paused, true);
	if (atomic_load(&conn->undelivered) == 0 &&
	    atomic_exchange(&conn->paused, false))
		return false;
	conn->held = mc_zalloc(sizeof(*conn->held) + len + raw);
	conn->held->plain_len = len;
	conn->held->raw_len = raw;
	memcpy(conn->held->bytes, plain, len);
	memcpy(conn->held->bytes + len, thread->in, raw);
	thread->in_len = 0;
	event_del(&conn->readable);
	conn->input_ms = 0;		/* it is us who are slow */
	conn_deadlines(conn);
	return true;
}

static bool
behind(const struct mc_conn *conn)
{
	return atomic_load_explicit(&conn->undelivered,
	    memory_order_relaxed) >= (conn->admitted ?
	    CONN_UNDELIVERED_MAX : CONN_UNDELIVERED_LOGIN);
}

static void
too_long(struct mc_conn *conn)
{
	char text[80];

	snprintf(text, sizeof(text), "a message is longer than %u bytes",
	    conn->frame_max);
	malformed(conn, text);
}

static void
take_frames(struct mc_conn *conn, const uint8_t *in, size_t len)
{
	const uint8_t *body;
	size_t body_len;

	while (listening(conn)) {
		if (behind(conn) && pause_reading(conn, in, len))
			return;
		switch (frame_next(&conn->part, &in, &len, conn->frame_max,
		    &body, &body_len)) {
		case FRAME_MORE:
			return;
		case FRAME_TOO_LONG:
			too_long(conn);
			return;
		case FRAME_READY:
			take_message(conn, body, body_len);
			frame_part_clear(&conn->part);
		}
	}
}

/* TLS */

static ssize_t
pull(gnutls_transport_ptr_t ptr, void *data, size_t size)
{
	struct mc_conn *conn = ptr;
	struct io_thread *thread = conn->thread;

	if (thread->in_len == 0) {
		if (thread->in_end)
			return 0;
		gnutls_transport_set_errno(conn->tls, EAGAIN);
		return -1;
	}
	if (size > thread->in_len)
		size = thread->in_len;
	memcpy(data, thread->in, size);
	thread->in += size;
	thread->in_len -= size;
	return (ssize_t)size;
}

static int
pull_timeout(gnutls_transport_ptr_t ptr, unsigned ms)
{
	const struct mc_conn *conn = ptr;

	(void)ms;
	return conn->thread->in_len != 0 || conn->thread->in_end;
}

static enum tls_side
side_of(const struct mc_conn *conn)
{
	if (conn->target != NULL)
		return TLS_TO_SERVER;
	return conn->acceptor->roles != NULL ? TLS_FOR_SERVERS :
	    TLS_FOR_CLIENTS;
}

static struct tls_check *
check_for(struct mc_conn *conn)
{
	struct tls_check *check = &conn->thread->check;

	check->side = side_of(conn);
	check->role = conn->target != NULL ? conn->target->role : NULL;
	check->peer = &conn->peer;
	check->alert = 0;
	check->why[0] = '\0';
	return check;
}

static bool
tls_begin(struct mc_conn *conn)
{
	conn->context = conn->acceptor != NULL ?
	    acceptor_tls(conn->acceptor) : identity_ref();
	if (conn->context != NULL)
		conn->tls = tls_session(conn->context, side_of(conn));
	if (conn->tls == NULL) {
		conn_fail(conn, "handshake_failed",
		    "we have no certificate to show");
		return false;
	}
	gnutls_session_set_ptr(conn->tls, &conn->thread->check);
	gnutls_transport_set_ptr(conn->tls, conn);
	gnutls_transport_set_pull_function(conn->tls, pull);
	gnutls_transport_set_pull_timeout_function(conn->tls, pull_timeout);
	gnutls_transport_set_vec_push_function(conn->tls, conn_push);
	return true;
}

/* The other side shall know why too. */
static void
tls_failed(struct mc_conn *conn, int error, const char *counter,
    const char *what)
{
	struct tls_check *check = &conn->thread->check;
	char why[TLS_WHY_SIZE + 64];

	tls_explain(conn->tls, error, check);
	snprintf(why, sizeof(why), "%s: %s", what, check->why);
	note_failure(conn, counter, why);
	if (check->alert != 0)
		gnutls_alert_send(conn->tls, GNUTLS_AL_FATAL, check->alert);
	if (conn->thread->out_len != 0 && conn_send_out(conn) &&
	    side_of(conn) != TLS_FOR_CLIENTS)
		linger(conn);
	else
		conn_drop(conn);
}

static void
refuse_role(struct mc_conn *conn)
{
	char text[256];

	if (conn->local)
		snprintf(text, sizeof(text),
		    "this socket is for root and its owner alone");
	else
		snprintf(text, sizeof(text), "this needs a certificate for "
		    "%s, and yours is for %s \"%s\"", conn->acceptor->roles,
		    conn->peer.roles[0] != '\0' ? conn->peer.roles :
		    "no role,", conn->peer.name);
	note_failure(conn, "handshake_failed", text);
	conn->state = CONN_OPEN;
	refuse(conn, METACUBE__REASON__NOT_ALLOWED, text);
}

static void
greeted(struct mc_conn *conn)
{
	if (conn->target != NULL) {
		conn->frame_max = MC_FRAME_SERVER;
		conn->state = CONN_PROVING;
		ping(conn);
	} else if (conn->acceptor->roles == NULL) {
		opened(conn);
	} else if (peer_has_role_of(&conn->peer, conn->acceptor->roles)) {
		conn->frame_max = MC_FRAME_SERVER;
		opened(conn);
	} else {
		refuse_role(conn);
	}
}

static void
shake_hands(struct mc_conn *conn)
{
	int error;

	if (conn->tls == NULL && !tls_begin(conn))
		return;
	check_for(conn);
	do
		error = gnutls_handshake(conn->tls);
	while (error < 0 && error != GNUTLS_E_AGAIN &&
	    !gnutls_error_is_fatal(error));
	if (error == GNUTLS_E_SUCCESS)
		greeted(conn);
	else if (error != GNUTLS_E_AGAIN)
		tls_failed(conn, error, "handshake_failed",
		    "the TLS handshake failed");
}

static void
hung_up(struct mc_conn *conn)
{
	if (conn->state == CONN_OPEN && conn->target == NULL)
		conn_drop(conn);
	else if (conn->state != CONN_CLOSED)
		conn_fail(conn, NULL, "the other side closed the connection");
}

static void
take_records(struct mc_conn *conn)
{
	gnutls_packet_t packet;
	gnutls_datum_t data;
	ssize_t n;

	check_for(conn);
	while (listening(conn)) {
		n = gnutls_record_recv_packet(conn->tls, &packet);
		if (n > 0) {
			gnutls_packet_get(packet, &data, NULL);
			take_frames(conn, data.data, data.size);
			mc_wipe(data.data, data.size);
			gnutls_packet_deinit(packet);
		} else if (n == GNUTLS_E_AGAIN) {
			return;
		} else if (n == 0 || n == GNUTLS_E_PREMATURE_TERMINATION) {
			hung_up(conn);
		} else if (gnutls_error_is_fatal((int)n)) {
			tls_failed(conn, (int)n, "tls_errors", "TLS failed");
		}
	}
}

static void
take_plain(struct mc_conn *conn)
{
	struct io_thread *thread = conn->thread;
	size_t len = thread->in_len;

	take_frames(conn, thread->in, len);
	mc_wipe((void *)thread->in, len);
	thread->in_len = 0;
	if (thread->in_end)
		hung_up(conn);
}

/* The PROXY header */

static bool
take_place(struct mc_conn *conn, const struct address *source)
{
	struct acceptor *acceptor = conn->acceptor;
	uint64_t key = limit_key(source);

	address_host(source, conn->peer.address, sizeof(conn->peer.address));
	limit_give(acceptor->limit, conn->limit_key);
	conn->limit_key = key;
	if (limit_take(acceptor->limit, key, acceptor->max_connections,
	    acceptor->max_per_address) == LIMIT_FINE)
		return true;
	limit_take(acceptor->limit, conn->limit_key = 0, INT64_MAX, 0);
	conn_fail(conn, "refused_limit", "too many connections from there");
	return false;
}

/* A header that comes in pieces is put together in the frame's place. */
static ssize_t
gather_proxy(struct mc_conn *conn, struct address *source)
{
	struct io_thread *thread = conn->thread;
	struct frame_part *part = &conn->part;
	size_t old = part->len, take = PROXY_MAX - old;
	ssize_t len;

	if (old == 0 && (len = proxy_parse(thread->in, thread->in_len,
	    source)) != 0)
		return len;
	if (part->data == NULL) {
		part->data = mc_zalloc(PROXY_MAX);
		part->size = PROXY_MAX;
	}
	if (take > thread->in_len)
		take = thread->in_len;
	memcpy(part->data + old, thread->in, take);
	part->len += take;
	len = proxy_parse(part->data, part->len, source);
	if (len == 0)
		thread->in_len = 0;
	return len > 0 ? len - (ssize_t)old : len;
}

static bool
take_proxy(struct mc_conn *conn)
{
	struct io_thread *thread = conn->thread;
	struct address source = { 0 };
	ssize_t len = 0;

	if (!thread->in_end)
		len = gather_proxy(conn, &source);
	if (len < 0 || thread->in_end) {
		conn_fail(conn, "malformed", "no PROXY protocol header");
		return false;
	}
	if (len == 0)
		return false;
	thread->in += len;
	thread->in_len -= (size_t)len;
	frame_part_clear(&conn->part);
	conn->state = CONN_HANDSHAKE;
	return source.len == 0 || take_place(conn, &source);
}

/* The socket */

static void
feed(struct mc_conn *conn)
{
	if (conn->state == CONN_PROXY && !take_proxy(conn))
		return;
	if (conn->state == CONN_HANDSHAKE &&
	    (conn->thread->in_len != 0 || conn->thread->in_end))
		shake_hands(conn);
	if (!listening(conn))
		return;
	if (conn->local)
		take_plain(conn);
	else
		take_records(conn);
}

static void
feed_and_flush(struct mc_conn *conn)
{
	feed(conn);
	conn->thread->in_len = 0;
	if (conn->state != CONN_CLOSED)
		conn_flush(conn);
}

static void
readable(evutil_socket_t fd, short events, void *arg)
{
	struct mc_conn *conn = arg;
	struct io_thread *thread = conn->thread;
	ssize_t n = recv(fd, thread->in_buffer, IO_IN_SIZE, MSG_DONTWAIT);

	(void)events;
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (conn->state >= CONN_CLOSING) {
		if (n <= 0)
			conn_drop(conn);
		return;
	}
	if (n == -1) {
		conn_fail(conn, NULL, "connection lost: %s", strerror(errno));
		return;
	}
	thread->in = thread->in_buffer;
	thread->in_len = (size_t)n;
	thread->in_end = n == 0;
	if (conn->state == CONN_OPEN &&
	    (conn->admitted || conn->target != NULL))
		input_within(conn, conn->terms->idle_ms);
	feed_and_flush(conn);
}

void
conn_resume(struct mail *mail)
{
	struct mc_conn *conn = CONN_OF(mail, resume_order);
	struct io_thread *thread = conn->thread;
	struct conn_held *held = conn->held;

	if (held == NULL || conn->state != CONN_OPEN)
		return;
	conn->held = NULL;
	memcpy(thread->in_buffer, held->bytes + held->plain_len,
	    held->raw_len);
	thread->in = thread->in_buffer;
	thread->in_len = held->raw_len;
	thread->in_end = false;
	event_add(&conn->readable, NULL);
	input_within(conn, conn->admitted || conn->target != NULL ?
	    conn->terms->idle_ms : conn->terms->login_ms);
	take_frames(conn, held->bytes, held->plain_len);
	mc_wipe(held->bytes, held->plain_len + held->raw_len);
	free(held);
	if (listening(conn) && !conn->local)
		take_records(conn);
	thread->in_len = 0;
	if (conn->state != CONN_CLOSED)
		conn_flush(conn);
}

void
conn_admit(struct mail *mail)
{
	struct mc_conn *conn = CONN_OF(mail, admit_order);

	if (conn->admitted)
		return;
	conn->admitted = true;
	if (conn->frame_max < MC_FRAME_CLIENT)
		conn->frame_max = MC_FRAME_CLIENT;
	if (conn->state == CONN_OPEN && conn->held == NULL)
		input_within(conn, conn->terms->idle_ms);
}

void
conn_close(struct mail *mail)
{
	struct mc_conn *conn = CONN_OF(mail, close_order);

	if (conn->abort)
		conn_drop(conn);
	else
		conn_finish(conn);
}

static void
attach(struct mc_conn *conn, int fd)
{
	struct io_thread *thread = conn->thread;

	conn->fd = fd;
	LIST_INSERT_HEAD(&thread->conns, conn, link);
	event_assign(&conn->readable, thread->base, fd, EV_READ | EV_PERSIST,
	    readable, conn);
	event_assign(&conn->writable, thread->base, fd, EV_WRITE,
	    conn_writable, conn);
}

/* Unix sockets: the kernel says who is there. */
static uid_t
peer_uid(int fd)
{
	struct ucred cred = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == -1)
		return (uid_t)-1;
	return cred.uid;
}

static void
trust_local(struct mc_conn *conn, const char *roles)
{
	uid_t uid = peer_uid(conn->fd);

	conn->trusted = uid == 0 || uid == geteuid();
	if (conn->trusted && roles != NULL)
		snprintf(conn->peer.roles, sizeof(conn->peer.roles), "%s",
		    roles);
	if (conn->trusted)
		conn->frame_max = MC_FRAME_SERVER;
}

static void
greet_local(struct mc_conn *conn)
{
	trust_local(conn, conn->target != NULL ? conn->target->role :
	    conn->acceptor->roles);
	if (conn->target != NULL && !conn->trusted)
		conn_fail(conn, NULL, "it belongs to another user");
	else
		greeted(conn);
}

void
conn_accepted(struct io_thread *thread, struct acceptor *acceptor, int fd,
    const struct address *address)
{
	struct mc_conn *conn = conn_new(thread, acceptor->host,
	    &acceptor->terms);

	acceptor_ref(acceptor);
	conn->acceptor = acceptor;
	conn->local = acceptor->local;
	conn->limit_key = acceptor->proxy_protocol ? 0 : limit_key(address);
	address_host(address, conn->peer.address,
	    sizeof(conn->peer.address));
	attach(conn, fd);
	event_add(&conn->readable, NULL);
	conn->state = acceptor->proxy_protocol ? CONN_PROXY : CONN_HANDSHAKE;
	input_within(conn, acceptor->terms.handshake_ms);
	if (conn->local) {
		greet_local(conn);
		conn_flush(conn);
	}
}

/* Dialling */

static void
connected(evutil_socket_t fd, short events, void *arg)
{
	struct mc_conn *conn = arg;
	int error = 0;
	socklen_t len = sizeof(error);

	(void)events;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error != 0) {
		conn_fail(conn, NULL, "%s", strerror(error));
		return;
	}
	event_assign(&conn->writable, conn->thread->base, fd, EV_WRITE,
	    conn_writable, conn);
	event_add(&conn->readable, NULL);
	conn->state = CONN_HANDSHAKE;
	conn->thread->in_len = 0;
	conn->thread->in_end = false;
	if (conn->local)
		greet_local(conn);
	else
		shake_hands(conn);
	if (conn->state != CONN_CLOSED)
		conn_flush(conn);
}

void
conn_dialled(struct mail *mail)
{
	struct mc_conn *conn = CONN_OF(mail, opened_mail);
	const struct address *address = &conn->target->address;
	int one = 1, fd = socket(address->sa.any.sa_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	conn->opened_mail.run = conn_opened;
	conn->state = CONN_CONNECTING;
	conn->local = address->sa.any.sa_family == AF_UNIX;
	attach(conn, fd);
	address_host(address, conn->peer.address, sizeof(conn->peer.address));
	if (!conn->local && fd != -1)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (fd == -1 || (connect(fd, &address->sa.any, address->len) == -1 &&
	    errno != EINPROGRESS)) {
		conn_fail(conn, NULL, "%s", strerror(errno));
		return;
	}
	input_within(conn, conn->terms->handshake_ms);
	event_assign(&conn->writable, conn->thread->base, fd, EV_WRITE,
	    connected, conn);
	event_add(&conn->writable, NULL);
}
