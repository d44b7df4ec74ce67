/* SPDX-License-Identifier: MIT */
/*
 * commands - what can be typed.  A command that takes time says what it waits
 * for; the events end that (events.c, shell_tick).
 */
#include "shell.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define METRES_MAX	1000000.0
#define HEARD_MS	5000
#define EXPECT_S	10.0
#define LOOK_M		40.0

/* The words of a line; rest is the line from the second word on. */
struct words {
	char		 text[LINE_SIZE];
	const char	*rest;
	char		*word[WORDS_MAX];
	int		 count;		/* WORDS_MAX + 1: too many */
};

struct command {
	const char	*name, *arguments, *help;
	int		 min, max;	/* arguments; -1: the whole line */
	void		(*run)(struct shell *, const struct words *);
};

static void
report(struct shell *shell, enum metacube_error error, enum shell_wait wait)
{
	if (error == METACUBE_OK)
		shell->wait = wait;
	else
		shell_fail(shell, "Not possible: %s.",
		    metacube_client_why(shell->client));
}

static bool
number(const char *text, double *number_r)
{
	char *end;

	errno = 0;
	*number_r = strtod(text, &end);
	return end != text && *end == '\0' && errno == 0 &&
	    fabs(*number_r) <= METRES_MAX;
}

/* --- coming and going -------------------------------------------------- */

/* login [NAME] [MAP] [--password-file FILE] */
static void
login(struct shell *shell, const struct words *words)
{
	const char *name = shell->user, *map = NULL, *file = NULL;
	char password[PASSWORD_SIZE];
	int given = 0;

	for (int i = 1; i < words->count; i++) {
		if (strcmp(words->word[i], "--password-file") == 0 &&
		    i + 1 < words->count)
			file = words->word[++i];
		else if (given++ == 0)
			name = words->word[i];
		else
			map = words->word[i];
	}
	if (name == NULL || given > 2) {
		shell_fail(shell, "%s: try \"help login\".",
		    name == NULL ? "Who are you" : "That is too much");
		return;
	}
	if (metacube_client_state(shell->client) != METACUBE_IDLE) {
		shell_fail(shell, "You are logged in already: \"leave\" "
		    "first.");
		return;
	}
	if (password_get(shell, name, file, password) < 0)
		return;
	snprintf(shell->name, sizeof(shell->name), "%s", name);
	report(shell, metacube_client_login(shell->client, name, password,
	    map), WAIT_LOGIN);
	explicit_bzero(password, sizeof(password));
}

/* --- the own account ---------------------------------------------------- */

/* What stands behind the command: one word at most, and options. */
struct given {
	const char	*word, *file, *new_file;
	bool		 is_private, wrong;
};

static struct given
given(const struct words *words)
{
	struct given given = { .word = NULL };

	for (int i = 1; i < words->count; i++) {
		bool more = i + 1 < words->count;

		if (strcmp(words->word[i], "--password-file") == 0 && more)
			given.file = words->word[++i];
		else if (strcmp(words->word[i], "--new-password-file") == 0 &&
		    more)
			given.new_file = words->word[++i];
		else if (strcmp(words->word[i], "--private") == 0)
			given.is_private = true;
		else if (given.word == NULL && words->word[i][0] != '-')
			given.word = words->word[i];
		else
			given.wrong = true;
	}
	return given;
}

static void
too_much(struct shell *shell, const struct words *words)
{
	shell_fail(shell, "That is not understood: try \"help %s\".",
	    words->word[0]);
}

static void
password(struct shell *shell, const struct words *words)
{
	struct given args = given(words);

	if (args.wrong || args.word != NULL || args.is_private)
		too_much(shell, words);
	else
		account_password(shell, args.file, args.new_file);
}

static void
email(struct shell *shell, const struct words *words)
{
	struct given args = given(words);

	if (args.wrong || args.word == NULL || args.new_file != NULL)
		too_much(shell, words);
	else
		account_email(shell, args.word, args.is_private, args.file);
}

