/* SPDX-License-Identifier: MIT */
/*
 * servpw - replica of the account database.
 */
#include <metacube/host.h>

MC_MODULE_NOTE;

const struct mc_module metacube_module = {
	MC_MODULE_ABI,
	.name		= "servpw",
	.version	= "0.1.0",
	.summary	= "Replica of the account database",
	.license	= "MIT",
};
