/* SPDX-License-Identifier: MIT */
/*
 * bitflip_store - one bit of the account store, or of its mark, is turned
 * while nobody has it open.
 *
 *	bitflip_store [--rounds N] [--seed N] [--build FOLDER]
 *
 * In each round a bit of accounts.gdbm or accounts.gdbm.clean is turned and
 * the account server started.  It must have set the store aside and have
 * built it anew from the queue, and every account must be what it was.
 *
 * A store has no checksum of each account: what finds the bit is the SHA-256
 * of the file in its mark.  So the control makes a new mark after a bit of an
 * account was turned; then the comparison must fail, or it proves nothing.
 */
#include "asking.h"
#include "campaign.h"
#include "server.h"

#include <gnutls/crypto.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PEOPLE		20
#define MAGIC_BITS	32
#define STORE		"accounts.gdbm"
#define MARK		"accounts.gdbm.clean"
#define ASIDE		"accounts.gdbm.unclean"

static struct server server;
static const char *build;
static struct asking_answer known[PEOPLE];	/* as they were made */

/* The good files. */
static struct file {
	const char	*name;
	uint8_t		*data;
	size_t		 len;
} files[] = { { .name = STORE }, { .name = MARK } };

static _Noreturn void
die(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	server_log_show(&server);
	server_remove(&server);
	exit(99);
}

static const char *
path_of(const char *name)
{
	static char path[2 * SERVER_PATH];

	snprintf(path, sizeof(path), "%s/%s", server.folder, name);
	return path;
}

static void
name_of(unsigned n, char name[32])
{
	snprintf(name, 32, "joe-%u", n);
}

static int
server_reach(void)
{
	int fd;

	server_start(&server, build, NULL);
	fd = server_ready(&server) ? asking_connect(server.socket) : -1;
	if (fd == -1)
		die("the server does not start");
	return fd;
}

static void
server_leave(int fd)
{
	close(fd);
	if (server_end(&server, SIGTERM) != 0)
		die("the server does not stop in order");
}

static void
people_make(void)
{
	uint8_t proof[ASKING_PROOF] = "a proof";
	struct asking_answer answer;
	int fd = server_reach();
	char name[32];

	for (unsigned i = 0; i < PEOPLE; i++) {
		name_of(i, name);
		asking_command(fd, "create", name, "joe@example.com", proof,
		    &answer);
		if (answer.status != MC_OK)
			die(answer.text);
		asking_ask(fd, "show", name, NULL, &known[i]);
	}
	server_leave(fd);
}

/* How many are not what they were. */
static unsigned
people_compare(int fd)
{
	struct asking_answer answer;
	unsigned differ = 0;
	char name[32];

	for (unsigned i = 0; i < PEOPLE; i++) {
		name_of(i, name);
		asking_ask(fd, "show", name, NULL, &answer);
		differ += answer.status != known[i].status ||
		    memcmp(answer.value, known[i].value,
		    sizeof(answer.value)) != 0;
	}
	return differ;
}

static void
file_keep(struct file *file)
{
	struct stat st;
	int fd = open(path_of(file->name), O_RDONLY | O_CLOEXEC);

	if (fd == -1 || fstat(fd, &st) == -1)
		die(file->name);
	file->len = (size_t)st.st_size;
	file->data = malloc(file->len);
	if (read(fd, file->data, file->len) != (ssize_t)file->len)
		die(file->name);
	close(fd);
}

static void
file_put(const char *name, const uint8_t *data, size_t len)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	    0600);

	if (fd == -1 || write(fd, data, len) != (ssize_t)len ||
	    close(fd) == -1)
		die(name);
}

