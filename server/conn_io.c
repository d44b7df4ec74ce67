/* SPDX-License-Identifier: MIT */
/*
 * From the first byte to the last: how a connection is accepted or dialled,
 * what it may take its time for, and how it ends.
 *
 * Nothing is freed while a connection may still be worked on: conn_drop
 * closes it, conn_free_dead frees it at the end of the round.
 */
#include "conn.h"

#include "listen.h"
#include "process.h"

#include <metacube/name.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINGER_MS	2000
#define LINK_PING_MS	10000

/* The end */

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
	conn->drained_mail.run = conn_drained;
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

void
conn_note(struct mc_conn *conn, const char *counter, const char *why)
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
	conn_note(conn, counter, why);
	conn_drop(conn);
}

/* The one who closes first does not reset what is still on its way to the
 * peer: a reset would take back the last message. */
void
conn_linger(struct mc_conn *conn)
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
		conn_linger(conn);
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

void
conn_input_within(struct mc_conn *conn, int64_t ms)
{
	conn->input_ms = mc_now_ms() + (uint64_t)ms;
	conn_deadlines(conn);
}

void
conn_ping(struct mc_conn *conn)
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
		conn_ping(conn);
	else
		conn_deadlines(conn);
}

/* Orders */

void
conn_admit(struct mail *mail)
{
	struct mc_conn *conn = CONN_OF(mail, admit_order);

	if (conn->admitted)
		return;
	conn->admitted = true;
	if (conn->frame_max < MC_FRAME_CLIENT)
		conn->frame_max = MC_FRAME_CLIENT;
	if (conn->state == CONN_OPEN && conn->held == NULL && !conn->resting)
		conn_input_within(conn, conn->terms->idle_ms);
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

/* The beginning */

static void
attach(struct mc_conn *conn, int fd)
{
	struct io_thread *thread = conn->thread;

	conn->fd = fd;
	LIST_INSERT_HEAD(&thread->conns, conn, link);
	event_assign(&conn->readable, thread->base, fd, EV_READ | EV_PERSIST,
	    conn_readable, conn);
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

/* The user's name, as far as the machine knows one. */
static void
name_local(struct mc_conn *conn, uid_t uid)
{
	struct passwd entry, *found = NULL;
	char buf[2048];

	if (getpwuid_r(uid, &entry, buf, sizeof(buf), &found) == 0 &&
	    found != NULL && mc_text_valid(found->pw_name,
	    sizeof(conn->peer.name) - 1))
		snprintf(conn->peer.name, sizeof(conn->peer.name), "%s",
		    found->pw_name);
	else
		snprintf(conn->peer.name, sizeof(conn->peer.name), "uid %u",
		    (unsigned)uid);
}

static void
trust_local(struct mc_conn *conn, const char *roles)
{
	uid_t uid = peer_uid(conn->fd);

	if (conn->target == NULL && roles == NULL)
		name_local(conn, uid);

	conn->trusted = uid == 0 || uid == geteuid();
	if (conn->trusted && roles != NULL)
		snprintf(conn->peer.roles, sizeof(conn->peer.roles), "%s",
		    roles);
	if (conn->trusted)
		conn->frame_max = MC_FRAME_SERVER;
}

static void
greet_plain(struct mc_conn *conn)
{
	if (!conn->local) {
		conn_greeted(conn);
		return;
	}
	trust_local(conn, conn->target != NULL ? conn->target->role :
	    conn->acceptor->roles);
	if (conn->target != NULL && !conn->trusted)
		conn_fail(conn, NULL, "it belongs to another user");
	else
		conn_greeted(conn);
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
	conn->plain = acceptor->local || acceptor->plain;
	conn->stream = acceptor->stream;
	conn->limit_key = acceptor->proxy_protocol ? 0 : limit_key(address);
	address_host(address, conn->peer.address,
	    sizeof(conn->peer.address));
	attach(conn, fd);
	conn->state = acceptor->proxy_protocol ? CONN_PROXY : CONN_HANDSHAKE;
	conn_input_within(conn, acceptor->terms.handshake_ms);
	if (conn->plain) {
		greet_plain(conn);
		conn_flush(conn);
	}
	if (conn->state != CONN_CLOSED)		/* often it is there already */
		conn_readable(fd, EV_READ, conn);
	if (conn->state != CONN_CLOSED && conn->held == NULL)
		event_add(&conn->readable, NULL);
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
	if (conn->plain)
		greet_plain(conn);
	else
		conn_shake_hands(conn);
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
	conn->plain |= conn->local;
	attach(conn, fd);
	address_host(address, conn->peer.address, sizeof(conn->peer.address));
	if (!conn->local && fd != -1)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (fd == -1 || (connect(fd, &address->sa.any, address->len) == -1 &&
	    errno != EINPROGRESS)) {
		conn_fail(conn, NULL, "%s", strerror(errno));
		return;
	}
	conn_input_within(conn, conn->terms->handshake_ms);
	event_assign(&conn->writable, conn->thread->base, fd, EV_WRITE,
	    connected, conn);
	event_add(&conn->writable, NULL);
}
