/* SPDX-License-Identifier: MIT */
/*
 * io - the threads that own the sockets.
 *
 * Each has its own event loop and its own connections, and shares nothing
 * with the others but listeners.  The loop thread reaches them by orders,
 * they reach it by mail; both are collected and handed over in batches, so a
 * busy server is woken rarely.
 *
 * What a thread has for the loop thread is on its way before it waits again;
 * orders are on their way when the loop thread has done its round.
 */
#ifndef SERVER_IO_H
#define SERVER_IO_H

#include "mailbox.h"
#include "tls.h"
#include "wheel.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IO_IN_SIZE	(64 * 1024)	/* bytes read at a time */
#define IO_RECORD_MAX	16384		/* plaintext of one TLS record */

struct mc_conn;
struct mc_host;
struct event;
struct event_base;

LIST_HEAD(conn_list, mc_conn);

struct io_thread {
	struct io		*io;
	pthread_t		 thread;
	struct event_base	*base;
	struct event		*mail_event, *tick_event;
	struct mailbox		*box;		/* orders */
	struct mails		 mails;		/* for the loop thread */
	unsigned		 nmails;
	unsigned		 events;	/* that there have been */
	struct wheel		 wheel;		/* the connections' deadlines */
	uint64_t		 tick_ms;	/* when tick_event fires */
	struct conn_list	 conns;		/* with a socket */
	struct conn_list	 dirty;		/* with something to send */
	struct conn_list	 dead;		/* to be freed */
	bool			 stopping;

	/* of the connection that is being worked on */
	uint8_t			*in_buffer;
	const uint8_t		*in;		/* received, not yet taken */
	size_t			 in_len;
	bool			 in_end;	/* nothing will follow */
	uint8_t			*out;		/* to be sent */
	size_t			 out_len, out_size;
	uint8_t			*plain;		/* one record */
	struct tls_check	 check;
};

struct io {
	struct process		*process;
	unsigned		 count, next;
	struct mails		*orders;	/* one for each thread */
	struct io_thread	 threads[];
};

/* Loop thread: an order for that thread, with the next batch. */
void		 io_order(struct io_thread *, struct mail *);

/* Loop thread: hands over all orders, then runs the function on every I/O
 * thread and waits until all are done.  For what is rare. */
typedef void io_call_fn(struct io_thread *, void *arg);
void		 io_call_all(struct io *, io_call_fn *, void *arg);

/* Loop thread: the thread whose turn it is, for a connection we make. */
struct io_thread *io_thread_next(struct io *);

/* I/O thread: a mail for the loop thread, with the next batch. */
void		 io_tell(struct io_thread *, struct mail *);

#endif
