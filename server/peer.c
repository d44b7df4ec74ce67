/* SPDX-License-Identifier: MIT */
/*
 * peer - who somebody is: the name and the roles in a certificate.
 */
#include "tls.h"

#include <gnutls/x509.h>

#include <string.h>

#define URI_PREFIX	"metacube:"

static bool
word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

static bool
word_valid(const char *word, size_t len)
{
	if (len == 0)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!word_char(word[i]))
			return false;
	return true;
}

static bool
list_has(const char *list, const char *word, size_t len)
{
	size_t n;

	for (;; list += n + 1) {
		n = strcspn(list, ",");
		if (n == len && memcmp(list, word, len) == 0)
			return true;
		if (list[n] == '\0')
			return false;
	}
}

static bool
add_role(struct mc_peer *peer, const char *role, size_t len)
{
	char *end = peer->roles + strlen(peer->roles);
	size_t left = sizeof(peer->roles) - (size_t)(end - peer->roles);

	if (peer->roles[0] != '\0' && list_has(peer->roles, role, len))
		return true;
	if (len + 2 > left)
		return false;
	if (end != peer->roles)
		*end++ = ',';
	memcpy(end, role, len);
	end[len] = '\0';
	return true;
}

/* One certificate is one server: a second name makes it nobody's. */
bool
peer_uri(struct mc_peer *peer, const char *uri, size_t len)
{
	const char *role = uri + strlen(URI_PREFIX), *slash, *name;
	size_t name_len;

	if (len <= strlen(URI_PREFIX) ||
	    memcmp(uri, URI_PREFIX, strlen(URI_PREFIX)) != 0)
		return false;
	slash = memchr(role, '/', (size_t)(uri + len - role));
	if (slash == NULL || !word_valid(role, (size_t)(slash - role)))
		return false;
	name = slash + 1;
	name_len = (size_t)(uri + len - name);
	if (!word_valid(name, name_len) || name_len >= sizeof(peer->name))
		return false;
	if (peer->name[0] != '\0' && (strlen(peer->name) != name_len ||
	    memcmp(peer->name, name, name_len) != 0))
		return false;
	if (!add_role(peer, role, (size_t)(slash - role)))
		return false;
	memcpy(peer->name, name, name_len);
	peer->name[name_len] = '\0';
	return true;
}

bool
mc_peer_is(const struct mc_peer *peer, const char *role)
{
	return role[0] != '\0' && list_has(peer->roles, role, strlen(role));
}

bool
peer_has_role_of(const struct mc_peer *peer, const char *roles)
{
	size_t n;

	for (;; roles += n + 1) {
		n = strcspn(roles, ",");
		if (n != 0 && list_has(peer->roles, roles, n))
			return true;
		if (roles[n] == '\0')
			return false;
	}
}

void
peer_read(struct mc_peer *peer, gnutls_x509_crt_t crt)
{
	char uri[256];
	size_t size;
	int type;

	for (unsigned i = 0;; i++) {
		size = sizeof(uri);
		type = gnutls_x509_crt_get_subject_alt_name(crt, i, uri, &size,
		    NULL);
		if (type < 0 && type != GNUTLS_E_SHORT_MEMORY_BUFFER)
			return;
		if (type == GNUTLS_SAN_URI)
			peer_uri(peer, uri, size);
	}
}
