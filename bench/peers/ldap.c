/* SPDX-License-Identifier: MIT */
/*
 * ldap - the load for slapd as a peer.
 *
 *	ldap changes URI ENTRIES CLIENTS SECONDS
 *		CLIENTS connections that each modify one entry after the other;
 *		prints modifies, seconds, p50 and p99 in microseconds
 *	ldap seen PROVIDER CONSUMER ENTRIES COUNT
 *		COUNT times: gives an entry a new password at the provider and,
 *		from its answer on, binds at the consumer until that succeeds;
 *		prints p50 and p99 in microseconds
 *	ldap count URI WANTED
 *		returns when the server has so many entries below dc=bench
 *
 * Built by the benchmark that needs it: the rest of the tree has no libldap.
 */
#include "meter.h"

#include <ldap.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ADMIN		"cn=admin,dc=bench"
#define CLIENTS_MAX	256
#define LATENCIES_MAX	1000000

struct client {
	pthread_t	 thread;
	const char	*uri;
	unsigned	 number, clients, entries;
	double		 until_us;
	double		*latencies;
	size_t		 count;
};

static int
bind_as(LDAP *ld, const char *dn, const char *password)
{
	struct berval secret = { strlen(password), (char *)password };

	return ldap_sasl_bind_s(ld, dn, LDAP_SASL_SIMPLE, &secret, NULL, NULL,
	    NULL);
}

static LDAP *
connect_to(const char *uri)
{
	int version = LDAP_VERSION3;
	LDAP *ld;

	if (ldap_initialize(&ld, uri) != LDAP_SUCCESS ||
	    ldap_set_option(ld, LDAP_OPT_PROTOCOL_VERSION, &version) !=
	    LDAP_OPT_SUCCESS)
		bench_fail("%s: no such server", uri);
	return ld;
}

static LDAP *
admin_of(const char *uri)
{
	LDAP *ld = connect_to(uri);
	int result = bind_as(ld, ADMIN, "secret");

	if (result != LDAP_SUCCESS)
		bench_fail("%s: %s", uri, ldap_err2string(result));
	return ld;
}

static void
password_change(LDAP *ld, unsigned entry, const char *password)
{
	char dn[64];
	char *values[] = { (char *)password, NULL };
	LDAPMod mod = {
		.mod_op = LDAP_MOD_REPLACE, .mod_type = "userPassword",
		.mod_vals.modv_strvals = values
	};
	LDAPMod *mods[] = { &mod, NULL };
	int result;

	snprintf(dn, sizeof(dn), "uid=u%u,dc=bench", entry);
	result = ldap_modify_ext_s(ld, dn, mods, NULL, NULL);
	if (result != LDAP_SUCCESS)
		bench_fail("%s: %s", dn, ldap_err2string(result));
}

static void *
client_run(void *arg)
{
	struct client *client = arg;
	LDAP *ld = admin_of(client->uri);
	unsigned entry = client->number, n = 0;
	char password[96];
	double began;

	while ((began = meter_now_us()) < client->until_us &&
	    client->count < LATENCIES_MAX) {
		snprintf(password, sizeof(password), "$y$j9T$F5Jx5fExrKuPp53x"
		    "LKQ..1$XrHZ0bOVKPD0tWrLE0%010u", n++);
		password_change(ld, entry, password);
		client->latencies[client->count++] = meter_now_us() - began;
		entry = (entry + client->clients) % client->entries;
	}
	ldap_unbind_ext_s(ld, NULL, NULL);
	return NULL;
}

static void
percentiles_print(double *values, size_t count)
{
	printf("%.0f %.0f\n", meter_percentile(values, count, 50),
	    meter_percentile(values, count, 99));
}

static void
changes(char **args)
{
	static struct client clients[CLIENTS_MAX];
	unsigned n = (unsigned)atoi(args[2]);
	double seconds = atof(args[3]), began = meter_now_us(), took;
	double *all;
	size_t total = 0;

	for (unsigned i = 0; i < n && i < CLIENTS_MAX; i++) {
		clients[i] = (struct client){
			.uri = args[0], .number = i, .clients = n,
			.entries = (unsigned)atoi(args[1]),
			.until_us = began + seconds * 1e6,
			.latencies = calloc(LATENCIES_MAX, sizeof(double))
		};
		pthread_create(&clients[i].thread, NULL, client_run,
		    &clients[i]);
	}
	for (unsigned i = 0; i < n; i++) {
		pthread_join(clients[i].thread, NULL);
		total += clients[i].count;
	}
	took = (meter_now_us() - began) / 1e6;
	all = calloc(total + 1, sizeof(*all));
	total = 0;
	for (unsigned i = 0; i < n; i++) {
		memcpy(all + total, clients[i].latencies,
		    clients[i].count * sizeof(*all));
		total += clients[i].count;
	}
	printf("%zu %.3f ", total, took);
	percentiles_print(all, total);
}

static void
seen(char **args)
{
	LDAP *provider = admin_of(args[0]), *consumer = connect_to(args[1]);
	unsigned entries = (unsigned)atoi(args[2]);
	unsigned count = (unsigned)atoi(args[3]);
	double *latencies = calloc(count + 1, sizeof(*latencies));
	char dn[64], password[64];
	double began;

	bind_as(consumer, ADMIN, "secret");
	for (unsigned i = 0; i < count; i++) {
		snprintf(dn, sizeof(dn), "uid=u%u,dc=bench", i % entries);
		snprintf(password, sizeof(password), "new-%d-%u", getpid(), i);
		password_change(provider, i % entries, password);
		began = meter_now_us();
		while (bind_as(consumer, dn, password) != LDAP_SUCCESS)
			if (meter_now_us() - began > 60e6)
				bench_fail("%s never came", dn);
		latencies[i] = meter_now_us() - began;
	}
	percentiles_print(latencies, count);
}

static int
entries_of(LDAP *ld, int wanted)
{
	char *none[] = { LDAP_NO_ATTRS, NULL };
	char filter[64];
	LDAPMessage *result = NULL;
	int count;

	snprintf(filter, sizeof(filter), "(uid=u%d)", wanted - 1);
	ldap_search_ext_s(ld, "dc=bench", LDAP_SCOPE_SUBTREE, filter, none, 0,
	    NULL, NULL, NULL, 0, &result);
	count = result == NULL ? 0 : ldap_count_entries(ld, result);
	ldap_msgfree(result);
	return count;
}

/* Entries come in the order of their numbers: the last one tells. */
static void
count_wait(char **args)
{
	LDAP *ld = admin_of(args[0]);
	int wanted = atoi(args[1]);

	while (entries_of(ld, wanted) == 0)
		usleep(20000);
}

int
main(int argc, char **argv)
{
	if (argc == 6 && strcmp(argv[1], "changes") == 0)
		changes(argv + 2);
	else if (argc == 6 && strcmp(argv[1], "seen") == 0)
		seen(argv + 2);
	else if (argc == 4 && strcmp(argv[1], "count") == 0)
		count_wait(argv + 2);
	else
		bench_fail("see the head of bench/peers/ldap.c");
	return 0;
}
