/* SPDX-License-Identifier: MIT */
/*
 * The promises of metacube/mail.h.  Where mails arrive is the folder
 * $CONTRACT_MAILBOX, a file for each; without it nobody looks there.
 */
#include "frame.h"

#include <metacube/mail.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MANY		30
#define PATIENCE	1200	/* tries, 50 ms each */

static void
put_send(void *args, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	mail_send(contract_ref(0), args, slot, done, owner);
}

static struct mail
mail_of(unsigned n)
{
	struct mail mail;

	memset(&mail, 0, sizeof(mail));
	snprintf(mail.to, sizeof(mail.to), "joe@example.com");
	snprintf(mail.subject, sizeof(mail.subject), "contract <%u>", n);
	snprintf(mail.text, sizeof(mail.text), "Hello Joe,\n.\nGr\xc3\xbc"
	    "\xc3\x9f" "e\n");
	return mail;
}

static bool
file_has(const char *folder, const char *name, const char *text)
{
	char path[1024], data[16384];
	size_t len;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "r");
	if (file == NULL)
		return false;
	len = fread(data, 1, sizeof(data) - 1, file);
	fclose(file);
	data[len] = '\0';
	return strstr(data, text) != NULL;
}

static bool
has_arrived(const char *folder, unsigned n)
{
	char text[64];
	struct dirent *entry;
	DIR *dir = opendir(folder);
	bool found = false;

	snprintf(text, sizeof(text), "Subject: contract <%u>", n);
	while (dir != NULL && !found && (entry = readdir(dir)) != NULL)
		found = file_has(folder, entry->d_name, text);
	if (dir != NULL)
		closedir(dir);
	return found;
}

static bool
have_arrived(const char *folder, unsigned first, unsigned last)
{
	unsigned tries = 0;

	for (unsigned n = first; n <= last; n++)
		while (!has_arrived(folder, n)) {
			if (++tries > PATIENCE)
				return false;
			usleep(50000);
		}
	return true;
}

static bool
send_many(unsigned first)
{
	static struct mail mails[MANY];
	static struct asked asked[MANY];
	bool fine = true;

	for (unsigned i = 0; i < MANY; i++) {
		mails[i] = mail_of(first + i);
		ask_start(&asked[i], put_send, &mails[i]);
	}
	for (unsigned i = 0; i < MANY; i++) {
		ask_wait(&asked[i]);
		fine = fine && asked[i].status == MC_OK && asked[i].len == 0;
		ask_free(&asked[i]);
	}
	return fine;
}

static void
sending(void)
{
	struct mail mail = mail_of(0);
	struct asked asked;

	promise(ask(put_send, &mail, NULL, 0) == MC_OK, "a mail is taken");
	ask_start(&asked, put_send, &mail);
	ask_cancel(&asked);
	ask_wait(&asked);
	ask_free(&asked);
	promise(send_many(1), "and %d at once, after somebody who left", MANY);
}

static void
killed(void)
{
	const char *folder = getenv("CONTRACT_MAILBOX");

	if (folder == NULL)
		note("CONTRACT_MAILBOX is not set: nobody looks there");
	else
		promise(have_arrived(folder, 0, MANY), "what was taken before "
		    "SIGKILL arrives");
	promise(send_many(MANY + 1), "further ones are taken");
	if (folder != NULL)
		promise(have_arrived(folder, MANY + 1, 2 * MANY),
		    "and arrive");
}

static const struct contract_phase phases[] = {
	{ "mails", sending, true },
	{ "after SIGKILL", killed, false },
	{ 0 }
};

const struct contract_suite contract_mail = {
	MAIL_SERVICE, .phases = phases
};
