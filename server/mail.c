/* SPDX-License-Identifier: MIT */
/*
 * mail - which addresses mail can be sent to (metacube/mail.h).
 *
 * Stricter than RFC 5321 on purpose: what is refused here is hardly ever an
 * address of a person, and quoting is where headers are forged.
 */
#include <metacube/mail.h>

#include <string.h>

#define LOCAL_MAX	64
#define LABEL_MAX	63
#define LETTERS		"abcdefghijklmnopqrstuvwxyz" \
			"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* Dot-separated runs of these characters, each at most max long. */
static bool
dotted(const char *at, size_t len, const char *allowed, size_t max)
{
	size_t run = 0;

	for (size_t i = 0; i < len; i++) {
		if (at[i] == '.' && run == 0)
			return false;
		if (at[i] == '.')
			run = 0;
		else if (strchr(allowed, at[i]) == NULL || ++run > max)
			return false;
	}
	return run > 0;
}

static bool
local_valid(const char *address, size_t len)
{
	return len <= LOCAL_MAX && strchr("-", address[0]) == NULL &&
	    dotted(address, len, LETTERS "!#$%&'*+/=?^_`{|}~-", LOCAL_MAX);
}

static bool
domain_valid(const char *domain)
{
	size_t len = strlen(domain);

	return dotted(domain, len, LETTERS "-", LABEL_MAX) &&
	    domain[0] != '-' && domain[len - 1] != '-' &&
	    strstr(domain, ".-") == NULL && strstr(domain, "-.") == NULL;
}

const char *
mc_email_fault(const char *address)
{
	const char *at = strrchr(address, '@');

	if (strlen(address) > TCAPW_EMAIL_SIZE - 2)
		return "is longer than 254 characters";
	if (at == NULL)
		return "has no @";
	if (!local_valid(address, (size_t)(at - address)))
		return "has something before its @ that mail cannot be sent "
		    "to";
	if (!domain_valid(at + 1))
		return "has no domain name after its @";
	return NULL;
}
