/* SPDX-License-Identifier: MIT */
/*
 * words - hex, numbers and files in, messages as lines out.
 */
#include "hostile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

ProtobufCBinaryData
unhex(const char *text)
{
	ProtobufCBinaryData out = { 0, zalloc(strlen(text) / 2) };
	unsigned byte;

	for (; sscanf(text, "%2x", &byte) == 1 && text[1] != '\0'; text += 2)
		out.data[out.len++] = (uint8_t)byte;
	if (*text != '\0')
		die("'%s' is not hex", text);
	return out;
}

void
print_hex(const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		printf("%02x", data[i]);
}

/* First line of a file, without its end. */
char *
line_of(const char *path)
{
	char *line = NULL;
	size_t size = 0;
	FILE *file = fopen(path, "r");

	if (file == NULL || getline(&line, &size, file) < 0)
		die("%s: %s", path, strerror(errno));
	fclose(file);
	line[strcspn(line, "\r\n")] = '\0';
	return line;
}

size_t
number(const char *text)
{
	char *end;
	unsigned long long value = strtoull(text, &end, 0);

	if (*text == '\0' || *end != '\0')
		die("'%s' is not a number", text);
	return (size_t)value;
}

const char *
kind_of(const Metacube__Envelope *envelope)
{
	const ProtobufCFieldDescriptor *field;

	field = protobuf_c_message_descriptor_get_field(
	    &metacube__envelope__descriptor, (unsigned)envelope->message_case);
	return field != NULL ? field->name : "unknown";
}

static const char *
reason_name(unsigned reason)
{
	const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(
	    &metacube__reason__descriptor, (int)reason);

	return value != NULL ? value->name : "?";
}

static const char *
result_name(int result)
{
	const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(
	    &metacube__account_answer__result__descriptor, result);

	return value != NULL ? value->name : "?";
}

static void
print_reroute(const Metacube__Reroute *reroute)
{
	printf(" world=%s map=%s endpoint=%s ticket=", reroute->world,
	    reroute->map, reroute->n_endpoint > 0 ? reroute->endpoint[0] : "");
	print_hex(reroute->ticket.data, reroute->ticket.len);
}

static void
print_entered(const Metacube__Entered *entered)
{
	printf(" avatar=%u map=%s world=%s people=%zu session=%llu secret=",
	    entered->avatar, entered->map, entered->world, entered->n_id,
	    (unsigned long long)entered->session);
	print_hex(entered->secret.data, entered->secret.len);
}

static void
print_details(const Metacube__Envelope *envelope)
{
	switch (envelope->message_case) {
	case METACUBE__ENVELOPE__MESSAGE_REFUSED:
		printf(" reason=%s retry=%u text=%s",
		    reason_name(envelope->refused->reason),
		    envelope->refused->retry_ms, envelope->refused->text);
		break;
	case METACUBE__ENVELOPE__MESSAGE_KICKED:
		printf(" reason=%s text=%s",
		    reason_name(envelope->kicked->reason),
		    envelope->kicked->text);
		break;
	case METACUBE__ENVELOPE__MESSAGE_ACCOUNT_ANSWER:
		printf(" result=%s text=%s", result_name(
		    (int)envelope->account_answer->result),
		    envelope->account_answer->text);
		break;
	case METACUBE__ENVELOPE__MESSAGE_LOGGED_IN:
		printf(" uid=%llu display=%s",
		    (unsigned long long)envelope->logged_in->uid,
		    envelope->logged_in->display);
		break;
	case METACUBE__ENVELOPE__MESSAGE_QUEUED:
		printf(" position=%u", envelope->queued->position);
		break;
	case METACUBE__ENVELOPE__MESSAGE_REROUTE:
		print_reroute(envelope->reroute);
		break;
	case METACUBE__ENVELOPE__MESSAGE_ENTERED:
		print_entered(envelope->entered);
		break;
	case METACUBE__ENVELOPE__MESSAGE_SAID:
		printf(" by=%s text=%s", envelope->said->display,
		    envelope->said->text);
		break;
	case METACUBE__ENVELOPE__MESSAGE_APPEARED:
		printf(" who=%s", envelope->appeared->display);
		break;
	default:
		break;
	}
}

void
print_message(const struct hostile *me, const Metacube__Envelope *envelope)
{
	if (me->hex) {
		print_hex(me->frame.data, me->frame.len);
		putchar(' ');
	}
	fputs(kind_of(envelope), stdout);
	print_details(envelope);
	putchar('\n');
}
