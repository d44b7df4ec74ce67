/* SPDX-License-Identifier: MIT */
/*
 * paint - pages as HTML5, for every width, without JavaScript, and in an
 * order that makes sense when it is read aloud: what has happened comes
 * before the form, and each field's label, hint and fault before the field.
 */
#include "page.h"

#include <stdio.h>
#include <string.h>

/* -- the frame ------------------------------------------------------------- */

static void
begin(struct visit *visit, const char *title, bool bad)
{
	struct html *html = &visit->reply.body;
	const char *script = visit->request->script;

	html_write(html, "<!DOCTYPE html>\n"
	    "<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, "
	    "initial-scale=1\">\n<title>%s%s - %s</title>\n"
	    "<link rel=\"stylesheet\" href=\"%s/style.css\">\n"
	    "</head>\n<body>\n", text(T_LANGUAGE),
	    bad ? text(T_ERROR_TITLE) : "", title, visit->site->title, script);
	html_write(html, "<header><a href=\"%s/\">%s %s</a></header>\n"
	    "<main>\n<h1>%s</h1>\n", script, visit->site->title,
	    text(T_ACCOUNTS), title);
}

static void
end(struct visit *visit, bool home)
{
	struct html *html = &visit->reply.body;

	html_write(html, "</main>\n");
	if (!home)
		html_write(html, "<footer><a href=\"%s/\">%s</a></footer>\n",
		    visit->request->script, text(T_HOME));
	html_write(html, "</body>\n</html>\n");
	reply_header(&visit->reply, "Content-Type",
	    "text/html; charset=utf-8");
}

/* -- notes: what has happened ---------------------------------------------- */

static void
note(struct html *html, enum text what, bool good)
{
	if (good)
		html_write(html, "<div class=\"note\" role=\"status\"><p>%s"
		    "</p></div>\n", text(what));
	else
		html_write(html, "<div class=\"note bad\" role=\"alert\">"
		    "<p>%s</p></div>\n", text(what));
}

static void
trouble_note(struct visit *visit)
{
	struct html *html = &visit->reply.body;
	char seconds[16];

	note(html, visit->trouble, false);
	if (visit->wait_s == 0)
		return;
	snprintf(seconds, sizeof(seconds), "%u", visit->wait_s);
	html_write(html, "<p>%s %s</p>\n", text(T_WAIT_SECONDS), seconds);
}

/* Each fault with a link to its field. */
static void
faults_note(struct visit *visit)
{
	struct html *html = &visit->reply.body;
	const struct use *use;

	html_write(html, "<div class=\"note bad\" role=\"alert\"><h2>%s</h2>"
	    "\n<ul>\n", text(T_PROBLEM));
	for (use = visit->page->uses; use->id != FIELD_NONE; use++)
		if (visit->faults[use->id] != T_NONE)
			html_write(html, "<li><a href=\"#%s\">%s</a></li>\n",
			    field_of(use->id)->name,
			    text(visit->faults[use->id]));
	html_write(html, "</ul>\n</div>\n");
}

/* The first field with a fault; FIELD_NONE: there is none. */
static enum field_id
first_fault(const struct visit *visit)
{
	const struct use *use = visit->page->uses;

	while (use->id != FIELD_NONE && visit->faults[use->id] == T_NONE)
		use++;
	return use->id;
}

/* -- fields ---------------------------------------------------------------- */

/* One field as it is to be shown. */
struct shown {
	const struct field	*field;
	const char		*label, *hint, *fault, *value;
	bool			 focus;
};

static void
explanations(struct html *html, const struct shown *shown)
{
	const char *name = shown->field->name;

	if (shown->hint[0] != '\0')
		html_write(html, "<p class=\"hint\" id=\"%s-hint\">%s</p>\n",
		    name, shown->hint);
	if (shown->fault[0] != '\0')
		html_write(html, "<p class=\"error\" id=\"%s-error\">%s</p>\n",
		    name, shown->fault);
}

/* Which of the explanations belong to the field, for screen readers. */
static void
describe(struct html *html, const struct shown *shown)
{
	const char *name = shown->field->name;
	bool hint = shown->hint[0] != '\0', fault = shown->fault[0] != '\0';

	if (fault)
		html_write(html, " aria-invalid=\"true\"");
	if (hint && fault)
		html_write(html, " aria-describedby=\"%s-hint %s-error\"",
		    name, name);
	else if (hint || fault)
		html_write(html, " aria-describedby=\"%s-%s\"", name,
		    hint ? "hint" : "error");
}

