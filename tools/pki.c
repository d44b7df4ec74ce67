/* SPDX-License-Identifier: MIT */
/*
 * pki - a private CA and the certificates of the servers.
 *
 *	DIR/ca.key, DIR/ca.pem		the CA: keep the key where nobody is
 *	DIR/NAME.key, DIR/NAME.pem	one server
 *
 * What a server is stands in its certificate as an URI, "metacube:ROLE/NAME",
 * one for each role.  Files appear whole or not at all, and an existing one is
 * only replaced with --force.  Nothing here asks or changes a server.
 */
#include "ctl.h"

#include <gnutls/crypto.h>
#include <gnutls/x509.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CA_DAYS		3650
#define DAYS		365
#define DAYS_MAX	36500
#define DAY		((time_t)86400)
#define EARLIER		((time_t)300)	/* for clocks that are behind */
#define WORD_MAX	40		/* bytes of a role or a name */
#define ROLES_MAX	8
#define SERIAL_SIZE	16

#define CA_NAME		"MetaCube private CA"

struct options {
	bool	ed25519, force;
	long	days;			/* 0: as usual */
};

struct pair {
	gnutls_x509_privkey_t	key;
	gnutls_x509_crt_t	crt;
};

struct request {
	const char	 *dir, *name;
	char		 *roles[ROLES_MAX];
	unsigned	  nroles;
	char		**addresses;
	int		  naddresses;
};

static const char usage[] =
"usage: metacubectl pki init [--ed25519] [--days N] [--force] DIR\n"
"       metacubectl pki issue [--ed25519] [--days N] [--force]\n"
"                             DIR ROLE[,ROLE...] NAME [ADDRESS...]\n";

static bool
complain(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

static bool
complain(const char *format, ...)
{
	va_list ap;

	fputs("metacubectl: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	return false;
}

static bool
works(int error, const char *what)
{
	return error >= 0 ||
	    complain("cannot make %s: %s", what, gnutls_strerror(error));
}

/* Files */

static void
file_path(char *out, size_t size, const char *dir, const char *name,
    const char *suffix)
{
	snprintf(out, size, "%s/%s%s", dir, name, suffix);
}

static bool
write_all(int fd, const gnutls_datum_t *data)
{
	size_t done = 0;
	ssize_t n;

	while (done < data->size) {
		n = write(fd, data->data + done, data->size - done);
		if (n == -1 && errno != EINTR)
			return false;
		if (n > 0)
			done += (size_t)n;
	}
	return fsync(fd) == 0;
}

/* link() does not replace what is there, rename() does. */
static bool
put_in_place(const char *from, const char *to, bool force)
{
	bool fine = force ? rename(from, to) == 0 : link(from, to) == 0;
	int error = errno;

	unlink(from);
	if (fine)
		return true;
	if (error == EEXIST)
		return complain("%s is there already (--force replaces it)",
		    to);
	return complain("cannot write %s: %s", to, strerror(error));
}

static bool
write_file(const char *path, mode_t mode, const gnutls_datum_t *data,
    bool force)
{
	char draft[4200];
	bool fine;
	int fd, error;

	snprintf(draft, sizeof(draft), "%s.new.%ld", path, (long)getpid());
	unlink(draft);
	fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd == -1)
		return complain("cannot write %s: %s", path, strerror(errno));
	fine = write_all(fd, data) && fchmod(fd, mode) == 0;
	error = errno;
	close(fd);
	if (fine)
		return put_in_place(draft, path, force);
	unlink(draft);
	return complain("cannot write %s: %s", path, strerror(error));
}

static bool
absent(const char *dir, const char *name, const char *suffix)
{
	char path[4096];

	file_path(path, sizeof(path), dir, name, suffix);
	return access(path, F_OK) == -1 ||
	    complain("%s is there already (--force replaces it)", path);
}

static bool
save(const char *dir, const char *name, const struct pair *pair, bool force)
{
	gnutls_datum_t key = { 0 }, crt = { 0 };
	char key_path[4096], crt_path[4096];
	bool fine;

	file_path(key_path, sizeof(key_path), dir, name, ".key");
	file_path(crt_path, sizeof(crt_path), dir, name, ".pem");
	fine = works(gnutls_x509_privkey_export2_pkcs8(pair->key,
	    GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &key), "the key") &&
	    works(gnutls_x509_crt_export2(pair->crt, GNUTLS_X509_FMT_PEM,
	    &crt), "the certificate") &&
	    write_file(key_path, 0600, &key, force) &&
	    write_file(crt_path, 0644, &crt, force);
	if (key.data != NULL)
		gnutls_memset(key.data, 0, key.size);
	gnutls_free(key.data);
	gnutls_free(crt.data);
	if (fine)
		printf("%s\n%s\n", key_path, crt_path);
	return fine;
}

/* Keys and certificates */

static void
pair_init(struct pair *pair)
{
	gnutls_x509_privkey_init(&pair->key);
	gnutls_x509_crt_init(&pair->crt);
}

static void
pair_fini(struct pair *pair)
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
begin_crt(struct pair *pair, const char *name, bool ed25519, time_t until)
{
	return works(make_key(pair->key, ed25519), "a key") &&
	    works(gnutls_x509_crt_set_version(pair->crt, 3), "a version") &&
	    works(gnutls_x509_crt_set_key(pair->crt, pair->key),
	    "a public key") &&
	    works(set_serial(pair->crt), "a serial number") &&
	    works(set_key_id(pair->crt), "a key id") &&
	    works(gnutls_x509_crt_set_dn_by_oid(pair->crt,
	    GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name)),
	    "a name") &&
	    works(gnutls_x509_crt_set_activation_time(pair->crt,
	    time(NULL) - EARLIER), "a date") &&
	    works(gnutls_x509_crt_set_expiration_time(pair->crt, until),
	    "a date");
}

