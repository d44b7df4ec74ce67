/* SPDX-License-Identifier: MIT */
/*
 * conf_file - one configuration file, read and split into settings.
 *
 * Regular files only, of limited size; conf_scan looks at them first.
 */
#ifndef SERVER_CONF_FILE_H
#define SERVER_CONF_FILE_H

#include "keys.h"

#include <libconfig.h>

#define CONF_FILE_MAX	(256 * 1024)	/* bytes */

struct conf_file {
	char		*path;		/* absolute */
	char		*directory;
	config_t	 tree;
};

/* false: said why, and there is nothing to close. */
bool		 conf_file_open(struct conf_file *, const char *path,
		    struct errors *);
/* Wipes the strings, for they may be secrets. */
void		 conf_file_close(struct conf_file *);

/* The settings of a group, in their order.  They point
 * to file and directory, which the caller keeps. */
struct setting	*conf_file_settings(const config_setting_t *,
		    const char *file, const char *directory);

#endif
