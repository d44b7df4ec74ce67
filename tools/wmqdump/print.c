/* SPDX-License-Identifier: MIT */
#include "print.h"

#include "audit.h"

#include <metacube/host.h>
#include <metacube/pwq.h>
#include <metacube/text.h>

#include <stdio.h>
#include <time.h>

#define HEX_MAX	64		/* bytes of an unknown record */
#define HEX_SIZE (2 * HEX_MAX + 4)

/* Neither a terminal nor a JSON reader must obey what users have chosen. */
static void
put_safe(const char *text, size_t size, bool json)
{
	for (; size > 0 && *text != '\0'; text++, size--) {
		unsigned char c = (unsigned char)*text;

		if (json && (c < 0x20 || c == 0x7f))
			printf("\\u%04x", c);
		else if (json && (c == '"' || c == '\\'))
			printf("\\%c", c);
		else
			putchar(c < 0x20 || c == 0x7f ? '?' : c);
	}
}

static void
put_field(const struct print_how *how, const char *name, const char *value,
    size_t size)
{
	if (how->json)
		printf(",\"%s\":\"", name);
	else
		printf(" %s=", name);
	put_safe(value, size, how->json);
	if (how->json)
		putchar('"');
}

void
print_field(const struct print_how *how, const char *name, const char *value)
{
	put_field(how, name, value, strlen(value));
}

void
print_number(const struct print_how *how, const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	print_field(how, name, text);
}

static void
time_text(uint64_t ms, char text[40])
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;
	size_t len = 0;

	if (gmtime_r(&seconds, &tm) != NULL)
		len = strftime(text, 40, "%Y-%m-%dT%H:%M:%S", &tm);
	if (len == 0)
		snprintf(text, 40, "%llums", (unsigned long long)ms);
	else
		snprintf(text + len, 40 - len, ".%03uZ", (unsigned)(ms % 1000));
}

static void
hex_text(const uint8_t *data, size_t len, char *text)
{
	mc_hex(text, data, len < HEX_MAX ? len : HEX_MAX);
	if (len > HEX_MAX)
		strcat(text, "...");
}

static void
print_unknown(const struct print_how *how, const struct wmq_record *record,
    const void *data)
{
	char hex[HEX_SIZE];

	hex_text(data, record->len, hex);
	print_number(how, "length", record->len);
	print_field(how, "data", hex);
}

static void
print_flags(const struct print_how *how, uint32_t flags)
{
	static const struct {
		uint32_t	 flag;
		const char	*word;
	} words[] = {
		{ TCAPW_LOCKED, "locked" },
		{ TCAPW_EMAIL_VALID, "email-valid" },
		{ TCAPW_EMAIL_PRIVATE, "email-private" },
		{ TCAPW_ADMINISTRATOR, "administrator" },
		{ TCAPW_INACTIVE, "inactive" },
	};
	char text[128] = "";

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (flags & words[i].flag) {
			if (text[0] != '\0')
				strcat(text, ",");
			strcat(text, words[i].word);
		}
	print_field(how, "flags", text);
}

static void
print_change(const struct print_how *how, const struct tcapw_change *change)
{
	static const char *const verbs[] = {
		[TCAPW_CREATE] = "create", [TCAPW_CHANGE] = "change",
		[TCAPW_DELETE] = "delete", [TCAPW_RESERVE] = "reserve"
	};
	const struct tcapw_account *account = &change->account;

	print_field(how, "verb", verbs[change->verb]);
	print_number(how, "uid", account->uid);
	print_field(how, "name", account->name);
	print_flags(how, account->flags);
	print_field(how, "what", change->what);
	print_field(how, "by", change->by);
	if (change->new_verifier)
		print_field(how, "password", "new");
	if (change->keep_sessions)
		print_field(how, "sessions", "kept");
	if (how->personal && account->email[0] != '\0')
		print_field(how, "email", account->email);
	if (how->personal && account->new_email[0] != '\0')
		print_field(how, "new_email", account->new_email);
}

/* What cannot be decoded is not shown: it may hold a verifier. */
static void
print_pwq(const struct print_how *how, const struct wmq_record *record,
    const void *data)
{
	struct tcapw_change change;

	if (pwq_decode(data, record->len, &change) == 0)
		print_change(how, &change);
	else {
		print_number(how, "length", record->len);
		print_field(how, "fault", "not an account change");
	}
	mc_wipe(&change, sizeof(change));
}

static const struct {
	const char	*tag;
	void		(*print)(const struct print_how *,
			    const struct wmq_record *, const void *data);
} printers[] = {
	{ PWQ_TAG, print_pwq },
	{ AUDIT_TAG, print_audit },
};

void
print_record(const struct print_how *how, const struct wmq_record *record,
    const void *data)
{
	size_t i, count = sizeof(printers) / sizeof(printers[0]);
	char when[40], tag[sizeof(record->tag) + 1] = "";

	memcpy(tag, record->tag, sizeof(record->tag));
	time_text(record->time_ms, when);
	printf(how->json ? "{\"seq\":\"%llu\",\"time\":\"%s\"" :
	    "%llu %s", (unsigned long long)record->seq, when);
	put_field(how, "server", record->server, sizeof(record->server));
	print_field(how, "tag", tag);
	for (i = 0; i < count && strcmp(tag, printers[i].tag) != 0; i++)
		continue;
	(i < count ? printers[i].print : print_unknown)(how, record, data);
	puts(how->json ? "}" : "");
}

void
print_header(const struct print_how *how, const char *path,
    const struct segment_header *header)
{
	char when[40], epoch[HEX_SIZE];

	time_text(header->created_ms, when);
	hex_text(header->epoch, sizeof(header->epoch), epoch);
	if (how->json) {
		fputs("{\"file\":\"", stdout);
		put_safe(path, strlen(path), true);
		putchar('"');
	} else
		printf("# %s:", path);
	print_field(how, "epoch", epoch);
	print_number(how, "first", header->first_seq);
	print_field(how, "begun", when);
	put_field(how, "server", header->server, sizeof(header->server));
	puts(how->json ? "}" : "");
}