static bool
sign(gnutls_x509_crt_t crt, const struct pair *issuer)
{
	gnutls_digest_algorithm_t digest = GNUTLS_DIG_SHA256;

	if (gnutls_x509_privkey_get_pk_algorithm(issuer->key) ==
	    GNUTLS_PK_EDDSA_ED25519)
		digest = GNUTLS_DIG_SHA512;
	return works(gnutls_x509_crt_sign2(crt, issuer->crt, issuer->key,
	    digest, 0), "the signature");
}

/* init */

static bool
make_ca(struct pair *ca, const struct options *options)
{
	long days = options->days != 0 ? options->days : CA_DAYS;

	return begin_crt(ca, CA_NAME, options->ed25519,
	    time(NULL) + days * DAY) &&
	    works(gnutls_x509_crt_set_basic_constraints(ca->crt, 1, 0),
	    "a CA") &&
	    works(gnutls_x509_crt_set_key_usage(ca->crt,
	    GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN), "a CA") &&
	    sign(ca->crt, ca);
}

static bool
make_dir(const char *dir)
{
	return mkdir(dir, 0700) == 0 || errno == EEXIST ||
	    complain("cannot make the folder %s: %s", dir, strerror(errno));
}

static int
init(char **argv, const struct options *options)
{
	struct pair ca;
	bool fine;

	if (!make_dir(argv[0]) || (!options->force &&
	    (!absent(argv[0], "ca", ".key") || !absent(argv[0], "ca", ".pem"))))
		return CTL_REFUSED;
	pair_init(&ca);
	fine = make_ca(&ca, options) &&
	    save(argv[0], "ca", &ca, options->force);
	pair_fini(&ca);
	return fine ? CTL_FINE : CTL_REFUSED;
}

/* issue */

