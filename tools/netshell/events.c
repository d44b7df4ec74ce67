/* SPDX-License-Identifier: MIT */
/*
 * events - what the network reports, in words.
 */
#include "shell.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define WATCH_MS	1000	/* between two lines about who is watched */
#define STANDS_MS	500	/* without a step */

static void
queued(void *owner, unsigned position)
{
	shell_print(owner, "Many are logging in: you are number %u.",
	    position);
}

static void
logged_in(void *owner, const char *display)
{
	shell_print(owner, "Logged in as %s.", display);
	shell_done(owner, WAIT_LOGIN);
}

static void
maps(void *owner, const struct metacube_map *list, size_t count, bool more)
{
	struct shell *shell = owner;

	if (shell->maps_told == 0 && count > 0)
		shell_print(shell, "%-24s %-28s %7s %7s", "MAP", "TITLE",
		    "WORLDS", "PEOPLE");
	for (size_t i = 0; i < count; i++)
		shell_print(shell, "%-24s %-28s %7u %7u", list[i].key,
		    list[i].title, list[i].copies, list[i].users);
	shell->maps_told += count;
	if (more && count > 0 && metacube_client_list_maps(shell->client,
	    list[count - 1].key) == METACUBE_OK)
		return;
	if (shell->maps_told == 0)
		shell_print(shell, "There are no maps now.");
	shell->maps_told = 0;
	shell_done(shell, WAIT_MAPS);
}

static void
rerouted(void *owner, const char *world, const char *endpoint, const char *map)
{
	shell_print(owner, "Rerouted to %s (%s) for %s.", world, endpoint, map);
}

static void
entered(void *owner, const struct metacube_place *place)
{
	struct shell *shell = owner;
	size_t count;

	metacube_client_seen(shell->client, &count);
	shell_print(shell, "You are on %s (%s), run by %s; %zu %s here.",
	    place->title, place->map, place->world, count,
	    count == 1 ? "person is" : "people are");
	shell_done(shell, WAIT_LOGIN);
	shell_done(shell, WAIT_ENTER);
}

static const struct metacube_avatar *
self(const struct shell *shell)
{
	const struct metacube_place *place =
	    metacube_client_place(shell->client);

	return place == NULL ? NULL :
	    metacube_client_find(shell->client, place->self);
}

/* "Amanda appears, 12.3 m to the north." */
static void
tell_where(struct shell *shell, const struct metacube_avatar *who,
    const char *does)
{
	const struct metacube_avatar *me = self(shell);
	int32_t dx, dy;

	if (me == NULL) {
		shell_print(shell, "%s %s.", who->display, does);
		return;
	}
	dx = who->x - me->x;
	dy = who->y - me->y;
	shell_print(shell, "%s %s, %.1f m %s.", who->display, does,
	    look_metres(dx, dy), look_direction(dx, dy));
}

static void
appeared(void *owner, const struct metacube_avatar *who)
{
	tell_where(owner, who, "appears");
}

static void
vanished(void *owner, const struct metacube_avatar *who)
{
	shell_print(owner, "%s is gone.", who->display);
}

/* Once a second while they walk; shell_tick tells when they stand. */
static void
watched_moved(struct shell *shell, const struct metacube_avatar *who)
{
	uint64_t now = shell_now_ms();

	if (now >= shell->watch_told_ms + WATCH_MS) {
		shell->watch_told_ms = now;
		tell_where(shell, who, "walks");
	}
	shell->watch_id = who->id;
	shell->stands_ms = now + STANDS_MS;
}

void
events_stands(struct shell *shell)
{
	const struct metacube_avatar *who =
	    metacube_client_find(shell->client, shell->watch_id);

	shell->stands_ms = 0;
	if (who != NULL)
		tell_where(shell, who, "stands");
}

static void
moved(void *owner, const struct metacube_avatar *who)
{
	struct shell *shell = owner;
	const struct metacube_avatar *me = self(shell);

	if (me != NULL && who->id == me->id)
		shell->moved_ms = shell_now_ms();
	else if (strcasecmp(shell->watched, who->display) == 0)
		watched_moved(shell, who);
}