static void
input(struct html *html, const struct shown *shown)
{
	const struct field *field = shown->field;

	html_write(html, "<input id=\"%s\" name=\"%s\" type=\"%s\"",
	    field->name, field->name, field->type);
	describe(html, shown);
	if (field->autocomplete[0] != '\0')
		html_write(html, " autocomplete=\"%s\"", field->autocomplete);
	if (field->folded)
		html_write(html, " autocapitalize=\"none\" "
		    "autocorrect=\"off\" spellcheck=\"false\"");
	if (!field->optional)
		html_write(html, " required");
	if (shown->focus)
		html_write(html, " autofocus");
	if (strcmp(field->type, "checkbox") == 0)
		html_write(html, " value=\"yes\"%s>\n",
		    strcmp(shown->value, "yes") == 0 ? " checked" : "");
	else if (shown->value[0] != '\0')
		html_write(html, " value=\"%s\">\n", shown->value);
	else
		html_write(html, ">\n");
}

static void
field_paint(struct html *html, const struct shown *shown)
{
	bool tick = strcmp(shown->field->type, "checkbox") == 0;

	html_write(html, "<div class=\"%s\">\n", tick ? "field tick" :
	    "field");
	if (tick)
		input(html, shown);
	html_write(html, "<label for=\"%s\">%s</label>\n",
	    shown->field->name, shown->label);
	explanations(html, shown);
	if (!tick)
		input(html, shown);
	html_write(html, "</div>\n");
}

static void
use_paint(struct visit *visit, const struct use *use)
{
	const struct field *field = field_of(use->id);
	struct shown shown = {
		.field = field,
		.label = text(use->label != T_NONE ? use->label :
		    field->label),
		.hint = text(use->hint != T_NONE ? use->hint : field->hint),
		.fault = text(visit->faults[use->id]),
		.value = field->secret ? "" : visit->values.of[use->id],
		.focus = use->id == first_fault(visit),
	};

	field_paint(&visit->reply.body, &shown);
}

/* -- pages ----------------------------------------------------------------- */

void
paint_form(struct visit *visit, const char *token)
{
	struct html *html = &visit->reply.body;
	const struct page *page = visit->page;
	bool faulty = first_fault(visit) != FIELD_NONE;

	begin(visit, text(page->title), faulty || visit->trouble != T_NONE);
	if (visit->news != T_NONE)
		note(html, visit->news, true);
	else
		html_write(html, "<p>%s</p>\n", text(page->intro));
	if (visit->trouble != T_NONE)
		trouble_note(visit);
	if (faulty)
		faults_note(visit);
	html_write(html, "<form method=\"post\" action=\"%s%s\" novalidate>\n"
	    "<input type=\"hidden\" name=\"token\" value=\"%s\">\n",
	    visit->request->script, page->path, token);
	for (const struct use *use = page->uses; use->id != FIELD_NONE; use++)
		use_paint(visit, use);
	html_write(html, "<button%s>%s</button>\n</form>\n",
	    page->grave ? " class=grave" : "", text(page->button));
	end(visit, false);
}

static void
page_listed(struct visit *visit, const struct page *page)
{
	html_write(&visit->reply.body, "<li><a href=\"%s%s\">%s</a> "
	    "<span class=\"about\">%s</span></li>\n",
	    visit->request->script, page->path, text(page->title),
	    text(page->about));
}

void
paint_home(struct visit *visit)
{
	struct html *html = &visit->reply.body;
	const struct page *page;

	begin(visit, text(T_HOME_TITLE), false);
	html_write(html, "<p>%s</p>\n", text(T_HOME_INTRO));
	for (page = pages(); page->path != NULL; page++) {
		if (page->group != T_NONE)
			html_write(html, "<h2>%s</h2>\n"
			    "<ul class=\"pages\">\n", text(page->group));
		page_listed(visit, page);
		if (page[1].path == NULL || page[1].group != T_NONE)
			html_write(html, "</ul>\n");
	}
	end(visit, true);
}

void
paint_message(struct visit *visit, enum text title, enum text what, bool good)
{
	begin(visit, text(title), !good);
	note(&visit->reply.body, what, good);
	end(visit, false);
}
