/* SPDX-License-Identifier: MIT */
/*
 * lookup_peer FILE ACCOUNTS SECONDS - the least that a lookup can cost: a loop
 * of gdbm_fetch over the same file, with the same keys and the same cache.
 * Prints fetches a second.
 */
#include <gdbm.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CACHE		(16 * 1024 * 1024 / 4096)
#define MAP_MAX		((size_t)1 << 30)

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
fetch(GDBM_FILE file, uint64_t n)
{
	char name[32];
	datum key = { name, 0 }, value;

	key.dsize = snprintf(name, sizeof(name), "player%" PRIu64, n);
	value = gdbm_fetch(file, key);
	if (value.dptr == NULL) {
		fprintf(stderr, "lookup_peer: %s: %s\n", name,
		    gdbm_strerror(gdbm_errno));
		exit(1);
	}
	free(value.dptr);
}

int
main(int argc, char **argv)
{
	uint64_t random = 1, count = 0, accounts;
	size_t cache = CACHE, map_max = MAP_MAX;
	double began, end;
	GDBM_FILE file;

	if (argc != 4) {
		fprintf(stderr, "usage: lookup_peer FILE ACCOUNTS SECONDS\n");
		return 2;
	}
	accounts = strtoull(argv[2], NULL, 10);
	file = gdbm_open(argv[1], 0, GDBM_READER | GDBM_NOLOCK, 0, NULL);
	if (file == NULL || accounts == 0) {
		fprintf(stderr, "lookup_peer: %s: %s\n", argv[1],
		    gdbm_strerror(gdbm_errno));
		return 1;
	}
	gdbm_setopt(file, GDBM_SETCACHESIZE, &cache, sizeof(cache));
	gdbm_setopt(file, GDBM_SETMAXMAPSIZE, &map_max, sizeof(map_max));
	began = now();
	end = began + atof(argv[3]);
	for (; count % 1000 != 0 || now() < end; count++) {
		random = random * 6364136223846793005u + 1;
		fetch(file, 1 + (random >> 33) % accounts);
	}
	printf("%.0f\n", (double)count / (now() - began));
	gdbm_close(file);
	return 0;
}
