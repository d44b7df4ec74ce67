/* SPDX-License-Identifier: MIT */
#include "tls.h"

#include <gnutls/x509.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define CHAIN_MAX	16

struct tls {
	atomic_uint				 refs;
	gnutls_certificate_credentials_t	 credentials;
	gnutls_priority_t			 priority;
	struct mc_peer				 self;
};

struct tls *
tls_ref(struct tls *tls)
{
	if (tls != NULL)
		atomic_fetch_add_explicit(&tls->refs, 1, memory_order_relaxed);
	return tls;
}

void
tls_unref(struct tls **tlsp)
{
	struct tls *tls = *tlsp;

	*tlsp = NULL;
	if (tls == NULL || atomic_fetch_sub(&tls->refs, 1) != 1)
		return;
	gnutls_certificate_free_credentials(tls->credentials);
	if (tls->priority != NULL)
		gnutls_priority_deinit(tls->priority);
	free(tls);
}

const char *
tls_name(const struct tls *tls)
{
	return tls->self.name;
}

/* What the files hold */

static bool
load_file(struct mc_host *host, const char *what, const char *path,
    gnutls_datum_t *data)
{
	if (path[0] == '\0') {
		mc_log(host, MC_ERROR, "there is no %s: neither the listener "
		    "nor the process has one", what);
		return false;
	}
	if (gnutls_load_file(path, data) == 0)
		return true;
	mc_log(host, MC_ERROR, "cannot read %s %s: %s", what, path,
	    strerror(errno));
	return false;
}

static void
warn_validity(struct mc_host *host, const char *path, gnutls_x509_crt_t crt)
{
	time_t now = time(NULL);

	if (gnutls_x509_crt_get_expiration_time(crt) < now)
		mc_log(host, MC_WARN, "certificate %s has expired", path);
	else if (gnutls_x509_crt_get_activation_time(crt) > now)
		mc_log(host, MC_WARN, "certificate %s is not valid yet", path);
}

static int
set_pair(struct mc_host *host, struct tls *tls, const struct tls_files *files,
    gnutls_x509_crt_t *chain, unsigned count, gnutls_datum_t *key_data)
{
	gnutls_x509_privkey_t key;
	int error;

	gnutls_x509_privkey_init(&key);
	error = gnutls_x509_privkey_import2(key, key_data, GNUTLS_X509_FMT_PEM,
	    NULL, 0);
	if (error != 0)
		mc_log(host, MC_ERROR, "key %s is not a private key in PEM "
		    "form: %s", files->key, gnutls_strerror(error));
	else if ((error = gnutls_certificate_set_x509_key(tls->credentials,
	    chain, (int)count, key)) < 0)
		mc_log(host, MC_ERROR, "key %s does not belong to certificate "
		    "%s: %s", files->key, files->certificate,
		    gnutls_strerror(error));
	gnutls_x509_privkey_deinit(key);
	return error;
}

static bool
use_chain(struct mc_host *host, struct tls *tls,
    const struct tls_files *files, gnutls_datum_t *chain_data,
    gnutls_datum_t *key_data)
{
	gnutls_x509_crt_t chain[CHAIN_MAX];
	unsigned count = CHAIN_MAX;
	int error;

	error = gnutls_x509_crt_list_import(chain, &count, chain_data,
	    GNUTLS_X509_FMT_PEM, GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED);
	if (error < 0 || count == 0) {
		mc_log(host, MC_ERROR, "certificate %s holds no certificate "
		    "in PEM form: %s", files->certificate,
		    gnutls_strerror(error));
		return false;
	}
	error = set_pair(host, tls, files, chain, count, key_data);
	warn_validity(host, files->certificate, chain[0]);
	peer_read(&tls->self, chain[0]);
	for (unsigned i = 0; i < count; i++)
		gnutls_x509_crt_deinit(chain[i]);
	return error >= 0;
}

/* Not refused: the folder may keep others out. */
static void
warn_mode(struct mc_host *host, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && (st.st_mode & (S_IRWXO | S_IWGRP)) != 0)
		mc_log(host, MC_WARN, "key %s: others may read or change it; "
		    "chmod 0600 or 0640", path);
}

