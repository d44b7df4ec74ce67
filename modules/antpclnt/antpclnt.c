/* SPDX-License-Identifier: MIT */
/*
 * antpclnt - mirrors a message queue and its freeze.
 */
#include <metacube/host.h>

MC_MODULE_NOTE;

const struct mc_module metacube_module = {
	MC_MODULE_ABI,
	.name		= "antpclnt",
	.version	= "0.1.0",
	.summary	= "Mirrors a message queue and its freeze",
	.license	= "MIT",
};
