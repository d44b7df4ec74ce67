/* SPDX-License-Identifier: MIT */
/*
 * wmqmaint - freezes the account database and prunes the queue.
 */
#include <metacube/host.h>

MC_MODULE_NOTE;

const struct mc_module metacube_module = {
	MC_MODULE_ABI,
	.name		= "wmqmaint",
	.version	= "0.1.0",
	.summary	= "Freezes the account database and prunes the queue",
	.license	= "MIT",
};