static void
said(void *owner, uint32_t id, const char *display, const char *text,
    enum metacube_range range)
{
	static const char *const others[] = { "says", "shouts", "whispers" };
	static const char *const own[] = { "say", "shout", "whisper" };
	struct shell *shell = owner;
	const struct metacube_avatar *me = self(shell);
	unsigned how = range <= METACUBE_WHISPER ? range : METACUBE_NORMAL;

	if (me == NULL || id != me->id) {
		shell_print(shell, "%s %s: %s", display, others[how], text);
		return;
	}
	shell_print(shell, "You %s: %s", own[how], text);
	shell_done(shell, WAIT_HEARD);
}

/* Is something under way that this puts an end to? */
static bool
is_hit(const struct shell *shell)
{
	return shell->wait != WAIT_NOTHING && shell->wait != WAIT_TIME &&
	    shell->wait != WAIT_TEXT && shell->wait != WAIT_LEFT;
}

static void
tell_end(struct shell *shell, const char *what, const char *why)
{
	if (is_hit(shell))
		shell_fail(shell, "%s: %s.", what, why);
	else
		shell_print(shell, "%s: %s.", what, why);
	if (shell->quitting)
		shell->done = true;
}

static void
kicked(void *owner, enum metacube_reason reason, const char *text)
{
	tell_end(owner, "Your visit is over",
	    text[0] != '\0' ? text : metacube_reason_text(reason));
}

static void
refused(void *owner, enum metacube_request request,
    enum metacube_reason reason, const char *text, unsigned retry_ms)
{
	static const char *const what[] = {
		[METACUBE_NOTHING] = "Refused",
		[METACUBE_LOGIN] = "Login refused",
		[METACUBE_LIST_MAPS] = "The maps cannot be listed",
		[METACUBE_JOIN] = "You cannot go there",
		[METACUBE_ENTER] = "You were not let in",
		[METACUBE_MOVE] = "You cannot move there",
		[METACUBE_SAY] = "Not said",
		[METACUBE_ACCOUNT] = "Not changed",
	};
	char line[512];

	(void)reason;
	if (retry_ms > 0)
		snprintf(line, sizeof(line), "%.400s (again in %.1f s)", text,
		    retry_ms / 1000.0);
	else
		snprintf(line, sizeof(line), "%.400s", text);
	tell_end(owner, what[request], line);
}

static void
dropped(void *owner, enum metacube_error error, const char *why,
    unsigned retry_ms)
{
	(void)error;
	shell_print(owner, "Connection lost: %s. Next attempt in %.1f s.", why,
	    retry_ms / 1000.0);
}

static void
resumed(void *owner, const struct metacube_place *place)
{
	shell_print(owner, "You are back on %s.", place->title);
}

static void
changed(void *owner, enum metacube_change change, const char *text,
    unsigned retry_ms)
{
	struct shell *shell = owner;

	if (change == METACUBE_C_DONE) {
		shell_print(shell, "Done%s%s.%s", text[0] != '\0' ? ": " : "",
		    text, shell->then);
		shell_done(shell, WAIT_CHANGE);
	} else if (retry_ms > 0)
		shell_fail(shell, "%s: %s (again in %.0f s).",
		    change == METACUBE_C_UNCERTAIN ? "Perhaps not changed" :
		    "Not changed", text, retry_ms / 1000.0);
	else
		shell_fail(shell, "%s: %s.",
		    change == METACUBE_C_UNCERTAIN ? "Perhaps not changed" :
		    "Not changed", text);
}

static void
left(void *owner)
{
	struct shell *shell = owner;

	shell_done(shell, WAIT_LEFT);
	if (shell->quitting)
		shell->done = true;
	else
		shell_print(shell, "You have left.");
}

static void
failed(void *owner, enum metacube_error error, const char *why)
{
	(void)error;
	tell_end(owner, "Failed", why);
}

const struct metacube_events shell_events = {
	.queued		= queued,
	.logged_in	= logged_in,
	.maps		= maps,
	.rerouted	= rerouted,
	.entered	= entered,
	.appeared	= appeared,
	.vanished	= vanished,
	.moved		= moved,
	.said		= said,
	.kicked		= kicked,
	.refused	= refused,
	.dropped	= dropped,
	.resumed	= resumed,
	.left		= left,
	.failed		= failed,
	.changed	= changed,
};
