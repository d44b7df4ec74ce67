/* SPDX-License-Identifier: MIT */
/*
 * look - who is around, as a picture and as a list.  North is up; a row is
 * as high as two columns are wide.
 */
#include "shell.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS		41	/* odd: the middle one is one's own */
#define ROWS		15
#define LIST_MAX	20

struct sight {
	const struct metacube_avatar	*who;
	double				 metres;
};

double
look_metres(int32_t dx, int32_t dy)
{
	return hypot(dx, dy) / 100.0;
}

const char *
look_direction(int32_t dx, int32_t dy)
{
	static const char *const names[] = {
		"to the north", "to the north-east", "to the east",
		"to the south-east", "to the south", "to the south-west",
		"to the west", "to the north-west"
	};
	double turn = atan2(dx, dy) / M_PI * 4;	/* eighths, from north */

	if (dx == 0 && dy == 0)
		return "away: right here";
	return names[(lround(turn) + 8) % 8];
}

static const struct metacube_avatar *
find_self(struct shell *shell)
{
	const struct metacube_place *place =
	    metacube_client_place(shell->client);
	const struct metacube_avatar *self = place == NULL ? NULL :
	    metacube_client_find(shell->client, place->self);

	if (self == NULL)
		shell_fail(shell, "You are in no world: there is nobody to "
		    "see.");
	return self;
}

static int
nearer(const void *a, const void *b)
{
	double first = ((const struct sight *)a)->metres;
	double second = ((const struct sight *)b)->metres;

	return (first > second) - (first < second);
}

/* All the others, the nearest first.  The caller frees them. */
static struct sight *
sights(struct shell *shell, const struct metacube_avatar *self,
    size_t *count_r)
{
	size_t seen, count = 0;
	const struct metacube_avatar *all =
	    metacube_client_seen(shell->client, &seen);
	struct sight *list = calloc(seen + 1, sizeof(*list));

	for (size_t i = 0; list != NULL && i < seen; i++) {
		if (all[i].id == self->id)
			continue;
		list[count].who = &all[i];
		list[count++].metres = look_metres(all[i].x - self->x,
		    all[i].y - self->y);
	}
	if (list != NULL)
		qsort(list, count, sizeof(*list), nearer);
	*count_r = count;
	return list;
}

static void
tell_sight(struct shell *shell, const struct metacube_avatar *self,
    const struct sight *sight)
{
	int32_t dx = sight->who->x - self->x, dy = sight->who->y - self->y;

	shell_print(shell, "  %-20s %7.1f m %s", sight->who->display,
	    sight->metres, look_direction(dx, dy));
}

/* Land is ".", what is beyond the edge of the map "~". */
static void
draw_land(char rows[ROWS][COLUMNS + 1], const struct metacube_avatar *self,
    const struct metacube_place *place, double column_cm)
{
	for (int row = 0; row < ROWS; row++) {
		double y = self->y + (ROWS / 2 - row) * 2 * column_cm;

		for (int column = 0; column < COLUMNS; column++) {
			double x = self->x +
			    (column - COLUMNS / 2) * column_cm;

			rows[row][column] = x < 0 || y < 0 ||
			    x > place->width || y > place->height ? '~' : '.';
		}
		rows[row][COLUMNS] = '\0';
	}
}

static char
initial(const char *display)
{
	char c = display[0];

	if (c >= 'a' && c <= 'z')
		return (char)(c - 'a' + 'A');
	return c > ' ' && c < '~' && c != '.' ? c : '*';
}

static void
draw_sight(char rows[ROWS][COLUMNS + 1], const struct metacube_avatar *self,
    const struct metacube_avatar *who, double column_cm)
{
	long column = lround((who->x - self->x) / column_cm) + COLUMNS / 2;
	long row = ROWS / 2 - lround((who->y - self->y) / (2 * column_cm));

	if (column < 0 || column >= COLUMNS || row < 0 || row >= ROWS)
		return;
	rows[row][column] = rows[row][column] == '.' ?
	    initial(who->display) : '+';
}

static void
tell_where(struct shell *shell, const struct metacube_avatar *self,
    int32_t radius, size_t near)
{
	double x = self->x / 100.0, y = self->y / 100.0;

	if (near == 0)
		shell_print(shell, "You stand at %.1f %.1f; nobody else is "
		    "within %.0f m.", x, y, radius / 100.0);
	else
		shell_print(shell, "You stand at %.1f %.1f; within %.0f m "
		    "there %s %zu:", x, y, radius / 100.0,
		    near == 1 ? "is" : "are", near);
}

void
look_around(struct shell *shell, int32_t radius)
{
	const struct metacube_avatar *self = find_self(shell);
	double column_cm = radius / (COLUMNS / 2.0);
	char rows[ROWS][COLUMNS + 1];
	struct sight *list;
	size_t count, near = 0;

	if (self == NULL)
		return;
	list = sights(shell, self, &count);
	draw_land(rows, self, metacube_client_place(shell->client), column_cm);
	for (; near < count && list[near].metres * 100 <= radius; near++)
		draw_sight(rows, self, list[near].who, column_cm);
	rows[ROWS / 2][COLUMNS / 2] = '@';
	for (int row = 0; row < ROWS; row++)
		shell_print(shell, "  %s%s", rows[row], row == 0 ?
		    "  north is up; @ is you, + several" : "");
	tell_where(shell, self, radius, near);
	for (size_t i = 0; i < near && i < LIST_MAX; i++)
		tell_sight(shell, self, &list[i]);
	if (near > LIST_MAX)
		shell_print(shell, "  and %zu more", near - LIST_MAX);
	free(list);
}

void
look_who(struct shell *shell)
{
	const struct metacube_avatar *self = find_self(shell);
	struct sight *list;
	size_t count;

	if (self == NULL)
		return;
	list = sights(shell, self, &count);
	shell_print(shell, "  %-20s that is you, at %.1f %.1f", self->display,
	    self->x / 100.0, self->y / 100.0);
	for (size_t i = 0; list != NULL && i < count; i++)
		tell_sight(shell, self, &list[i]);
	shell_print(shell, "%zu %s here.", count + 1,
	    count == 0 ? "person is" : "people are");
	free(list);
}
