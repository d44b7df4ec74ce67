/* SPDX-License-Identifier: MIT */
/*
 * pki_certificate - a key and the certificate for it, in memory: the CA's, or
 * a server's that the CA has signed.
 *
 * What a server is stands in its certificate as an URI, "metacube:ROLE/NAME",
 * one for each role.
 */
#include "pki.h"

#include <gnutls/crypto.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define CA_DAYS		3650
#define DAYS		365
#define DAY		((time_t)86400)
#define EARLIER		((time_t)300)	/* for clocks that are behind */
#define SERIAL_SIZE	16

#define CA_NAME		"MetaCube private CA"

void
pki_pair_init(struct pki_pair *pair)
{
	gnutls_x509_privkey_init(&pair->key);
	gnutls_x509_crt_init(&pair->crt);
}

void
pki_pair_fini(struct pki_pair *pair)
{
	gnutls_x509_privkey_deinit(pair->key);
	gnutls_x509_crt_deinit(pair->crt);
}

static int
make_key(gnutls_x509_privkey_t key, bool ed25519)
{
	if (ed25519)
		return gnutls_x509_privkey_generate(key,
		    GNUTLS_PK_EDDSA_ED25519,
		    GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_ED25519), 0);
	return gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
	    GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
}

/* Random, positive and without a leading zero, as RFC 5280 wants it. */
static int
set_serial(gnutls_x509_crt_t crt)
{
	uint8_t serial[SERIAL_SIZE];
	int error = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial));

	if (error < 0)
		return error;
	serial[0] = (serial[0] & 0x7f) | 0x40;
	return gnutls_x509_crt_set_serial(crt, serial, sizeof(serial));
}

static int
set_key_id(gnutls_x509_crt_t crt)
{
	uint8_t id[64];
	size_t size = sizeof(id);
	int error = gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA1, id,
	    &size);

	if (error < 0)
		return error;
	return gnutls_x509_crt_set_subject_key_id(crt, id, size);
}

static int
set_issuer_id(gnutls_x509_crt_t crt, gnutls_x509_crt_t issuer)
{
	uint8_t id[64];
	size_t size = sizeof(id);
	int error = gnutls_x509_crt_get_subject_key_id(issuer, id, &size,
	    NULL);

	if (error < 0)
		return error;
	return gnutls_x509_crt_set_authority_key_id(crt, id, size);
}

/* What all certificates have. */
static bool
begin_crt(struct pki_pair *pair, const char *name, bool ed25519, time_t until)
{
	return pki_works(make_key(pair->key, ed25519), "a key") &&
	    pki_works(gnutls_x509_crt_set_version(pair->crt, 3), "a version") &&
	    pki_works(gnutls_x509_crt_set_key(pair->crt, pair->key),
	    "a public key") &&
	    pki_works(set_serial(pair->crt), "a serial number") &&
	    pki_works(set_key_id(pair->crt), "a key id") &&
	    pki_works(gnutls_x509_crt_set_dn_by_oid(pair->crt,
	    GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name)),
	    "a name") &&
	    pki_works(gnutls_x509_crt_set_activation_time(pair->crt,
	    time(NULL) - EARLIER), "a date") &&
	    pki_works(gnutls_x509_crt_set_expiration_time(pair->crt, until),
	    "a date");
}

static bool
sign(gnutls_x509_crt_t crt, const struct pki_pair *issuer)
{
	gnutls_digest_algorithm_t digest = GNUTLS_DIG_SHA256;

	if (gnutls_x509_privkey_get_pk_algorithm(issuer->key) ==
	    GNUTLS_PK_EDDSA_ED25519)
		digest = GNUTLS_DIG_SHA512;
	return pki_works(gnutls_x509_crt_sign2(crt, issuer->crt, issuer->key,
	    digest, 0), "the signature");
}

bool
pki_make_ca(struct pki_pair *ca, const struct pki_options *options)
{
	long days = options->days != 0 ? options->days : CA_DAYS;

	return begin_crt(ca, CA_NAME, options->ed25519,
	    time(NULL) + days * DAY) &&
	    pki_works(gnutls_x509_crt_set_basic_constraints(ca->crt, 1, 0),
	    "a CA") &&
	    pki_works(gnutls_x509_crt_set_key_usage(ca->crt,
	    GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN), "a CA") &&
	    sign(ca->crt, ca);
}

static bool
add_san(gnutls_x509_crt_t crt, gnutls_x509_subject_alt_name_t type,
    const void *data, size_t len)
{
	return pki_works(gnutls_x509_crt_set_subject_alt_name(crt, type, data,
	    (unsigned)len, GNUTLS_FSAN_APPEND), "an address");
}

static bool
add_address(gnutls_x509_crt_t crt, const char *address)
{
	uint8_t ip[16];

	if (inet_pton(AF_INET, address, ip) == 1)
		return add_san(crt, GNUTLS_SAN_IPADDRESS, ip, 4);
	if (inet_pton(AF_INET6, address, ip) == 1)
		return add_san(crt, GNUTLS_SAN_IPADDRESS, ip, 16);
	if (address[0] == '\0' || strlen(address) > 253 ||
	    strspn(address, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.*") != strlen(address))
		return pki_complain("\"%s\" is neither an IP address nor a "
		    "host name", address);
	return add_san(crt, GNUTLS_SAN_DNSNAME, address, strlen(address));
}

static bool
add_role(gnutls_x509_crt_t crt, const char *role, const char *name)
{
	char uri[2 * PKI_WORD_MAX + 16];

	snprintf(uri, sizeof(uri), "metacube:%s/%s", role, name);
	return add_san(crt, GNUTLS_SAN_URI, uri, strlen(uri));
}

static bool
add_names(gnutls_x509_crt_t crt, const struct pki_request *request)
{
	for (unsigned i = 0; i < request->nroles; i++)
		if (!add_role(crt, request->roles[i], request->name))
			return false;
	for (int i = 0; i < request->naddresses; i++)
		if (!add_address(crt, request->addresses[i]))
			return false;
	return true;
}

/* Every server both answers and dials. */
static bool
add_purposes(gnutls_x509_crt_t crt)
{
	return pki_works(gnutls_x509_crt_set_basic_constraints(crt, 0, -1),
	    "a server's certificate") &&
	    pki_works(gnutls_x509_crt_set_key_usage(crt,
	    GNUTLS_KEY_DIGITAL_SIGNATURE), "a key usage") &&
	    pki_works(gnutls_x509_crt_set_key_purpose_oid(crt,
	    GNUTLS_KP_TLS_WWW_SERVER, 0), "a purpose") &&
	    pki_works(gnutls_x509_crt_set_key_purpose_oid(crt,
	    GNUTLS_KP_TLS_WWW_CLIENT, 0), "a purpose");
}

/* No certificate outlives its CA. */
static time_t
until(const struct pki_pair *ca, const struct pki_options *options)
{
	long days = options->days != 0 ? options->days : DAYS;
	time_t end = time(NULL) + days * DAY;
	time_t ca_end = gnutls_x509_crt_get_expiration_time(ca->crt);

	return end < ca_end ? end : ca_end;
}

bool
pki_make_server(const struct pki_request *request, const struct pki_pair *ca,
    struct pki_pair *pair, const struct pki_options *options)
{
	return begin_crt(pair, request->name, options->ed25519,
	    until(ca, options)) &&
	    add_names(pair->crt, request) && add_purposes(pair->crt) &&
	    pki_works(set_issuer_id(pair->crt, ca->crt), "an issuer") &&
	    sign(pair->crt, ca);
}
