/* SPDX-License-Identifier: MIT */
/*
 * bots - people who are not there: they log in, walk about and sometimes say
 * something, until they are told to go.
 *
 *	bots -g GATEWAY -a CA [-n SERVER-NAME] -p PASSWORD-FILE
 *	    PREFIX:COUNT:MAP...
 *
 * The bots of a group are the accounts PREFIX-1 to PREFIX-COUNT, all with the
 * password in the first line of the file.  One line is printed for each group
 * when all of it is there, and one for each bot that is refused or lost;
 * SIGTERM and SIGINT make them leave as polite people do.  Exit status: 0 when
 * every bot was in its map and left it again.
 *
 * It is for the demo and for looking at a network that has people in it; it
 * measures nothing (bench/ does).
 */
#include <metacube/client.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BOTS_MAX	1000
#define LEAVE_MS	5000		/* patience with those who leave */

struct group {
	char		 prefix[METACUBE_NAME_SIZE];
	char		 map[METACUBE_KEY_SIZE];
	unsigned	 count, there;
};

struct bot {
	struct metacube_client	*client;
	struct group		*group;
	char			 name[METACUBE_NAME_SIZE];
	uint64_t		 next_ms;	/* it does something */
};

static struct bot bots[BOTS_MAX];
static unsigned nbots, troubles;
static volatile sig_atomic_t told_to_go;

static uint64_t
now_ms(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (uint64_t)at.tv_sec * 1000 + (uint64_t)at.tv_nsec / 1000000;
}

static void
go(int signal)
{
	(void)signal;
	told_to_go = 1;
}

/* What the client library reports. */

static void
entered(void *owner, const struct metacube_place *place)
{
	struct bot *bot = owner;
	struct group *group = bot->group;

	bot->next_ms = now_ms() + (uint64_t)(random() % 5000);
	if (++group->there == group->count)
		printf("%u of %s-* are on %s at %s\n", group->there,
		    group->prefix, place->map, place->world);
}

static void
trouble(struct bot *bot, const char *what, const char *why)
{
	printf("%s: %s: %s\n", bot->name, what, why);
	troubles++;
}

static void
refused(void *owner, enum metacube_request request,
    enum metacube_reason reason, const char *text, unsigned retry_ms)
{
	(void)request;
	(void)retry_ms;
	trouble(owner, metacube_reason_text(reason), text);
}

static void
kicked(void *owner, enum metacube_reason reason, const char *text)
{
	trouble(owner, metacube_reason_text(reason), text);
}

static void
failed(void *owner, enum metacube_error error, const char *why)
{
	trouble(owner, metacube_error_text(error), why);
}

/* What they do. */

static int32_t
somewhere(unsigned size)
{
	return (int32_t)(random() % (size == 0 ? 1 : size));
}

static void
act(struct bot *bot)
{
	static const char *const words[] = {
		"hello", "nice weather", "has anybody seen the boat?",
		"see you later"
	};
	const struct metacube_place *place = metacube_client_place(bot->client);

	if (place == NULL || now_ms() < bot->next_ms)
		return;
	if (random() % 8 == 0)
		metacube_client_say(bot->client, words[random() % 4],
		    METACUBE_NORMAL);
	else
		metacube_client_move(bot->client, somewhere(place->width),
		    somewhere(place->height));
	bot->next_ms = now_ms() + 2000 + (uint64_t)(random() % 6000);
}

static int
sooner(int a, int b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* Waits for any of them, at most so long, and lets all go on. */
static void
step(int wait_ms)
{
	static struct pollfd watch[BOTS_MAX];

	for (unsigned i = 0; i < nbots; i++) {
		watch[i].fd = metacube_client_fd(bots[i].client);
		watch[i].events = metacube_client_wants(bots[i].client);
		wait_ms = sooner(wait_ms,
		    metacube_client_timeout_ms(bots[i].client));
	}
	poll(watch, nbots, wait_ms);
	for (unsigned i = 0; i < nbots; i++)
		metacube_client_poll(bots[i].client);
}

static unsigned
busy(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < nbots; i++)
		count += metacube_client_state(bots[i].client) != METACUBE_IDLE;
	return count;
}