static bool
load_pair(struct mc_host *host, struct tls *tls,
    const struct tls_files *files)
{
	gnutls_datum_t chain = { 0 }, key = { 0 };
	bool fine;

	fine = load_file(host, "certificate", files->certificate, &chain) &&
	    load_file(host, "key", files->key, &key) &&
	    use_chain(host, tls, files, &chain, &key);
	if (fine)
		warn_mode(host, files->key);
	mc_wipe(key.data, key.size);
	gnutls_free(key.data);
	gnutls_free(chain.data);
	return fine;
}

static bool
load_ca(struct mc_host *host, struct tls *tls, const struct tls_files *files)
{
	gnutls_datum_t ca = { 0 };
	int count;

	if (files->ca[0] == '\0')
		return true;
	if (!load_file(host, "ca", files->ca, &ca))
		return false;
	count = gnutls_certificate_set_x509_trust_mem(tls->credentials, &ca,
	    GNUTLS_X509_FMT_PEM);
	gnutls_free(ca.data);
	if (count <= 0)
		mc_log(host, MC_ERROR, "ca %s holds no certificate in PEM "
		    "form%s%s", files->ca, count < 0 ? ": " : "",
		    count < 0 ? gnutls_strerror(count) : "");
	return count > 0;
}

static bool
load_priority(struct mc_host *host, struct tls *tls, const char *priority)
{
	const char *at;
	int error = gnutls_priority_init(&tls->priority, priority, &at);

	if (error == 0)
		return true;
	tls->priority = NULL;
	mc_log(host, MC_ERROR, "tls_priority: %s at \"%s\"",
	    gnutls_strerror(error), at);
	return false;
}

struct tls *
tls_load(struct mc_host *host, const struct tls_files *files)
{
	struct tls *tls = mc_zalloc(sizeof(*tls));

	atomic_init(&tls->refs, 1);
	gnutls_certificate_allocate_credentials(&tls->credentials);
	if (!load_priority(host, tls, files->priority) ||
	    !load_pair(host, tls, files) || !load_ca(host, tls, files))
		tls_unref(&tls);
	return tls;
}

/* Whom to believe */

static void
refuse(struct tls_check *check, gnutls_alert_description_t alert,
    const char *why)
{
	check->alert = alert;
	snprintf(check->why, sizeof(check->why), "%s", why);
}

/* The reason that helps most, where there are several. */
static void
refuse_status(struct tls_check *check, unsigned status)
{
	if (status & (GNUTLS_CERT_SIGNER_NOT_FOUND |
	    GNUTLS_CERT_SIGNER_NOT_CA))
		refuse(check, GNUTLS_A_UNKNOWN_CA,
		    "its certificate was not issued by our CA");
	else if (status & GNUTLS_CERT_EXPIRED)
		refuse(check, GNUTLS_A_CERTIFICATE_EXPIRED,
		    "its certificate has expired");
	else if (status & GNUTLS_CERT_NOT_ACTIVATED)
		refuse(check, GNUTLS_A_CERTIFICATE_EXPIRED,
		    "its certificate is not valid yet (or a clock is wrong)");
	else if (status & GNUTLS_CERT_PURPOSE_MISMATCH)
		refuse(check, GNUTLS_A_UNSUPPORTED_CERTIFICATE,
		    "its certificate is not meant for this side");
	else
		refuse(check, GNUTLS_A_BAD_CERTIFICATE,
		    "its certificate cannot be verified");
}

static bool
read_peer(gnutls_session_t session, struct tls_check *check)
{
	const gnutls_datum_t *chain;
	gnutls_x509_crt_t crt;
	unsigned count;

	chain = gnutls_certificate_get_peers(session, &count);
	if (chain == NULL || count == 0) {
		refuse(check, GNUTLS_A_CERTIFICATE_REQUIRED,
		    "it shows no certificate");
		return false;
	}
	gnutls_x509_crt_init(&crt);
	if (gnutls_x509_crt_import(crt, &chain[0], GNUTLS_X509_FMT_DER) == 0)
		peer_read(check->peer, crt);
	gnutls_x509_crt_deinit(crt);
	return true;
}

