/* SPDX-License-Identifier: MIT */
/*
 * trust - checks who is at the other end of a TLS connection.
 *
 * The certificate must come from the CA, be valid now, be meant for servers,
 * and name the host that was dialled.  When it also carries names of the form
 * "metacube:ROLE/NAME", as every certificate of a network's own CA does, one
 * of them must be the server that is expected: a world server cannot pose as
 * the gateway, nor as another world.
 */
#include "trust.h"

#include <gnutls/x509.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PRIORITY \
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-X25519:" \
	"+GROUP-SECP256R1:+GROUP-SECP384R1"
#define URI_PREFIX	"metacube:"
#define NAME_TEXT	160	/* of a certificate's name, for people */

static const char *
ca_name(const struct trust *trust)
{
	return trust->ca_file != NULL ? trust->ca_file :
	    "the CA list of this system";
}

static int
ca_load(struct trust *trust, struct fault *fault)
{
	int n;

	if (trust->ca_file == NULL)
		n = gnutls_certificate_set_x509_system_trust(
		    trust->credentials);
	else
		n = gnutls_certificate_set_x509_trust_file(trust->credentials,
		    trust->ca_file, GNUTLS_X509_FMT_PEM);
	if (n > 0)
		return 0;
	fault_set(fault, METACUBE_E_CA, "%s cannot be used: %s",
	    ca_name(trust), n == 0 || n == GNUTLS_E_NO_CERTIFICATE_FOUND ?
	    "there is no CA certificate in it" :
	    n == GNUTLS_E_FILE_ERROR ? "it cannot be read" :
	    gnutls_strerror(n));
	return -1;
}

int
trust_init(struct trust *trust, const char *ca_file, struct fault *fault)
{
	memset(trust, 0, sizeof(*trust));
	if (ca_file != NULL)
		trust->ca_file = strdup(ca_file);
	if ((ca_file != NULL && trust->ca_file == NULL) ||
	    gnutls_certificate_allocate_credentials(&trust->credentials) < 0 ||
	    gnutls_priority_init(&trust->priority, PRIORITY, NULL) < 0) {
		fault_set(fault, METACUBE_E_MEMORY, "TLS cannot be set up: "
		    "there is not enough memory");
		trust_fini(trust);
		return -1;
	}
	if (ca_load(trust, fault) < 0) {
		trust_fini(trust);
		return -1;
	}
	return 0;
}

void
trust_fini(struct trust *trust)
{
	if (trust->credentials != NULL)
		gnutls_certificate_free_credentials(trust->credentials);
	if (trust->priority != NULL)
		gnutls_priority_deinit(trust->priority);
	free(trust->ca_file);
	memset(trust, 0, sizeof(*trust));
}

/* What a certificate says is input too: only printable ASCII is shown. */
static void
name_show(char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

static void
issuer_text(gnutls_x509_crt_t crt, char text[NAME_TEXT])
{
	size_t size = NAME_TEXT;

	if (gnutls_x509_crt_get_issuer_dn(crt, text, &size) < 0)
		strcpy(text, "somebody without a name");
	name_show(text);
}

static void
time_text(time_t when, char text[32])
{
	struct tm tm;

	if (when == (time_t)-1 || gmtime_r(&when, &tm) == NULL ||
	    strftime(text, 32, "%Y-%m-%d %H:%M UTC", &tm) == 0)
		strcpy(text, "an unknown time");
}

static bool
self_signed(gnutls_x509_crt_t crt)
{
	return gnutls_x509_crt_check_issuer(crt, crt) != 0;
}

static int
issuer_fault(const struct trust *trust, gnutls_x509_crt_t crt,
    const struct trust_peer *peer, struct fault *fault)
{
	char issuer[NAME_TEXT];

	if (self_signed(crt))
		return fault_set(fault, METACUBE_E_CERT_SELF_SIGNED,
		    "the certificate of %s is self-signed, and not in %s",
		    peer->label, ca_name(trust));
	issuer_text(crt, issuer);
	return fault_set(fault, METACUBE_E_CERT_UNTRUSTED,
	    "the certificate of %s was issued by \"%s\", which is not in %s",
	    peer->label, issuer, ca_name(trust));
}

/* The dates may be those of the certificate or of a CA above it. */
static int
date_fault(gnutls_x509_crt_t crt, unsigned status,
    const struct trust_peer *peer, struct fault *fault)
{
	time_t begins = gnutls_x509_crt_get_activation_time(crt);
	time_t ends = gnutls_x509_crt_get_expiration_time(crt);
	char when[32];

	if (status & GNUTLS_CERT_EXPIRED) {
		time_text(ends, when);
		return fault_set(fault, METACUBE_E_CERT_EXPIRED,
		    ends <= time(NULL) ?
		    "the certificate of %s has expired on %s" :
		    "a CA above the certificate of %s (valid until %s) has "
		    "expired", peer->label, when);
	}
	time_text(begins, when);
	return fault_set(fault, METACUBE_E_CERT_NOT_YET, begins > time(NULL) ?
	    "the certificate of %s is valid only from %s on: is the clock of "
	    "this machine right?" :
	    "a CA above the certificate of %s (valid from %s) is not valid "
	    "yet: is the clock of this machine right?", peer->label, when);
}

static int
status_fault(const struct trust *trust, gnutls_x509_crt_t crt,
    unsigned status, const struct trust_peer *peer, struct fault *fault)
{
	gnutls_datum_t text = { NULL, 0 };

	if (status & (GNUTLS_CERT_SIGNER_NOT_FOUND |
	    GNUTLS_CERT_SIGNER_NOT_CA | GNUTLS_CERT_SIGNATURE_FAILURE))
		return issuer_fault(trust, crt, peer, fault);
	if (status & (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED))
		return date_fault(crt, status, peer, fault);
	if (status & GNUTLS_CERT_PURPOSE_MISMATCH)
		return fault_set(fault, METACUBE_E_CERT_BAD,
		    "the certificate of %s is not meant for servers",
		    peer->label);
	gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509,
	    &text, 0);
	fault_set(fault, METACUBE_E_CERT_BAD,
	    "the certificate of %s cannot be accepted: %s", peer->label,
	    text.data != NULL ? (const char *)text.data : "unknown reason");
	gnutls_free(text.data);
	return fault->kind;
}