static void
validate(struct shell *shell, const struct words *words)
{
	struct given args = given(words);

	if (args.wrong || args.word == NULL || args.new_file != NULL ||
	    args.is_private)
		too_much(shell, words);
	else
		account_validate(shell, args.word, args.file);
}

static void
resend_code(struct shell *shell, const struct words *words)
{
	struct given args = given(words);

	if (args.wrong || args.word != NULL || args.new_file != NULL ||
	    args.is_private)
		too_much(shell, words);
	else
		account_resend(shell, args.file);
}

static void
delete_account(struct shell *shell, const struct words *words)
{
	struct given args = given(words);

	if (args.wrong || args.new_file != NULL || args.is_private)
		too_much(shell, words);
	else
		account_delete(shell, args.word, args.file);
}

/* --- coming and going, maps ---------------------------------------------- */

static void
list_maps(struct shell *shell, const struct words *words)
{
	(void)words;
	shell->maps_told = 0;
	report(shell, metacube_client_list_maps(shell->client, NULL),
	    WAIT_MAPS);
}

static void
join(struct shell *shell, const struct words *words)
{
	report(shell, metacube_client_join(shell->client, words->word[1]),
	    WAIT_ENTER);
}

static void
leave(struct shell *shell, const struct words *words)
{
	(void)words;
	report(shell, metacube_client_leave(shell->client), WAIT_LEFT);
}

static void
quit(struct shell *shell, const struct words *words)
{
	(void)words;
	shell_leave(shell);
}

/* --- on a map ---------------------------------------------------------- */

static void
who(struct shell *shell, const struct words *words)
{
	(void)words;
	look_who(shell);
}

static void
look(struct shell *shell, const struct words *words)
{
	double metres = LOOK_M;

	if (words->count > 1 && (!number(words->word[1], &metres) ||
	    metres < 1)) {
		shell_fail(shell, "\"%s\" is not a distance in metres.",
		    words->word[1]);
		return;
	}
	look_around(shell, (int32_t)(metres * 100));
}

static bool
direction(const char *word, double *east_r, double *north_r)
{
	static const struct {
		const char	*name, *brief;
		double		 east, north;
	} all[] = {
		{ "north", "n", 0, 1 },
		{ "north-east", "ne", M_SQRT1_2, M_SQRT1_2 },
		{ "east", "e", 1, 0 },
		{ "south-east", "se", M_SQRT1_2, -M_SQRT1_2 },
		{ "south", "s", 0, -1 },
		{ "south-west", "sw", -M_SQRT1_2, -M_SQRT1_2 },
		{ "west", "w", -1, 0 },
		{ "north-west", "nw", -M_SQRT1_2, M_SQRT1_2 },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (strcmp(word, all[i].name) != 0 &&
		    strcmp(word, all[i].brief) != 0)
			continue;
		*east_r = all[i].east;
		*north_r = all[i].north;
		return true;
	}
	return false;
}

/* Where to, in centimetres: "X Y", or "north 10" from here. */
static bool
target(struct shell *shell, const struct words *words,
    const struct metacube_avatar *self)
{
	double x, y, metres;

	if (direction(words->word[1], &x, &y) &&
	    number(words->word[2], &metres)) {
		shell->aim_x = (int32_t)lround(self->x + x * metres * 100);
		shell->aim_y = (int32_t)lround(self->y + y * metres * 100);
		return true;
	}
	if (!number(words->word[1], &x) || !number(words->word[2], &y))
		return false;
	shell->aim_x = (int32_t)lround(x * 100);
	shell->aim_y = (int32_t)lround(y * 100);
	return true;
}

static int32_t
within(int32_t value, unsigned size)
{
	return value < 0 ? 0 : (unsigned)value > size ? (int32_t)size : value;
}

