/* SPDX-License-Identifier: MIT */
#include "tls.h"

#include "process.h"
#include "pump.h"

#include <gnutls/x509.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define CHAIN_MAX	16
#define URI_PREFIX	"metacube:"

struct tls {
	atomic_uint				 refs;
	gnutls_certificate_credentials_t	 credentials;
	gnutls_priority_t			 priority;
	struct mc_peer				 self;
};

static struct {
	pthread_mutex_t	 lock;
	struct tls	*tls;
} identity = { .lock = PTHREAD_MUTEX_INITIALIZER };

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

/* Who somebody is */

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

static void
read_names(gnutls_x509_crt_t crt, struct mc_peer *peer)
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
	read_names(chain[0], &tls->self);
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
		read_names(crt, check->peer);
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

/* The process's own */

struct tls *
identity_ref(void)
{
	struct tls *tls;

	pthread_mutex_lock(&identity.lock);
	tls = tls_ref(identity.tls);
	pthread_mutex_unlock(&identity.lock);
	return tls;
}

static void
identity_set(struct tls *tls)
{
	struct tls *old;

	pthread_mutex_lock(&identity.lock);
	old = identity.tls;
	identity.tls = tls;
	pthread_mutex_unlock(&identity.lock);
	tls_unref(&old);
}

/* *tls_r NULL: none is configured. */
static bool
identity_read(struct mc_host *host, const struct process_conf *conf,
    struct tls **tls_r)
{
	struct tls_files files = {
		conf->certificate, conf->key, conf->ca, conf->tls_priority
	};

	*tls_r = NULL;
	if (conf->certificate[0] == '\0' && conf->key[0] == '\0' &&
	    conf->ca[0] == '\0')
		return true;
	*tls_r = tls_load(host, &files);
	return *tls_r != NULL;
}

bool
identity_usable(const struct process_conf *conf)
{
	struct tls *tls;
	bool usable = identity_read(NULL, conf, &tls);

	tls_unref(&tls);
	return usable;
}

enum mc_status
identity_load(struct process *process)
{
	struct tls *tls;

	if (!identity_read(process->self, &process->conf, &tls))
		return MC_INVALID;
	identity_set(tls);
	return MC_OK;
}

/* The name cannot dangle: it is copied, once for each thread. */
const char *
identity_name(void)
{
	static _Thread_local char name[64];
	struct tls *tls = identity_ref();

	snprintf(name, sizeof(name), "%s", tls != NULL ? tls->self.name : "");
	tls_unref(&tls);
	return name;
}
