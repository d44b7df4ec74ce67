/* SPDX-License-Identifier: MIT */
/*
 * notify - tells the service manager how we are (sd_notify's protocol: one
 * datagram to $NOTIFY_SOCKET).  Without that variable nothing happens.
 */
#ifndef SERVER_NOTIFY_H
#define SERVER_NOTIFY_H

#include <metacube/host.h>

/* Lines as in sd_notify(3): "READY=1\nSTATUS=...". */
void	notify_send(const char *, ...) MC_PRINTF(1, 2);

#endif