/* The good files, but for one bit of one of them; -1: all of them good. */
static void
files_put(unsigned which, long bit)
{
	unlink(path_of(ASIDE));
	for (unsigned i = 0; i < 2; i++) {
		if (i == which && bit >= 0)
			files[i].data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		file_put(files[i].name, files[i].data, files[i].len);
		if (i == which && bit >= 0)
			files[i].data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static bool
is_aside(void)
{
	return access(path_of(ASIDE), F_OK) == 0;
}

/* Of another file than a store, as the first four bytes have it, nothing is
 * touched, and the server does not start. */
static unsigned
refusal_judge(unsigned which, long bit)
{
	int status = server_end(&server, 0);

	if (which == 0 && bit < MAGIC_BITS && status != 0 && !is_aside())
		return 0;
	printf("# VIOLATION: bit %ld of %s: the server ends with %#x\n", bit,
	    files[which].name, status);
	return 1;
}

static unsigned
start_judge(unsigned which, long bit)
{
	int fd = asking_connect(server.socket);
	unsigned differ = people_compare(fd);
	bool noticed = is_aside();

	server_leave(fd);
	if (noticed && differ == 0)
		return 0;
	printf("# VIOLATION: bit %ld of %s: %s, %u accounts differ\n", bit,
	    files[which].name, noticed ? "noticed" : "not noticed", differ);
	return 1;
}

static unsigned
round_run(unsigned *seed)
{
	unsigned place = (unsigned)rand_r(seed) % 8, which = place == 0;
	size_t bits = place == 1 ? MAGIC_BITS : 8 * files[which].len;
	long bit = (long)((uint64_t)rand_r(seed) % bits);

	files_put(which, bit);
	server_start(&server, build, NULL);
	return server_ready(&server) ? start_judge(which, bit) :
	    refusal_judge(which, bit);
}

/* As the store would write it, for these bytes. */
static void
mark_make(const uint8_t *data, size_t len)
{
	uint8_t hash[32];
	char mark[128];
	int end;

	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, data, len, hash) != 0)
		die("SHA-256");
	end = snprintf(mark, sizeof(mark), "metacube-clean 1 %zu ", len);
	for (unsigned i = 0; i < sizeof(hash); i++)
		end += snprintf(mark + end, sizeof(mark) - (size_t)end,
		    "%02x", hash[i]);
	end += snprintf(mark + end, sizeof(mark) - (size_t)end, "\n");
	file_put(MARK, (const uint8_t *)mark, (size_t)end);
}

/* Are the bytes of the mark that is made here those of the store's? */
static bool
mark_is_known(void)
{
	struct file mark = { .name = MARK };
	bool same;

	mark_make(files[0].data, files[0].len);
	file_keep(&mark);
	same = mark.len == files[1].len &&
	    memcmp(mark.data, files[1].data, mark.len) == 0;
	free(mark.data);
	return same;
}

static bool
control_notices(void)
{
	uint8_t *email = memmem(files[0].data, files[0].len,
	    "joe@example.com", 15);
	unsigned differ;
	int fd;

	if (email == NULL)
		die("no account is in the store as it is encoded");
	files_put(0, 8 * (email - files[0].data));
	email[0] ^= 1;
	mark_make(files[0].data, files[0].len);
	email[0] ^= 1;
	fd = server_reach();
	differ = people_compare(fd);
	server_leave(fd);
	return differ > 0 && !is_aside();
}

int
main(int argc, char **argv)
{
	struct campaign_options options = { .rounds = 50 };
	unsigned violations = 0, noticed = 0;

	campaign_begin(&options, argc, argv);
	build = options.build;
	server_prepare(&server, build);
	people_make();
	file_keep(&files[0]);
	file_keep(&files[1]);
	for (unsigned i = 0; i < options.rounds; i++) {
		violations += round_run(&options.seed);
		campaign_progress(&options, i + 1, violations);
	}
	campaign_result(violations == 0,
	    "no turned bit of a store is taken for an account");
	campaign_result(mark_is_known(), "the control can make a mark");
	for (unsigned i = 0; i < CAMPAIGN_CONTROLS; i++)
		noticed += control_notices();
	campaign_result(noticed == CAMPAIGN_CONTROLS,
	    "the control, a store with a mark for the turned bit, is noticed");
	campaign_end(&options, "bitflip-store", violations, noticed);
	server_remove(&server);
	free(files[0].data);
	free(files[1].data);
	return 0;
}
