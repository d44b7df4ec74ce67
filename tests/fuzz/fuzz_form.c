/* SPDX-License-Identifier: MIT */
/*
 * fuzz_form - any bytes as the form of an account page: the parser, and the
 * page itself with an account server that gives every answer.
 *
 * The first byte is the page, the second the answer; the rest is the body.
 * With an even second byte the right token stands before it, so that more
 * than the refusal of it is reached.
 */
#include "page.h"

#include <metacube/name.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COOKIE	"0123456789abcdef0123456789abcdef"
#define BODY	20000
#define RESULTS	17	/* two more than there are */

static struct site site = {
	.title = "fuzz <&>",
	.key = { .len = TOKEN_KEY_MIN, .data = "a key" },
};

struct traffic {
	const char	*body;
	size_t		 left;
	struct html	 reply;
};

static ssize_t
body_read(void *owner, char *data, size_t size)
{
	struct traffic *traffic = owner;

	if (size > traffic->left)
		size = traffic->left;
	memcpy(data, traffic->body, size);
	traffic->body += size;
	traffic->left -= size;
	return (ssize_t)size;
}

static bool
reply_write(void *owner, const char *data, size_t len)
{
	html_add(&((struct traffic *)owner)->reply, data, len);
	return true;
}

/* Nothing gets here that the account server would have to mend. */
static void
ask(void *owner, const Metacube__AccountRequest *request,
    struct answer *answer)
{
	char folded[MC_NAME_SIZE];

	if (mc_name_fold(request->name, folded) != NULL ||
	    !mc_text_valid(request->code, 63) ||
	    !mc_text_valid(request->email, 254) ||
	    strcmp(request->by, "web") != 0 ||
	    (request->proof.len != 0 && request->proof.len != 32) ||
	    (request->new_proof.len != 0 && request->new_proof.len != 32))
		abort();
	memset(answer, 0, sizeof(*answer));
	answer->result = *(Metacube__AccountAnswer__Result *)owner;
	if (request->verb == METACUBE__ACCOUNT_REQUEST__VERB__EXPORT)
		answer->document = strdup("{}");
}

static bool
has(const struct html *html, const char *text)
{
	return memmem(html->data, html->len, text, strlen(text)) != NULL;
}

/* Header and body belong together, and nothing was smuggled into either. */
static void
reply_check(const struct html *reply)
{
	const char *end, *length;
	size_t body;

	if (reply->failed || strncmp(reply->data, "Status: ", 8) != 0 ||
	    memchr(reply->data, '\0', reply->len) != NULL)
		abort();
	end = memmem(reply->data, reply->len, "\r\n\r\n", 4);
	length = memmem(reply->data, reply->len, "Content-Length: ", 16);
	if (end == NULL || length == NULL || length > end)
		abort();
	body = reply->len - (size_t)(end + 4 - reply->data);
	if (strtoull(length + 16, NULL, 10) != body ||
	    has(reply, "<script") || has(reply, "fuzz <"))
		abort();
}

static void
serve(const struct page *page, const char *body, size_t len)
{
	struct traffic traffic = { .body = body, .left = len };
	struct gate gate = { body_read, reply_write, &traffic };
	char length[64], path[64];
	char *envp[] = {
		(char[]) { "REQUEST_METHOD=POST" }, (char[]) { "HTTPS=on" },
		(char[]) { "CONTENT_TYPE=application/x-www-form-urlencoded" },
		(char[]) { "HTTP_COOKIE=__Host-metacube=" COOKIE },
		length, path, NULL
	};

	snprintf(length, sizeof(length), "CONTENT_LENGTH=%zu", len);
	snprintf(path, sizeof(path), "PATH_INFO=%s", page->path);
	if (!site_serve(&site, envp, &gate))
		abort();
	reply_check(&traffic.reply);
	html_clear(&traffic.reply);
}

static void
parse_check(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct form form;

	if (text == NULL)
		abort();
	memcpy(text, data, size);
	if (form_parse(text, size, &form) != FORM_FINE && form.count != 0)
		abort();
	for (size_t i = 0; i < form.count; i++)
		if (strlen(form.pairs[i].name) > FORM_NAME ||
		    strlen(form.pairs[i].value) > FORM_VALUE ||
		    form_value(&form, form.pairs[i].name) !=
		    form.pairs[i].value)
			abort();
	free(text);
}

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char body[BODY];
	Metacube__AccountAnswer__Result result;
	const struct page *page = pages();
	char token[TOKEN_SIZE];
	size_t len = 0;

	if (size < 2 || size > BODY / 2)
		return 0;
	parse_check(data + 2, size - 2);
	for (unsigned n = data[0]; n > 0; n--)
		if ((++page)->path == NULL)
			page = pages();
	result = (Metacube__AccountAnswer__Result)(data[1] / 2 % RESULTS);
	site.ask = ask;
	site.owner = &result;
	if (data[1] % 2 == 0) {
		token_make(&site.key, COOKIE, page->path, time(NULL), token);
		len = (size_t)snprintf(body, sizeof(body), "token=%s&", token);
	}
	memcpy(body + len, data + 2, size - 2);
	serve(page, body, len + size - 2);
	return 0;
}
