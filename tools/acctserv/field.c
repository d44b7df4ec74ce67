/* SPDX-License-Identifier: MIT */
/*
 * field - see field.h.
 */
#include "field.h"

#include <metacube/client.h>
#include <metacube/mail.h>
#include <metacube/name.h>

#include <stdint.h>
#include <string.h>

_Static_assert(METACUBE_PASSWORD_MIN == 8, "texts.h says 8");

#define CODE_MAX	63
#define BLANKS		" \t\r\n"

static const struct field fields[FIELD_COUNT] = {
	[FIELD_NAME] = { "name", "text", "username", T_NAME, T_NONE,
	    .folded = true },
	[FIELD_EMAIL] = { "email", "email", "email", T_EMAIL, T_EMAIL_HINT },
	[FIELD_PRIVATE] = { "private", "checkbox", "", T_PRIVATE,
	    T_PRIVATE_HINT, .optional = true },
	[FIELD_CODE] = { "code", "text", "one-time-code", T_CODE, T_CODE_HINT,
	    .folded = true },
	[FIELD_PASSWORD] = { "password", "password", "current-password",
	    T_PASSWORD, T_NONE, .secret = true },
	[FIELD_NEW] = { "new", "password", "new-password", T_NEW, T_NEW_HINT,
	    .secret = true },
	[FIELD_AGAIN] = { "again", "password", "new-password", T_AGAIN,
	    T_NONE, .secret = true },
	[FIELD_SURE] = { "sure", "checkbox", "", T_SURE, T_NONE,
	    .secret = true },
};

const struct field *
field_of(enum field_id id)
{
	return &fields[id];
}

static char *
trim(char *value)
{
	size_t len;

	value += strspn(value, BLANKS);
	len = strlen(value);
	while (len > 0 && strchr(BLANKS, value[len - 1]) != NULL)
		len--;
	value[len] = '\0';
	return value;
}

void
values_read(const struct form *form, struct values *values)
{
	char *value;

	for (int id = 0; id < FIELD_COUNT; id++) {
		value = id == FIELD_NONE ? NULL :
		    form_value(form, fields[id].name);
		if (value == NULL)
			values->of[id] = "";
		else if (fields[id].secret)
			values->of[id] = value;
		else
			values->of[id] = trim(value);
	}
}

bool
value_ticked(const struct values *values, enum field_id id)
{
	return strcmp(values->of[id], "yes") == 0;
}

static enum text
name_fault(const char *name)
{
	char folded[MC_NAME_SIZE];

	if (name[0] == '\0')
		return T_NAME_MISSING;
	return mc_name_fold(name, folded) == NULL ? T_NONE : T_NAME_BAD;
}

static enum text
email_fault(const char *email)
{
	if (email[0] == '\0')
		return T_EMAIL_MISSING;
	return mc_email_fault(email) == NULL ? T_NONE : T_EMAIL_BAD;
}

static enum text
code_fault(const char *code)
{
	if (code[0] == '\0')
		return T_CODE_MISSING;
	return mc_text_valid(code, CODE_MAX) ? T_NONE : T_CODE_BAD;
}

/* Its length depends on no name, so any will do. */
static bool
has_proof(const char *password)
{
	uint8_t proof[METACUBE_PROOF_SIZE];
	bool has = metacube_proof("anybody", password, proof) == METACUBE_OK;

	explicit_bzero(proof, sizeof(proof));
	return has;
}

/* What is wrong with the name is said beside it. */
static enum text
new_fault(const char *password, const char *name)
{
	uint8_t proof[METACUBE_PROOF_SIZE];
	enum metacube_error error = metacube_new_proof(
	    name_fault(name) == T_NONE ? name : "anybody", password, proof);

	explicit_bzero(proof, sizeof(proof));
	if (password[0] == '\0')
		return T_NEW_MISSING;
	if (strlen(password) > METACUBE_PASSWORD_MAX)
		return T_NEW_LONG;
	switch (error) {
	case METACUBE_OK:
		return T_NONE;
	case METACUBE_E_PASSWORD_SHORT:
		return T_NEW_SHORT;
	case METACUBE_E_PASSWORD_NAME:
		return T_NEW_IS_NAME;
	default:
		return T_NEW_BAD;
	}
}

/* Says nothing as long as the first one is wrong itself. */
static enum text
again_fault(const char *again, const char *new, const char *name)
{
	if (new_fault(new, name) != T_NONE)
		return T_NONE;
	if (again[0] == '\0')
		return T_AGAIN_MISSING;
	return strcmp(again, new) == 0 ? T_NONE : T_AGAIN_DIFFERS;
}

enum text
field_fault(enum field_id id, const struct values *values)
{
	const char *value = values->of[id];

	switch (id) {
	case FIELD_NAME:
		return name_fault(value);
	case FIELD_EMAIL:
		return email_fault(value);
	case FIELD_CODE:
		return code_fault(value);
	case FIELD_PASSWORD:
		if (value[0] == '\0')
			return T_PASSWORD_MISSING;
		return has_proof(value) ? T_NONE : T_PASSWORD_WRONG;
	case FIELD_NEW:
		return new_fault(value, values->of[FIELD_NAME]);
	case FIELD_AGAIN:
		return again_fault(value, values->of[FIELD_NEW],
		    values->of[FIELD_NAME]);
	case FIELD_SURE:
		return value_ticked(values, id) ? T_NONE : T_SURE_MISSING;
	default:
		return T_NONE;
	}
}
