/* SPDX-License-Identifier: MIT */
/*
 * From a mail to the message of RFC 5322 that sendmail reads.
 *
 * Nothing that comes from outside gets into a header as it is: addresses have
 * been checked, names and subjects are encoded (RFC 2047) unless they are
 * plain ASCII without anything that means something there.
 */
#include "mail_sendmail.h"

#include <metacube/text.h>

#include <string.h>
#include <time.h>

#define LINE_MAX	76	/* RFC 2045: characters of an encoded line */
#define WORD_MAX	60	/* of an encoded word, without its frame */

static bool
is_plain(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < 0x20 || *text > 0x7e)
			return false;
	return true;
}

/* What may stand in an encoded word as it is, even in a name: RFC 2047, 5. */
static bool
is_safe(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '!' || c == '+' ||
	    c == '*' || c == '/';
}

/* Bytes of the character that begins here. */
static size_t
character_len(const char *at)
{
	size_t len = 1;

	while (((unsigned char)at[len] & 0xc0) == 0x80)
		len++;
	return len;
}

/* As words that each hold whole characters, one to a line. */
static void
put_words(struct mc_text *writer, const char *text)
{
	size_t used = 0, len;

	mc_text_add(writer, "=?UTF-8?Q?");
	for (; *text != '\0'; text += len) {
		len = character_len(text);
		if (used + 3 * len > WORD_MAX) {
			mc_text_add(writer, "?=\n =?UTF-8?Q?");
			used = 0;
		}
		for (size_t i = 0; i < len; i++) {
			bool safe = is_safe((unsigned char)text[i]);

			mc_text_add(writer, safe ? "%c" : "=%02X",
			    (unsigned char)text[i]);
			used += safe ? 1 : 3;
		}
	}
	mc_text_add(writer, "?=");
}

/* A subject: "=?" would be taken for an encoded word. */
static void
put_text(struct mc_text *writer, const char *text)
{
	if (is_plain(text) && strstr(text, "=?") == NULL)
		mc_text_add(writer, "%s", text);
	else
		put_words(writer, text);
}

/* A name before an address has characters of its own: quotes, commas. */
static void
put_name(struct mc_text *writer, const char *name)
{
	const char *at = name;

	while (is_safe((unsigned char)*at) || *at == ' ')
		at++;
	if (*at == '\0')
		mc_text_add(writer, "%s", name);
	else
		put_words(writer, name);
}

/* English, whatever the locale. */
static void
put_date(struct mc_text *writer, uint64_t time_ms)
{
	static const char days[7][4] = {
		"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"
	};
	static const char months[12][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
		"Sep", "Oct", "Nov", "Dec"
	};
	time_t seconds = (time_t)(time_ms / 1000);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	mc_text_add(writer, "Date: %s, %02d %s %d %02d:%02d:%02d +0000\n",
	    days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
	    tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static bool
needs_encoding(const char *text)
{
	size_t line = 0;

	for (; *text != '\0'; text++) {
		line = *text == '\n' ? 0 : line + 1;
		if (line > 900 || (*text != '\n' && *text != '\t' &&
		    (*text < 0x20 || *text > 0x7e)))
			return true;
	}
	return false;
}

/* Quoted-printable: RFC 2045, 6.7.  A space before a line end is encoded. */
static void
put_encoded(struct mc_text *writer, const char *text)
{
	size_t column = 0;

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;
		bool plain = c >= 0x20 && c <= 0x7e && c != '=' &&
		    !(c == ' ' && (text[1] == '\n' || text[1] == '\0'));

		if (c == '\n') {
			mc_text_add(writer, "\n");
			column = 0;
			continue;
		}
		if (column + (plain ? 1 : 3) > LINE_MAX - 1) {
			mc_text_add(writer, "=\n");
			column = 0;
		}
		mc_text_add(writer, plain ? "%c" : "=%02X", c);
		column += plain ? 1 : 3;
	}
}

size_t
message_write(const struct mail *mail, const struct envelope *envelope,
    char out[MESSAGE_MAX])
{
	struct mc_text writer = { out, MESSAGE_MAX };
	bool encoded = needs_encoding(mail->text);

	put_date(&writer, envelope->time_ms);
	mc_text_add(&writer, "Message-ID: <%s%s>\nFrom: ", envelope->id,
	    strrchr(envelope->from, '@'));
	if (envelope->from_name[0] != '\0') {
		put_name(&writer, envelope->from_name);
		mc_text_add(&writer, " <%s>\n", envelope->from);
	} else
		mc_text_add(&writer, "%s\n", envelope->from);
	mc_text_add(&writer, "To: %s\nSubject: ", mail->to);
	put_text(&writer, mail->subject);
	mc_text_add(&writer, "\nAuto-Submitted: auto-generated\n"
	    "MIME-Version: 1.0\n"
	    "Content-Type: text/plain; charset=%s\n"
	    "Content-Transfer-Encoding: %s\n\n",
	    encoded ? "UTF-8" : "US-ASCII",
	    encoded ? "quoted-printable" : "7bit");
	if (encoded)
		put_encoded(&writer, mail->text);
	else
		mc_text_add(&writer, "%s", mail->text);
	return MESSAGE_MAX - writer.room;
}
