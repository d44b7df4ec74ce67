/* SPDX-License-Identifier: MIT */
/*
 * export - everything that is known of one person, as JSON.  All of it is text
 * without control characters; quotes and backslashes may be in who has asked.
 */
#include "acctserv.h"

#include <metacube/text.h>

#define ENTRY_ROOM	256	/* bytes of one entry, and of the end */

static void
put_string(struct mc_text *writer, const char *text)
{
	mc_text_add(writer, "\"");
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20)
			mc_text_add(writer, "\\u%04x", (unsigned)*text);
		else
			mc_text_add(writer, "%s%c", *text == '"' ||
			    *text == '\\' ? "\\" : "", *text);
	mc_text_add(writer, "\"");
}

static void
put_text(struct mc_text *writer, const char *key, const char *text)
{
	mc_text_add(writer, "  \"%s\": ", key);
	put_string(writer, text);
	mc_text_add(writer, ",\n");
}

static void
put_flag(struct mc_text *writer, const char *key, uint32_t flags,
    enum tcapw_flag flag)
{
	mc_text_add(writer, "  \"%s\": %s,\n", key,
	    (flags & flag) != 0 ? "true" : "false");
}

static void
put_time(struct mc_text *writer, const char *key, uint64_t time_ms)
{
	char text[32];

	put_text(writer, key, time_text(time_ms, text, sizeof(text)));
}

static void
put_account(struct mc_text *writer, const struct tcapw_account *account)
{
	put_text(writer, "name", account->name);
	put_text(writer, "display", account->display);
	mc_text_add(writer, "  \"uid\": %llu,\n",
	    (unsigned long long)account->uid);
	put_time(writer, "created_utc", account->created_ms);
	put_text(writer, "email", account->email);
	put_flag(writer, "email_valid", account->flags, TCAPW_EMAIL_VALID);
	put_flag(writer, "email_private", account->flags,
	    TCAPW_EMAIL_PRIVATE);
	put_text(writer, "new_email", account->new_email);
	put_flag(writer, "active",
	    (account->flags & TCAPW_INACTIVE) != 0 ? 0 : TCAPW_INACTIVE,
	    TCAPW_INACTIVE);
	put_flag(writer, "locked", account->flags, TCAPW_LOCKED);
	put_flag(writer, "administrator", account->flags,
	    TCAPW_ADMINISTRATOR);
	mc_text_add(writer,
	    "  \"password\": \"kept as a yescrypt hash only\",\n");
	mc_text_add(writer, "  \"last_change\": %llu,\n",
	    (unsigned long long)account->seq);
}

static void
put_entry(struct mc_text *writer, const struct entry *entry, bool last)
{
	char time[32];

	mc_text_add(writer, "    {\"time_utc\": \"%s\", \"what\": ",
	    time_text(entry->time_ms, time, sizeof(time)));
	put_string(writer, entry->what);
	mc_text_add(writer, ", \"by\": ");
	put_string(writer, entry->by);
	mc_text_add(writer, "}%s\n", last ? "" : ",");
}

void
export_write(const struct tcapw_account *account,
    const struct history *history, char *out, size_t size)
{
	struct mc_text writer = { out, size };
	size_t fit, first;

	mc_text_add(&writer, "{\n");
	put_account(&writer, account);
	fit = writer.room / ENTRY_ROOM;
	fit = fit > 1 ? fit - 1 : 0;
	first = history->count > fit ? history->count - fit : 0;
	mc_text_add(&writer, "  \"audit_entries\": %llu,\n  \"audit\": [\n",
	    (unsigned long long)history->all);
	for (size_t i = first; i < history->count; i++)
		put_entry(&writer, &history->entries[i],
		    i + 1 == history->count);
	mc_text_add(&writer, "  ]\n}\n");
}
