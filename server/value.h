/* SPDX-License-Identifier: MIT */
/*
 * value - one setting as it is written, as the field of a struct that its key
 * describes.
 */
#ifndef SERVER_VALUE_H
#define SERVER_VALUE_H

#include "keys.h"

#define VALUE_TEXT_MAX	4096	/* of a string without a maximum of its own */

/* false: said what was expected, never what was written: it could be a
 * secret in the wrong place. */
bool		 value_parse(const struct mc_key *, const struct setting *,
		    void *field, struct errors *);

/* "a time such as "30s"": what a setting of this kind should be. */
void		 value_expected(const struct mc_key *, char *buf, size_t size);

/* 90000 as MC_DURATION: "90s".  Returns buf. */
const char	*value_number_text(enum mc_type, int64_t, char buf[32]);

/* The word of an MC_CHOICE with this index, *len_r letters; NULL: beyond. */
const char	*value_choice(const struct mc_key *, int64_t, size_t *len_r);

#endif
