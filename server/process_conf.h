/* SPDX-License-Identifier: MIT */
/*
 * process_conf - the table of the host's own settings (metacubed.conf), for
 * struct process_conf.
 */
#ifndef SERVER_PROCESS_CONF_H
#define SERVER_PROCESS_CONF_H

#include <metacube/module.h>

extern const struct mc_key process_keys[];

#endif
