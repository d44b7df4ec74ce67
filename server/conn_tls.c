/* SPDX-License-Identifier: MIT */
/*
 * TLS on a connection.  GnuTLS reads from the thread's buffer, which holds
 * what one recv has brought, and writes into the other one, which is sent
 * when the step is done: two or three system calls for a whole handshake.
 */
#include "conn.h"

#include "listen.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

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
	conn_note(conn, counter, why);
	if (check->alert != 0)
		gnutls_alert_send(conn->tls, GNUTLS_AL_FATAL, check->alert);
	if (conn->thread->out_len != 0 && conn_send_out(conn) &&
	    side_of(conn) != TLS_FOR_CLIENTS)
		conn_linger(conn);
	else
		conn_drop(conn);
}

void
conn_shake_hands(struct mc_conn *conn)
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
		conn_greeted(conn);
	else if (error != GNUTLS_E_AGAIN)
		tls_failed(conn, error, "handshake_failed",
		    "the TLS handshake failed");
}

void
conn_refuse_alert(struct mc_conn *conn)
{
	if (conn->tls != NULL)
		gnutls_alert_send(conn->tls, GNUTLS_AL_FATAL,
		    GNUTLS_A_ACCESS_DENIED);
	if (conn->thread->out_len != 0 && conn_send_out(conn))
		conn_linger(conn);
	else
		conn_drop(conn);
}

/* false: no more records, or the end. */
static bool
went_on(struct mc_conn *conn, ssize_t n)
{
	if (n > 0)
		return true;
	if (n == GNUTLS_E_AGAIN)
		return false;
	if (n == 0 || n == GNUTLS_E_PREMATURE_TERMINATION)
		conn_hung_up(conn);
	else if (gnutls_error_is_fatal((int)n))
		tls_failed(conn, (int)n, "tls_errors", "TLS failed");
	return conn_listening(conn);
}

/* The first record may have begun in an earlier piece. */
static void
take_stream_records(struct mc_conn *conn)
{
	size_t size = conn->thread->in_len + IO_RECORD_MAX;
	struct piece *piece = piece_new(conn, size);
	ssize_t n;

	do {
		n = gnutls_record_recv(conn->tls, piece->bytes + piece->len,
		    size - piece->len);
		if (n > 0)
			piece->len += (size_t)n;
	} while (n > 0 || (n < 0 && n != GNUTLS_E_AGAIN &&
	    !gnutls_error_is_fatal((int)n)));
	conn_take_piece(conn, piece);
	went_on(conn, n);
}

static void
take_message_records(struct mc_conn *conn)
{
	gnutls_packet_t packet;
	gnutls_datum_t data;
	ssize_t n;

	while (conn_listening(conn)) {
		n = gnutls_record_recv_packet(conn->tls, &packet);
		if (n > 0) {
			gnutls_packet_get(packet, &data, NULL);
			conn_take_frames(conn, data.data, data.size);
			mc_wipe(data.data, data.size);
			gnutls_packet_deinit(packet);
		} else if (!went_on(conn, n)) {
			return;
		}
	}
}

void
conn_take_records(struct mc_conn *conn)
{
	check_for(conn);
	if (conn->stream)
		take_stream_records(conn);
	else
		take_message_records(conn);
}
