/* SPDX-License-Identifier: MIT */
/*
 * account_remote - changes of accounts, asked of the account server.
 */
#include <metacube/host.h>

MC_MODULE_NOTE;

const struct mc_module metacube_module = {
	MC_MODULE_ABI,
	.name		= "account_remote",
	.version	= "0.1.0",
	.summary	= "Changes of accounts, asked of the account server",
	.license	= "MIT",
};
