/* SPDX-License-Identifier: MIT */
#include "shell.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STANDING_MS	1500	/* without a step: it goes no further */
#define EXACT_CM	2
#define NEAR_CM		30	/* the terrain may not let one closer */

uint64_t
shell_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void
shell_print(struct shell *shell, const char *format, ...)
{
	char *line = shell->heard[shell->nheard % HEARD_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(shell->heard[0]), format, args);
	va_end(args);
	shell->nheard++;
	if (shell->nheard - shell->expected > HEARD_MAX)
		shell->expected = shell->nheard - HEARD_MAX;
	terminal_print(shell->terminal, line);
}

void
shell_fail(struct shell *shell, const char *format, ...)
{
	char line[sizeof(shell->heard[0])];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	shell_print(shell, "%s", line);
	shell->wait = WAIT_NOTHING;
	shell->failed = true;
	if (shell->scripted)
		shell_leave(shell);
}

void
shell_done(struct shell *shell, enum shell_wait wait)
{
	if (shell->wait == wait)
		shell->wait = WAIT_NOTHING;
}

void
shell_leave(struct shell *shell)
{
	shell->quitting = true;
	shell->wait = WAIT_LEFT;
	if (metacube_client_state(shell->client) == METACUBE_LEAVING)
		return;
	if (metacube_client_leave(shell->client) != METACUBE_OK)
		shell->done = true;
}

static bool
text_was_heard(struct shell *shell)
{
	while (shell->expected < shell->nheard) {
		const char *line = shell->heard[shell->expected % HEARD_MAX];

		shell->expected++;
		if (strstr(line, shell->wait_text) != NULL)
			return true;
	}
	return false;
}

static void
expect_tick(struct shell *shell)
{
	if (text_was_heard(shell))
		shell->wait = WAIT_NOTHING;
	else if (shell_now_ms() >= shell->wait_until)
		shell_fail(shell, "expect: nothing with \"%s\" has come in "
		    "time.", shell->wait_text);
}

static bool
is_at_aim(const struct shell *shell, const struct metacube_avatar *self,
    int cm)
{
	return abs(self->x - shell->aim_x) <= cm &&
	    abs(self->y - shell->aim_y) <= cm;
}

static void
arrive_tick(struct shell *shell)
{
	const struct metacube_place *place =
	    metacube_client_place(shell->client);
	const struct metacube_avatar *self = place == NULL ? NULL :
	    metacube_client_find(shell->client, place->self);

	if (self == NULL || metacube_client_state(shell->client) !=
	    METACUBE_IN_WORLD)
		return;
	if (!is_at_aim(shell, self, EXACT_CM) &&
	    shell_now_ms() < shell->moved_ms + STANDING_MS)
		return;
	shell->wait = WAIT_NOTHING;
	shell_print(shell, "You stand at %.1f %.1f%s", self->x / 100.0,
	    self->y / 100.0, is_at_aim(shell, self, NEAR_CM) ? "." :
	    ": there is no way on from here.");
}

void
shell_tick(struct shell *shell)
{
	if (shell->stands_ms != 0 && shell_now_ms() >= shell->stands_ms)
		events_stands(shell);
	if (shell->wait == WAIT_TEXT)
		expect_tick(shell);
	else if (shell->wait == WAIT_ARRIVE)
		arrive_tick(shell);
	else if (shell->wait == WAIT_TIME &&
	    shell_now_ms() >= shell->wait_until)
		shell->wait = WAIT_NOTHING;
	else if (shell->wait == WAIT_HEARD &&
	    shell_now_ms() >= shell->wait_until)
		shell_fail(shell, "The world does not repeat what you said.");
}

/* UINT64_MAX: only an event ends it. */
static uint64_t
wait_deadline(const struct shell *shell)
{
	switch (shell->wait) {
	case WAIT_ARRIVE:
		return shell->moved_ms + STANDING_MS;
	case WAIT_TIME:
	case WAIT_TEXT:
	case WAIT_HEARD:
		return shell->wait_until;
	default:
		return UINT64_MAX;
	}
}

int
shell_timeout_ms(const struct shell *shell)
{
	uint64_t now = shell_now_ms(), until = wait_deadline(shell);

	if (shell->stands_ms != 0 && shell->stands_ms < until)
		until = shell->stands_ms;
	if (until == UINT64_MAX)
		return -1;
	return until <= now ? 0 : until - now > 60000 ? 60000 :
	    (int)(until - now);
}