static bool
word_valid(const char *word)
{
	size_t len = strspn(word, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

	return len != 0 && len <= WORD_MAX && word[len] == '\0' &&
	    word[0] != '-' && word[0] != '.';
}

static bool
role_known(const char *role)
{
	static const char *const roles[] = {
		"account", "gateway", "taskmaster", "world", "single"
	};

	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (strcmp(role, roles[i]) == 0)
			return true;
	return false;
}

static bool
take_role(struct request *request, char *role)
{
	if (!word_valid(role) || strspn(role, "abcdefghijklmnopqrstuvwxyz"
	    "0123456789_-") != strlen(role))
		return complain("\"%s\" is no role: small letters, digits, "
		    "- and _, at most %d", role, WORD_MAX);
	if (request->nroles == ROLES_MAX)
		return complain("more than %d roles", ROLES_MAX);
	if (!role_known(role))
		fprintf(stderr, "metacubectl: note: no module of MetaCube "
		    "itself asks for the role \"%s\"\n", role);
	request->roles[request->nroles++] = role;
	return true;
}

static bool
take_roles(struct request *request, char *list)
{
	size_t total = strlen(list);
	char *role;

	if (total >= 64)
		return complain("the roles are more than 63 bytes long");
	while ((role = strsep(&list, ",")) != NULL)
		if (!take_role(request, role))
			return false;
	return true;
}

static bool
take_name(struct request *request, const char *name)
{
	if (!word_valid(name))
		return complain("\"%s\" is no name for a server: letters, "
		    "digits, - _ and ., at most %d", name, WORD_MAX);
	if (strcmp(name, "ca") == 0)
		return complain("\"ca\" is the name of the CA's own files");
	request->name = name;
	return true;
}

static bool
read_file(const char *dir, const char *suffix, gnutls_datum_t *data)
{
	char path[4096];

	file_path(path, sizeof(path), dir, "ca", suffix);
	return gnutls_load_file(path, data) == 0 ||
	    complain("cannot read %s: %s%s", path, strerror(errno),
	    errno == ENOENT ? " (metacubectl pki init makes one)" : "");
}

static bool
import_ca(const char *dir, struct pair *ca, const gnutls_datum_t *key,
    const gnutls_datum_t *crt)
{
	int error = gnutls_x509_privkey_import2(ca->key, key,
	    GNUTLS_X509_FMT_PEM, NULL, 0);

	if (error < 0)
		return complain("%s/ca.key holds no private key: %s", dir,
		    gnutls_strerror(error));
	error = gnutls_x509_crt_import(ca->crt, crt, GNUTLS_X509_FMT_PEM);
	if (error < 0)
		return complain("%s/ca.pem holds no certificate: %s", dir,
		    gnutls_strerror(error));
	if (gnutls_x509_crt_get_expiration_time(ca->crt) < time(NULL))
		return complain("the CA in %s has expired", dir);
	return true;
}

static bool
load_ca(const char *dir, struct pair *ca)
{
	gnutls_datum_t key = { 0 }, crt = { 0 };
	bool fine = read_file(dir, ".key", &key) &&
	    read_file(dir, ".pem", &crt) && import_ca(dir, ca, &key, &crt);

	if (key.data != NULL)
		gnutls_memset(key.data, 0, key.size);
	gnutls_free(key.data);
	gnutls_free(crt.data);
	return fine;
}

static bool
add_san(gnutls_x509_crt_t crt, gnutls_x509_subject_alt_name_t type,
    const void *data, size_t len)
{
	return works(gnutls_x509_crt_set_subject_alt_name(crt, type, data,
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
		return complain("\"%s\" is neither an IP address nor a host "
		    "name", address);
	return add_san(crt, GNUTLS_SAN_DNSNAME, address, strlen(address));
}

static bool
add_role(gnutls_x509_crt_t crt, const char *role, const char *name)
{
	char uri[2 * WORD_MAX + 16];

	snprintf(uri, sizeof(uri), "metacube:%s/%s", role, name);
	return add_san(crt, GNUTLS_SAN_URI, uri, strlen(uri));
}

static bool
add_names(gnutls_x509_crt_t crt, const struct request *request)
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
	return works(gnutls_x509_crt_set_basic_constraints(crt, 0, -1),
	    "a server's certificate") &&
	    works(gnutls_x509_crt_set_key_usage(crt,
	    GNUTLS_KEY_DIGITAL_SIGNATURE), "a key usage") &&
	    works(gnutls_x509_crt_set_key_purpose_oid(crt,
	    GNUTLS_KP_TLS_WWW_SERVER, 0), "a purpose") &&
	    works(gnutls_x509_crt_set_key_purpose_oid(crt,
	    GNUTLS_KP_TLS_WWW_CLIENT, 0), "a purpose");
}

/* No certificate outlives its CA. */
static time_t
until(const struct pair *ca, const struct options *options)
{
	long days = options->days != 0 ? options->days : DAYS;
	time_t end = time(NULL) + days * DAY;
	time_t ca_end = gnutls_x509_crt_get_expiration_time(ca->crt);

	return end < ca_end ? end : ca_end;
}

static bool
make_certificate(const struct request *request, const struct pair *ca,
    struct pair *pair, const struct options *options)
{
	return begin_crt(pair, request->name, options->ed25519,
	    until(ca, options)) &&
	    add_names(pair->crt, request) && add_purposes(pair->crt) &&
	    works(set_issuer_id(pair->crt, ca->crt), "an issuer") &&
	    sign(pair->crt, ca);
}

static int
issue(int argc, char **argv, const struct options *options)
{
	struct request request = { .dir = argv[0] };
	struct pair ca, pair;
	bool fine;

	request.addresses = argv + 3;
	request.naddresses = argc - 3;
	if (!take_roles(&request, argv[1]) || !take_name(&request, argv[2]))
		return CTL_USAGE;
	if (!options->force && (!absent(request.dir, request.name, ".key") ||
	    !absent(request.dir, request.name, ".pem")))
		return CTL_REFUSED;
	pair_init(&ca);
	pair_init(&pair);
	fine = load_ca(request.dir, &ca) &&
	    make_certificate(&request, &ca, &pair, options) &&
	    save(request.dir, request.name, &pair, options->force);
	pair_fini(&pair);
	pair_fini(&ca);
	return fine ? CTL_FINE : CTL_REFUSED;
}

/* The command line */

static bool
parse_days(const char *text, long *days)
{
	char *end;

	errno = 0;
	*days = strtol(text, &end, 10);
	return (errno == 0 && *end == '\0' && *days >= 1 &&
	    *days <= DAYS_MAX) ||
	    complain("--days takes a number from 1 to %d", DAYS_MAX);
}

static bool
parse_options(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{ "ed25519", no_argument, NULL, 'e' },
		{ "force", no_argument, NULL, 'f' },
		{ "days", required_argument, NULL, 'd' },
		{ 0 }
	};
	int option;

	optind = 0;		/* main has been here before */
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 'e')
			options->ed25519 = true;
		else if (option == 'f')
			options->force = true;
		else if (option != 'd' || !parse_days(optarg, &options->days))
			return false;
	}
	return true;
}

int
pki_main(int argc, char **argv)
{
	struct options options = { 0 };

	if (!parse_options(argc, argv, &options)) {
		fputs(usage, stderr);
		return CTL_USAGE;
	}
	argc -= optind;
	argv += optind;
	if (argc == 2 && strcmp(argv[0], "init") == 0)
		return init(argv + 1, &options);
	if (argc >= 4 && strcmp(argv[0], "issue") == 0)
		return issue(argc - 1, argv + 1, &options);
	fputs(usage, stderr);
	return CTL_USAGE;
}
