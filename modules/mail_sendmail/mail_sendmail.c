/* SPDX-License-Identifier: MIT */
/*
 * mail_sendmail - mail through the sendmail interface.
 */
#include <metacube/host.h>

MC_MODULE_NOTE;

const struct mc_module metacube_module = {
	MC_MODULE_ABI,
	.name		= "mail_sendmail",
	.version	= "0.1.0",
	.summary	= "Mail through the sendmail interface",
	.license	= "MIT",
};
