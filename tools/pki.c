/* SPDX-License-Identifier: MIT */
/*
 * pki - a private CA and the certificates of the servers.
 *
 * The command: what is to be made, for whom; pki_certificate.c makes it, and
 * pki_files.c keeps it.  Nothing here asks or changes a server.
 */
#include "ctl.h"
#include "pki.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DAYS_MAX	36500

static const char usage[] =
"usage: metacubectl pki init [--ed25519] [--days N] [--force] DIR\n"
"       metacubectl pki issue [--ed25519] [--days N] [--force]\n"
"                             DIR ROLE[,ROLE...] NAME [ADDRESS...]\n";

bool
pki_complain(const char *format, ...)
{
	va_list ap;

	fputs("metacubectl: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	return false;
}

bool
pki_works(int error, const char *what)
{
	return error >= 0 ||
	    pki_complain("cannot make %s: %s", what, gnutls_strerror(error));
}

/* init */

static bool
make_dir(const char *dir)
{
	return mkdir(dir, 0700) == 0 || errno == EEXIST ||
	    pki_complain("cannot make the folder %s: %s", dir,
	    strerror(errno));
}

static int
init(char **argv, const struct pki_options *options)
{
	struct pki_pair ca;
	bool fine;

	if (!make_dir(argv[0]) ||
	    (!options->force && !pki_absent(argv[0], "ca")))
		return CTL_REFUSED;
	pki_pair_init(&ca);
	fine = pki_make_ca(&ca, options) &&
	    pki_save(argv[0], "ca", &ca, options->force);
	pki_pair_fini(&ca);
	return fine ? CTL_FINE : CTL_REFUSED;
}

/* issue */

static bool
word_valid(const char *word)
{
	size_t len = strspn(word, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

	return len != 0 && len <= PKI_WORD_MAX && word[len] == '\0' &&
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
take_role(struct pki_request *request, char *role)
{
	if (!word_valid(role) || strspn(role, "abcdefghijklmnopqrstuvwxyz"
	    "0123456789_-") != strlen(role))
		return pki_complain("\"%s\" is no role: small letters, digits, "
		    "- and _, at most %d", role, PKI_WORD_MAX);
	if (request->nroles == PKI_ROLES_MAX)
		return pki_complain("more than %d roles", PKI_ROLES_MAX);
	if (!role_known(role))
		fprintf(stderr, "metacubectl: note: no module of MetaCube "
		    "itself asks for the role \"%s\"\n", role);
	request->roles[request->nroles++] = role;
	return true;
}

static bool
take_roles(struct pki_request *request, char *list)
{
	size_t total = strlen(list);
	char *role;

	if (total >= 64)
		return pki_complain("the roles are more than 63 bytes long");
	while ((role = strsep(&list, ",")) != NULL)
		if (!take_role(request, role))
			return false;
	return true;
}

static bool
take_name(struct pki_request *request, const char *name)
{
	if (!word_valid(name))
		return pki_complain("\"%s\" is no name for a server: letters, "
		    "digits, - _ and ., at most %d", name, PKI_WORD_MAX);
	if (strcmp(name, "ca") == 0)
		return pki_complain("\"ca\" is the name of the CA's own files");
	request->name = name;
	return true;
}

static int
issue(int argc, char **argv, const struct pki_options *options)
{
	struct pki_request request = { .dir = argv[0] };
	struct pki_pair ca, pair;
	bool fine;

	request.addresses = argv + 3;
	request.naddresses = argc - 3;
	if (!take_roles(&request, argv[1]) || !take_name(&request, argv[2]))
		return CTL_USAGE;
	if (!options->force && !pki_absent(request.dir, request.name))
		return CTL_REFUSED;
	pki_pair_init(&ca);
	pki_pair_init(&pair);
	fine = pki_load_ca(request.dir, &ca) &&
	    pki_make_server(&request, &ca, &pair, options) &&
	    pki_save(request.dir, request.name, &pair, options->force);
	pki_pair_fini(&pair);
	pki_pair_fini(&ca);
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
	    pki_complain("--days takes a number from 1 to %d", DAYS_MAX);
}

static bool
parse_options(int argc, char **argv, struct pki_options *options)
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
	struct pki_options options = { 0 };

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