static void
move(struct shell *shell, const struct words *words)
{
	const struct metacube_place *place =
	    metacube_client_place(shell->client);
	const struct metacube_avatar *self = place == NULL ? NULL :
	    metacube_client_find(shell->client, place->self);

	if (self == NULL) {
		shell_fail(shell, "You are in no world: \"join\" a map "
		    "first.");
		return;
	}
	if (!target(shell, words, self)) {
		shell_fail(shell, "Where to? Say \"move 12.5 40\" or "
		    "\"move north 10\".");
		return;
	}
	/* "north 1000" ends at the edge of the map. */
	if (direction(words->word[1], &(double){ 0 }, &(double){ 0 })) {
		shell->aim_x = within(shell->aim_x, place->width);
		shell->aim_y = within(shell->aim_y, place->height);
	}
	shell->moved_ms = shell_now_ms();
	report(shell, metacube_client_move(shell->client, shell->aim_x,
	    shell->aim_y), WAIT_ARRIVE);
}

static void
speak(struct shell *shell, const char *text, enum metacube_range range)
{
	shell->wait_until = shell_now_ms() + HEARD_MS;
	report(shell, metacube_client_say(shell->client, text, range),
	    WAIT_HEARD);
}

static void
say(struct shell *shell, const struct words *words)
{
	speak(shell, words->rest, METACUBE_NORMAL);
}

static void
shout(struct shell *shell, const struct words *words)
{
	speak(shell, words->rest, METACUBE_SHOUT);
}

static void
whisper(struct shell *shell, const struct words *words)
{
	speak(shell, words->rest, METACUBE_WHISPER);
}

static void
watch(struct shell *shell, const struct words *words)
{
	const char *name = words->count > 1 ? words->word[1] : "";

	snprintf(shell->watched, sizeof(shell->watched), "%s", name);
	if (name[0] != '\0')
		shell_print(shell, "You keep an eye on %s.", name);
	else
		shell_print(shell, "You watch nobody.");
}

/* --- for scripts ------------------------------------------------------- */

static void
wait_a_while(struct shell *shell, const struct words *words)
{
	double seconds;

	if (!number(words->word[1], &seconds) || seconds < 0) {
		shell_fail(shell, "\"%s\" is not a number of seconds.",
		    words->word[1]);
		return;
	}
	shell->wait_until = shell_now_ms() + (uint64_t)(seconds * 1000);
	shell->wait = WAIT_TIME;
}

/* expect TEXT... [SECONDS] */
static void
expect(struct shell *shell, const struct words *words)
{
	size_t len = strlen(words->rest);
	const char *last = strrchr(words->rest, ' ');
	double seconds = EXPECT_S;

	if (last != NULL && number(last + 1, &seconds))
		len = (size_t)(last - words->rest);
	else
		seconds = EXPECT_S;
	snprintf(shell->wait_text, sizeof(shell->wait_text), "%.*s",
	    (int)(len < sizeof(shell->wait_text) ? len :
	    sizeof(shell->wait_text) - 1), words->rest);
	shell->wait_until = shell_now_ms() +
	    (uint64_t)(fmax(seconds, 0) * 1000);
	shell->wait = WAIT_TEXT;
	shell_tick(shell);	/* it may have been heard already */
}

/* --- the table --------------------------------------------------------- */

static void help(struct shell *, const struct words *);