static void
leave(void)
{
	uint64_t deadline = now_ms() + LEAVE_MS;

	for (unsigned i = 0; i < nbots; i++)
		metacube_client_leave(bots[i].client);
	while (busy() > 0 && now_ms() < deadline)
		step(100);
}

/* Who they are. */

static int
group_parse(const char *text, struct group *group)
{
	char end;

	return sscanf(text, "%15[a-z0-9.]:%u:%63[a-z0-9-]%c", group->prefix,
	    &group->count, group->map, &end) == 3 && group->count > 0 &&
	    group->count <= BOTS_MAX - nbots ? 0 : -1;
}

static int
group_login(struct group *group, const struct metacube_options *options,
    const char *password)
{
	for (unsigned i = 1; i <= group->count; i++) {
		struct bot *bot = &bots[nbots++];
		struct metacube_events events = {
			.owner = bot, .entered = entered, .refused = refused,
			.kicked = kicked, .failed = failed
		};

		bot->group = group;
		snprintf(bot->name, sizeof(bot->name), "%.15s-%u",
		    group->prefix, i);
		bot->client = metacube_client_new(options, &events);
		if (bot->client == NULL)
			return -1;
		if (metacube_client_login(bot->client, bot->name, password,
		    group->map) != METACUBE_OK)
			trouble(bot, "cannot log in",
			    metacube_client_why(bot->client));
	}
	return 0;
}

static int
password_read(const char *path, char *password, size_t size)
{
	FILE *file = path != NULL ? fopen(path, "r") : NULL;

	if (file == NULL || fgets(password, (int)size, file) == NULL) {
		fprintf(stderr, "bots: password file: %s\n",
		    path != NULL ? strerror(errno) : "-p is missing");
		return -1;
	}
	fclose(file);
	password[strcspn(password, "\r\n")] = '\0';
	return 0;
}

static void
live(void)
{
	struct sigaction action = { .sa_handler = go };

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	while (!told_to_go && busy() > 0) {
		step(500);
		for (unsigned i = 0; i < nbots; i++)
			act(&bots[i]);
	}
}

static int
usage(void)
{
	fputs("usage: bots -g GATEWAY -a CA [-n SERVER-NAME] -p PASSWORD-FILE "
	    "PREFIX:COUNT:MAP...\n", stderr);
	return 2;
}

int
main(int argc, char **argv)
{
	static struct group groups[16];
	/* All of them come at once. */
	struct metacube_options options = { .handshake_ms = 60000 };
	const char *password_file = NULL;
	char password[256];
	unsigned absent = 0;
	int option, ngroups;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((option = getopt(argc, argv, "a:g:n:p:")) != -1) {
		switch (option) {
		case 'a': options.ca_file = optarg; break;
		case 'g': options.gateway = optarg; break;
		case 'n': options.server_name = optarg; break;
		case 'p': password_file = optarg; break;
		default: return usage();
		}
	}
	ngroups = argc - optind;
	if (options.gateway == NULL || ngroups < 1 || ngroups > 16)
		return usage();
	if (password_read(password_file, password, sizeof(password)) != 0)
		return 1;
	for (int i = 0; i < ngroups; i++) {
		if (group_parse(argv[optind + i], &groups[i]) != 0)
			return usage();
		if (group_login(&groups[i], &options, password) != 0)
			return 1;
	}
	explicit_bzero(password, sizeof(password));
	live();
	leave();
	for (int i = 0; i < ngroups; i++)
		absent += groups[i].count - groups[i].there;
	for (unsigned i = 0; i < nbots; i++)
		metacube_client_free(&bots[i].client);
	return troubles == 0 && absent == 0 ? 0 : 1;
}
