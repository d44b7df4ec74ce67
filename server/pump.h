/* SPDX-License-Identifier: MIT */
/*
 * pump - what the host asks of the message pump (api/metacube/conn.h is what
 * modules ask of it).  Loop thread, unless marked.
 */
#ifndef SERVER_PUMP_H
#define SERVER_PUMP_H

#include <metacube/module.h>

#include <stddef.h>

struct io;
struct mc_host;
struct mc_listen_conf;
struct process;

/* Starts the I/O threads: after privileges were dropped. */
struct io	*io_start(struct process *, unsigned threads);
void		 io_stop(struct io **);

/* identity.c.  Reads the process's certificate, key and CA (all three empty: none, and
 * only unix sockets and tests without TLS are possible).  Again on reload:
 * on failure the old ones stay.  The reason is logged. */
enum mc_status	 identity_load(struct process *);

/* For --check: could it be read?  The reason is logged. */
struct process_conf;
bool		 identity_usable(const struct process_conf *);

const char	*identity_name(void);		/* "" without one */

/* Binds an MC_LISTEN endpoint ahead of mc_listen, as root if we are. */
enum mc_status	 pump_bind(struct mc_host *, const char *endpoint);

/* Reads the certificates of this instance's listeners again. */
enum mc_status	 pump_reload(struct mc_host *);

/* Closes all that this instance still has open; its closed callbacks have
 * run when this returns. */
void		 pump_close(struct mc_host *);

/* Where this instance listens, for metacubectl; NULL beyond the last. */
const char	*pump_listener(struct mc_host *, unsigned n);
size_t		 pump_connections(struct mc_host *);

/* Only for the control socket: is the peer of this unix connection root or
 * the user that we are? */
struct mc_conn;
bool		 pump_peer_trusted(const struct mc_conn *);

#endif