static bool
verify_chain(gnutls_session_t session, struct tls_check *check)
{
	gnutls_typed_vdata_st purpose = { .type = GNUTLS_DT_KEY_PURPOSE_OID };
	unsigned status;
	int error;

	purpose.data = (unsigned char *)(check->side == TLS_TO_SERVER ?
	    GNUTLS_KP_TLS_WWW_SERVER : GNUTLS_KP_TLS_WWW_CLIENT);
	error = gnutls_certificate_verify_peers(session, &purpose, 1, &status);
	if (error != 0)
		refuse(check, GNUTLS_A_BAD_CERTIFICATE,
		    gnutls_strerror(error));
	else if (status != 0)
		refuse_status(check, status);
	return error == 0 && status == 0;
}

/* A wrong role of one who dials is answered with words, not with an alert:
 * conn_in.c does that. */
static int
verified(gnutls_session_t session)
{
	struct tls_check *check = gnutls_session_get_ptr(session);

	if (!read_peer(session, check) || !verify_chain(session, check))
		return GNUTLS_E_CERTIFICATE_ERROR;
	if (check->side != TLS_TO_SERVER ||
	    mc_peer_is(check->peer, check->role))
		return 0;
	check->alert = GNUTLS_A_ACCESS_DENIED;
	snprintf(check->why, sizeof(check->why), "its certificate is for "
	    "%s \"%s\", not for a %s", check->peer->roles[0] != '\0' ?
	    check->peer->roles : "no role,", check->peer->name, check->role);
	return GNUTLS_E_CERTIFICATE_ERROR;
}

gnutls_session_t
tls_session(struct tls *tls, enum tls_side side)
{
	unsigned flags = GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL |
	    GNUTLS_NO_TICKETS;
	gnutls_session_t session;

	flags |= side == TLS_TO_SERVER ? GNUTLS_CLIENT : GNUTLS_SERVER;
	if (gnutls_init(&session, flags) != 0)
		return NULL;
	gnutls_priority_set(session, tls->priority);
	gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE,
	    tls->credentials);
	gnutls_handshake_set_timeout(session, 0);
	if (side == TLS_FOR_SERVERS)
		gnutls_certificate_server_set_request(session,
		    GNUTLS_CERT_REQUIRE);
	if (side != TLS_FOR_CLIENTS)
		gnutls_session_set_verify_function(session, verified);
	return session;
}

static const char *
alert_text(gnutls_session_t session)
{
	switch (gnutls_alert_get(session)) {
	case GNUTLS_A_CERTIFICATE_REQUIRED:
		return "it requires a certificate from us";
	case GNUTLS_A_CERTIFICATE_EXPIRED:
		return "it says that our certificate is not valid now";
	case GNUTLS_A_UNKNOWN_CA:
		return "it says that our certificate is not from its CA";
	case GNUTLS_A_ACCESS_DENIED:
		return "it says that our certificate has the wrong role";
	case GNUTLS_A_UNSUPPORTED_CERTIFICATE:
		return "it says that our certificate is for another purpose";
	case GNUTLS_A_BAD_CERTIFICATE:
		return "it does not accept our certificate";
	default:
		return gnutls_alert_get_name(gnutls_alert_get(session));
	}
}

void
tls_explain(gnutls_session_t session, int error, struct tls_check *check)
{
	int level;

	if (check->why[0] != '\0')
		return;
	if (error == GNUTLS_E_FATAL_ALERT_RECEIVED) {
		snprintf(check->why, sizeof(check->why), "%s",
		    alert_text(session));
		return;
	}
	if (error == GNUTLS_E_CERTIFICATE_REQUIRED ||
	    error == GNUTLS_E_NO_CERTIFICATE_FOUND)
		refuse(check, GNUTLS_A_CERTIFICATE_REQUIRED,
		    "it shows no certificate");
	else if (error == GNUTLS_E_UNSUPPORTED_VERSION_PACKET ||
	    (error == GNUTLS_E_NO_CIPHER_SUITES &&
	    gnutls_protocol_get_version(session) != GNUTLS_TLS1_3))
		refuse(check, GNUTLS_A_PROTOCOL_VERSION,
		    "it does not speak TLS 1.3");
	else
		refuse(check, (gnutls_alert_description_t)
		    gnutls_error_to_alert(error, &level),
		    gnutls_strerror(error));
}