static bool
uri_fits(const char *uri, const struct trust_peer *peer)
{
	size_t len = strlen(peer->role);

	uri += strlen(URI_PREFIX);
	return strncmp(uri, peer->role, len) == 0 && uri[len] == '/' &&
	    (peer->name[0] == '\0' || strcmp(uri + len + 1, peer->name) == 0);
}

static int
role_check(gnutls_x509_crt_t crt, const struct trust_peer *peer,
    struct fault *fault)
{
	char uri[256], shown[256] = "";
	int type;

	for (unsigned i = 0;; i++) {
		size_t size = sizeof(uri) - 1;

		type = gnutls_x509_crt_get_subject_alt_name(crt, i, uri, &size,
		    NULL);
		if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			break;
		if (type != GNUTLS_SAN_URI)
			continue;
		uri[size] = '\0';
		if (strncmp(uri, URI_PREFIX, strlen(URI_PREFIX)) != 0)
			continue;
		if (uri_fits(uri, peer))
			return 0;
		strcpy(shown, uri);
	}
	if (shown[0] == '\0')
		return 0;
	name_show(shown);
	return fault_set(fault, METACUBE_E_CERT_ROLE,
	    "%s should be %s%s%s, but its certificate is that of \"%s\"",
	    peer->label, peer->name[0] != '\0' ? "the " : "a ", peer->role,
	    peer->name[0] != '\0' ? " that was named" : "", shown);
}

static int
name_check(gnutls_x509_crt_t crt, const struct trust_peer *peer,
    struct fault *fault)
{
	char name[NAME_TEXT] = "";
	size_t size = sizeof(name);

	if (gnutls_x509_crt_check_hostname(crt, peer->host))
		return role_check(crt, peer, fault);
	if (gnutls_x509_crt_get_dn(crt, name, &size) < 0)
		strcpy(name, "somebody else");
	name_show(name);
	return fault_set(fault, METACUBE_E_CERT_NAME,
	    "the certificate of %s (\"%s\") is not made out for \"%s\"",
	    peer->label, name, peer->host);
}

int
trust_check(const struct trust *trust, gnutls_session_t session,
    const struct trust_peer *peer, struct fault *fault)
{
	gnutls_typed_vdata_st purpose = {
		GNUTLS_DT_KEY_PURPOSE_OID,
		(unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_SERVER, 0
	};
	const gnutls_datum_t *chain;
	gnutls_x509_crt_t crt;
	unsigned status, count;
	int failed;

	chain = gnutls_certificate_get_peers(session, &count);
	if (chain == NULL || count == 0 || gnutls_x509_crt_init(&crt) < 0)
		return fault_set(fault, METACUBE_E_CERT_BAD,
		    "%s shows no certificate", peer->label), -1;
	if (gnutls_x509_crt_import(crt, &chain[0], GNUTLS_X509_FMT_DER) < 0 ||
	    gnutls_certificate_verify_peers(session, &purpose, 1,
	    &status) < 0)
		failed = fault_set(fault, METACUBE_E_CERT_BAD,
		    "the certificate of %s cannot be read", peer->label);
	else if (status != 0)
		failed = status_fault(trust, crt, status, peer, fault);
	else
		failed = name_check(crt, peer, fault);
	gnutls_x509_crt_deinit(crt);
	return failed ? -1 : 0;
}
