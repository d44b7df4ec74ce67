/* SPDX-License-Identifier: MIT */
/*
 * field - the fields of all forms, and what may stand in them.
 *
 * The account server checks all of it again; what is checked here is what a
 * person can be told beside the field, and what only this program can see:
 * a password before it is made into its proof.
 */
#ifndef ACCTSERV_FIELD_H
#define ACCTSERV_FIELD_H

#include "form.h"
#include "text.h"

#include <stdbool.h>

enum field_id {
	FIELD_NONE = 0,
	FIELD_NAME,
	FIELD_EMAIL,
	FIELD_PRIVATE,
	FIELD_CODE,
	FIELD_PASSWORD,
	FIELD_NEW,
	FIELD_AGAIN,
	FIELD_SURE,
	FIELD_COUNT
};

struct field {
	const char	*name;		/* in the form, and its id in HTML */
	const char	*type;
	const char	*autocomplete;	/* "": none */
	enum text	 label, hint;
	bool		 folded;	/* a name or code: no capitals, no
					 * spelling */
	bool		 secret;	/* is never sent back */
	bool		 optional;
};

/* What was typed; "" where nothing was. */
struct values {
	const char	*of[FIELD_COUNT];
};

const struct field	*field_of(enum field_id);

/* Takes the values out of the form, with no blanks around those that are no
 * passwords. */
void		 values_read(const struct form *, struct values *values_r);
bool		 value_ticked(const struct values *, enum field_id);

/* What is wrong with it; T_NONE: nothing. */
enum text	 field_fault(enum field_id, const struct values *);

#endif
