/* SPDX-License-Identifier: MIT */
/*
 * conf_instance - one file of conf.d, as it is written:
 *
 *	module = "gateway";		which module
 *	name = "gateway";		of this instance; default: the module's
 *	enabled = true;			the default
 *	use = { auth = "ldap"; };	which provider, where there are several
 *	settings = { listen = "..."; };	what the module's keys say
 *
 * Whether module, providers and settings exist is not asked here.
 */
#ifndef SERVER_CONF_INSTANCE_H
#define SERVER_CONF_INSTANCE_H

#include "conf.h"

/* What could be read of it, enabled or not; NULL: nothing.  What is wrong has
 * been said. */
struct conf_instance	*conf_instance_read(const char *path, struct errors *);
void			 conf_instance_free(struct conf_instance **);

/* "key=value" from the command line, instead of what the file says. */
void			 conf_setting_override(struct setting **settings,
			    const char *key, const char *value,
			    const char *directory);

#endif
