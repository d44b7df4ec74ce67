/* SPDX-License-Identifier: MIT */
/*
 * letter - codes, and the mails that carry them.
 *
 * A code is 128 random bits in base32, good for one thing and one time, until
 * it expires.  Only its SHA-256 is kept; the code itself is in the mail, and
 * nowhere else.  Who types it may use small letters, spaces and hyphens.
 */
#include "change.h"

#include <metacube/text.h>

#include <gnutls/crypto.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CODE_BYTES	16

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/* 26 digits of 5 bits: the last has two bits that say nothing. */
static void
base32(const uint8_t bytes[CODE_BYTES], char code[CODE_SIZE])
{
	for (size_t i = 0; i < CODE_SIZE - 1; i++) {
		size_t bit = 5 * i, at = bit / 8;
		unsigned pair = (unsigned)bytes[at] << 8 |
		    (at + 1 < CODE_BYTES ? bytes[at + 1] : 0);

		code[i] = alphabet[pair >> (11 - bit % 8) & 31];
	}
	code[CODE_SIZE - 1] = '\0';
}

static void
code_hash(const char *code, uint8_t hash[TCAPW_CODE_HASH])
{
	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, code, strlen(code),
	    hash) != 0)
		abort();	/* only when the library itself is broken */
}

bool
code_fold(const char *typed, char code[CODE_SIZE])
{
	size_t len = 0;

	for (; *typed != '\0'; typed++) {
		if (*typed == ' ' || *typed == '-')
			continue;
		if (len == CODE_SIZE - 1 ||
		    strchr(alphabet, toupper((unsigned char)*typed)) == NULL)
			return false;
		code[len++] = (char)toupper((unsigned char)*typed);
	}
	code[len] = '\0';
	return len == CODE_SIZE - 1;
}

bool
code_matches(const struct tcapw_account *account, enum tcapw_code code_for,
    const char *code)
{
	uint8_t hash[TCAPW_CODE_HASH];
	bool same;

	code_hash(code, hash);
	same = mc_equal_secret(hash, account->code_hash, sizeof(hash));
	return same && account->code_for == code_for &&
	    mc_time_ms() < account->code_expires_ms;
}

static enum tcapw_code
good_for(enum letter letter)
{
	switch (letter) {
	case LETTER_ACTIVATE:
		return TCAPW_CODE_ACTIVATE;
	case LETTER_EMAIL:
		return TCAPW_CODE_EMAIL;
	case LETTER_RESET:
		return TCAPW_CODE_RESET;
	case LETTER_NONE:
		break;
	}
	return TCAPW_CODE_NONE;
}

void
letter_code(struct change *change, enum letter letter)
{
	const struct conf *conf = change->acctserv->conf;
	struct tcapw_account *account = &change->record.account;
	uint8_t bytes[CODE_BYTES];

	mc_random(bytes, sizeof(bytes));
	base32(bytes, change->code);
	mc_wipe(bytes, sizeof(bytes));
	change->letter = letter;
	account->code_for = good_for(letter);
	account->code_expires_ms = mc_time_ms() + (uint64_t)
	    (letter == LETTER_RESET ? conf->reset_ms : conf->code_ms);
	code_hash(change->code, account->code_hash);
}

void
code_forget(struct tcapw_account *account)
{
	account->code_for = TCAPW_CODE_NONE;
	account->code_expires_ms = 0;
	memset(account->code_hash, 0, sizeof(account->code_hash));
}

void
code_forget_reset(struct tcapw_account *account)
{
	if (account->code_for == TCAPW_CODE_RESET)
		code_forget(account);
}

/* Texts. */

static const struct text {
	const char	*page, *subject, *opening, *asking, *closing;
} texts[] = {
	[LETTER_ACTIVATE] = {
		"activate", "Your new account",
		"somebody, probably you, has registered the account",
		"with\nthis address. To make it yours, activate it:\n",
		"If that was not you, do nothing: without this code nobody "
		"can use the account.\n"
	},
	[LETTER_EMAIL] = {
		"validate", "Your new e-mail address",
		"the account",
		"is to have this e-mail address. To confirm that it\nis "
		"yours:\n",
		"If that was not you, do nothing: the account keeps the "
		"address it has.\n"
	},
	[LETTER_RESET] = {
		"reset", "A new password",
		"somebody, probably you, asks for a new password of the "
		"account",
		"\nbecause the old one is forgotten. To choose it:\n",
		"If that was not you, do nothing: the password stays as it "
		"is.\n"
	}
};

/* {page}, {name} and {code} become what they stand for; none of the three
 * has a character that means anything in a URL. */
static void
put_link(struct mc_text *writer, const char *template, const char *page,
    const struct change *change)
{
	for (; *template != '\0'; template++) {
		if (strncmp(template, "{page}", 6) == 0)
			mc_text_add(writer, "%s", page);
		else if (strncmp(template, "{name}", 6) == 0)
			mc_text_add(writer, "%s", change->name);
		else if (strncmp(template, "{code}", 6) == 0)
			mc_text_add(writer, "%s", change->code);
		else {
			mc_text_add(writer, "%c", *template);
			continue;
		}
		template += 5;
	}
}

static void
put_time(struct mc_text *writer, uint64_t time_ms)
{
	char text[32];

	mc_text_add(writer, "%s UTC", time_text(time_ms, text, sizeof(text)));
}

void
letter_write(const struct change *change, struct mail *mail)
{
	const struct conf *conf = change->acctserv->conf;
	const struct tcapw_account *account = &change->record.account;
	const struct text *text = &texts[change->letter];
	struct mc_text writer = { mail->text, sizeof(mail->text) };

	snprintf(mail->to, sizeof(mail->to), "%s",
	    change->letter == LETTER_EMAIL ? account->new_email :
	    account->email);
	snprintf(mail->subject, sizeof(mail->subject), "%s: %s",
	    conf->site_name, text->subject);
	mc_text_add(&writer, "Hello,\n\n");
	mc_text_add(&writer, "%s \"%s\" %s", text->opening, account->display,
	    text->asking);
	if (conf->link[0] != '\0') {
		mc_text_add(&writer, "\n    ");
		put_link(&writer, conf->link, text->page, change);
		mc_text_add(&writer, "\n\nOr enter this code:\n");
	}
	mc_text_add(&writer, "\n    %s\n\nIt is good once, until ",
	    change->code);
	put_time(&writer, account->code_expires_ms);
	mc_text_add(&writer, ".\n\n%s\n-- \n%s\n", text->closing,
	    conf->site_name);
}
