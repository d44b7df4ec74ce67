/* SPDX-License-Identifier: MIT */
/*
 * privilege - what the process may do, and what may be seen of it.
 */
#ifndef SERVER_PRIVILEGE_H
#define SERVER_PRIVILEGE_H

#include <metacube/host.h>

/* Root becomes this user for good ("": stays who it is). */
enum mc_status	privilege_drop(const char *user);

/* As many descriptors as the hard limit allows. */
void		privilege_raise_limits(void);

/* No core files, no debugger of the same user: memory holds secrets. */
void		privilege_hide_memory(void);

#endif
