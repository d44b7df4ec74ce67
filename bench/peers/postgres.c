/* SPDX-License-Identifier: MIT */
/*
 * postgres - the load for PostgreSQL as a peer.
 *
 *	postgres PRIMARY STANDBY COUNT
 *		COUNT times: changes an account at the primary and, from the
 *		end of its commit on, reads it at the standby until the change
 *		is there; prints p50 and p99 in microseconds
 *
 * Built by the benchmark that needs it.
 */
#include "meter.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static PGconn *
connect_to(const char *uri)
{
	char full[512];
	PGconn *conn;

	snprintf(full, sizeof(full), "%s dbname=postgres", uri);
	conn = PQconnectdb(full);
	if (PQstatus(conn) != CONNECTION_OK)
		bench_fail("%s", PQerrorMessage(conn));
	return conn;
}

/* The number of rows. */
static int
ask(PGconn *conn, const char *query, const char *name, const char *verifier)
{
	const char *values[] = { name, verifier };
	PGresult *result = PQexecParams(conn, query, 2, NULL, values, NULL,
	    NULL, 0);
	ExecStatusType status = PQresultStatus(result);
	int rows = PQntuples(result);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		bench_fail("%s", PQerrorMessage(conn));
	PQclear(result);
	return rows;
}

static double
seen_after(PGconn *primary, PGconn *standby, int n)
{
	char name[32], verifier[32];
	double began;

	snprintf(name, sizeof(name), "u%d", n % 1000);
	snprintf(verifier, sizeof(verifier), "new-%d", n);
	ask(primary, "update account set verifier = $2 where name = $1", name,
	    verifier);
	began = meter_now_us();
	while (ask(standby, "select 1 from account where name = $1 and "
	    "verifier = $2", name, verifier) == 0)
		if (meter_now_us() - began > 60e6)
			bench_fail("%s never came", name);
	return meter_now_us() - began;
}

int
main(int argc, char **argv)
{
	PGconn *primary, *standby;
	double *values;
	int count;

	if (argc != 4 || (count = atoi(argv[3])) < 1)
		bench_fail("see the head of bench/peers/postgres.c");
	primary = connect_to(argv[1]);
	standby = connect_to(argv[2]);
	values = calloc((size_t)count, sizeof(*values));
	for (int i = 0; i < count; i++)
		values[i] = seen_after(primary, standby, i);
	printf("%.0f %.0f\n",
	    meter_percentile(values, (size_t)count, 50),
	    meter_percentile(values, (size_t)count, 99));
	return 0;
}
