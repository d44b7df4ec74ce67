/* SPDX-License-Identifier: MIT */
/*
 * antpserv - serves the files of a message queue.
 */
#include <metacube/host.h>

MC_MODULE_NOTE;

const struct mc_module metacube_module = {
	MC_MODULE_ABI,
	.name		= "antpserv",
	.version	= "0.1.0",
	.summary	= "Serves the files of a message queue",
	.license	= "MIT",
};
