/* SPDX-License-Identifier: MIT */
/*
 * keys - settings as written, checked against a table of mc_key and stored
 * in the struct that the table describes.
 */
#ifndef SERVER_KEYS_H
#define SERVER_KEYS_H

#include "errors.h"

#include <metacube/module.h>

enum setting_kind {
	SETTING_BOOL = 1, SETTING_INT, SETTING_STRING,
	SETTING_WORD,		/* only its text is known: fallback, --set */
	SETTING_OTHER		/* a group, list or fraction: never right */
};

/* One setting, as somebody wrote it. */
struct setting {
	struct setting		*next;
	char			*name;
	enum setting_kind	 kind;
	int64_t			 number;	/* BOOL, INT */
	char			*text;		/* STRING, WORD */
	const char		*file;		/* who keeps it outlives this */
	unsigned		 line;
	const char		*directory;	/* where relative paths begin */
};

struct setting	*setting_new(const char *name, enum setting_kind,
		    const char *text);
void		 setting_free(struct setting **); /* wipes; this one only */
void		 settings_free(struct setting **); /* the whole list */

/*
 * Fills conf, which is zeroed, from the settings and the fallbacks.  false:
 * something was reported; conf is still to be cleared.  file is for what no
 * line can be named for.
 */
bool		 keys_parse(const struct mc_key *, const struct setting *,
		    const char *file, void *conf, struct errors *);

/* Frees what the fields point to, wiping secrets, and zeroes the fields. */
void		 keys_clear(const struct mc_key *, void *conf);

/* Do two parsed structs say the same? */
bool		 keys_equal(const struct mc_key *, const void *, const void *);

/* Is the table itself sane, and every fallback acceptable?  NULL: yes. */
const char	*keys_fault(const struct mc_key *, size_t conf_size);

/* Is this a name for a setting, an instance or a module? */
bool		 keys_name_valid(const char *);

#endif
