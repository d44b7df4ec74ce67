/* SPDX-License-Identifier: MIT */
/*
 * example - a whole client: logs in, walks ten metres east, says hello,
 * listens for ten seconds and leaves.
 *
 *	METACUBE_PASSWORD=... example localhost ca.pem joe newbie-island
 */
#include <metacube/client.h>

#include <stdio.h>
#include <stdlib.h>

struct visitor {
	struct metacube_client	*client;
	int			 status;
};

static void
entered(void *owner, const struct metacube_place *place)
{
	struct visitor *visitor = owner;
	const struct metacube_avatar *self =
	    metacube_client_find(visitor->client, place->self);

	printf("I am on %s, run by %s\n", place->title, place->world);
	if (self != NULL)
		metacube_client_move(visitor->client, self->x + 1000, self->y);
	metacube_client_say(visitor->client, "Hello!", METACUBE_NORMAL);
}

static void
said(void *owner, uint32_t id, const char *display, const char *text,
    enum metacube_range range)
{
	(void)owner, (void)id, (void)range;
	printf("%s: %s\n", display, text);
}

static void
refused(void *owner, enum metacube_request request,
    enum metacube_reason reason, const char *text, unsigned retry_ms)
{
	(void)request, (void)reason, (void)retry_ms;
	fprintf(stderr, "refused: %s\n", text);
	((struct visitor *)owner)->status = 1;
}

static void
failed(void *owner, enum metacube_error error, const char *why)
{
	(void)error;
	fprintf(stderr, "failed: %s\n", why);
	((struct visitor *)owner)->status = 1;
}

int
main(int argc, char **argv)
{
	struct visitor me = { NULL, 0 };
	struct metacube_options options = { NULL };
	struct metacube_events events = { .owner = &me, .entered = entered,
	    .said = said, .refused = refused, .failed = failed };
	const char *password = getenv("METACUBE_PASSWORD");

	if (argc != 5 || password == NULL)
		return fprintf(stderr, "usage: METACUBE_PASSWORD=... %s "
		    "GATEWAY CA-FILE NAME MAP\n", argv[0]), 2;
	options.gateway = argv[1];
	options.ca_file = argv[2];
	me.client = metacube_client_new(&options, &events);
	if (metacube_client_login(me.client, argv[3], password, argv[4]) != 0)
		failed(&me, 0, metacube_client_why(me.client));
	metacube_client_run_for(me.client, 10000);
	metacube_client_leave(me.client);
	metacube_client_run_for(me.client, 3000);
	metacube_client_free(&me.client);
	return me.status;
}