static const struct command commands[] = {
	{ "login", "[NAME] [MAP] [--password-file FILE]",
	  "Log in, and go to that map at once if you name one.", 0, 4, login },
	{ "maps", "", "List the maps that there are.", 0, 0, list_maps },
	{ "join", "MAP", "Go to a map, or from one to another.", 1, 1, join },
	{ "who", "", "List everybody on this map.", 0, 0, who },
	{ "look", "[METRES]", "Draw what is around you.", 0, 1, look },
	{ "move", "X Y | DIRECTION METRES",
	  "Walk to a point (metres from the south-west corner), or so far "
	  "north, ne, east, ...", 2, 2, move },
	{ "say", "TEXT", "Say something to those within 20 m.", -1, 0, say },
	{ "shout", "TEXT", "The same, within 100 m.", -1, 0, shout },
	{ "whisper", "TEXT", "The same, within 5 m.", -1, 0, whisper },
	{ "watch", "[NAME]", "Be told where somebody walks.", 0, 1, watch },
	{ "password", "[--password-file FILE] [--new-password-file FILE]",
	  "Change your password.", 0, 4, password },
	{ "email", "ADDRESS [--private] [--password-file FILE]",
	  "Change your e-mail address; a code is mailed there.", 1, 4,
	  email },
	{ "validate", "CODE [--password-file FILE]",
	  "Say that code: the new e-mail address is yours.", 1, 3, validate },
	{ "resend-code", "[--password-file FILE]",
	  "Have the code mailed once more.", 0, 2, resend_code },
	{ "delete-account", "[NAME] [--password-file FILE]",
	  "Delete your account, for ever.", 0, 3, delete_account },
	{ "leave", "", "Leave the world, and log out.", 0, 0, leave },
	{ "wait", "SECONDS", "Wait, in a script.", 1, 1, wait_a_while },
	{ "expect", "TEXT [SECONDS]",
	  "Wait until a line with this text has been printed since the last "
	  "expect; it is an error when that takes longer than 10 s.",
	  -1, 0, expect },
	{ "help", "[COMMAND]", "Say what can be typed.", 0, 1, help },
	{ "quit", "", "Leave, and end.", 0, 0, quit },
};

#define NCOMMANDS	(sizeof(commands) / sizeof(commands[0]))

const char *const command_words[] = {
	"login", "maps", "join", "who", "look", "move", "say", "shout",
	"whisper", "watch", "password", "email", "validate", "resend-code",
	"delete-account", "leave", "wait", "expect", "help", "quit", NULL
};

static const struct command *
command_find(const char *name)
{
	for (size_t i = 0; i < NCOMMANDS; i++)
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
	return NULL;
}

static void
help_one(struct shell *shell, const struct command *command)
{
	shell_print(shell, "  %-10s%-34s %s", command->name,
	    command->arguments, command->help);
}

static void
help(struct shell *shell, const struct words *words)
{
	const struct command *command;

	if (words->count == 1) {
		for (size_t i = 0; i < NCOMMANDS; i++)
			help_one(shell, &commands[i]);
		return;
	}
	command = command_find(words->word[1]);
	if (command == NULL)
		shell_fail(shell, "There is no command \"%s\".",
		    words->word[1]);
	else
		help_one(shell, command);
}

static void
words_split(struct words *words, char *copy)
{
	char *save = NULL;
	size_t first;

	words->rest += strspn(words->rest, " \t");
	first = strcspn(words->rest, " \t");
	words->rest += first;
	words->rest += strspn(words->rest, " \t");
	for (char *word = strtok_r(copy, " \t", &save); word != NULL;
	    word = strtok_r(NULL, " \t", &save)) {
		if (words->count < WORDS_MAX)
			words->word[words->count] = word;
		words->count++;
	}
}

static bool
fits(const struct command *command, const struct words *words)
{
	int count = words->count - 1;

	if (command->min < 0)
		return count > 0;
	return count >= command->min && count <= command->max;
}

static void
trim(char *text)
{
	size_t len = strlen(text);

	while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
		text[--len] = '\0';
}

bool
command_run(struct shell *shell, const char *line)
{
	struct words words = { .count = 0 };
	const struct command *command;
	char copy[LINE_SIZE];

	snprintf(words.text, sizeof(words.text), "%s", line);
	trim(words.text);
	memcpy(copy, words.text, sizeof(copy));
	words.rest = words.text;
	words_split(&words, copy);
	if (words.count == 0 || words.word[0][0] == '#')
		return false;
	command = command_find(words.word[0]);
	if (command == NULL) {
		shell_fail(shell, "There is no command \"%s\": try \"help\".",
		    words.word[0]);
		return false;
	}
	if (!fits(command, &words)) {
		shell_fail(shell, "Say: %s %s", command->name,
		    command->arguments);
		return false;
	}
	command->run(shell, &words);
	return true;
}
