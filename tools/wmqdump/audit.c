/* SPDX-License-Identifier: MIT */
/*
 * audit - the entries of the account server's audit log (tag "adt"), which
 * have nothing personal in them but the uid.
 */
#include "audit.h"

#include <metacube/proto/audit.pb-c.h>
#include <metacube/tcapw.h>
#include <metacube/text.h>

#include <stdio.h>

static void
print_epoch(const struct print_how *how, const Metacube__Audit *message)
{
	size_t len = message->epoch.len < 16 ? message->epoch.len : 16;
	char hex[33];

	mc_hex(hex, message->epoch.data, len);
	print_field(how, "epoch", hex);
}

static void
print_entry(const struct print_how *how, const Metacube__Audit *message)
{
	static const char *const verbs[] = {
		[TCAPW_CREATE] = "create", [TCAPW_CHANGE] = "change",
		[TCAPW_DELETE] = "delete", [TCAPW_RESERVE] = "reserve"
	};

	print_number(how, "change", message->seq);
	switch (message->kind) {
	case METACUBE__AUDIT__KIND__EPOCH:
		print_field(how, "kind", "epoch");
		print_epoch(how, message);
		return;
	case METACUBE__AUDIT__KIND__GAP:
		print_field(how, "kind", "gap");
		return;
	case METACUBE__AUDIT__KIND__REFUSED:
		print_field(how, "kind", "refused");
		print_number(how, "status", message->status);
		break;
	default:
		break;
	}
	if (message->verb >= TCAPW_CREATE && message->verb <= TCAPW_RESERVE)
		print_field(how, "verb", verbs[message->verb]);
	print_number(how, "uid", message->uid);
	print_field(how, "what", message->what);
	print_field(how, "by", message->by);
}

void
print_audit(const struct print_how *how, const struct wmq_record *record,
    const void *data)
{
	Metacube__Audit *message = metacube__audit__unpack(NULL, record->len,
	    data);

	if (message == NULL) {
		print_number(how, "length", record->len);
		print_field(how, "fault", "not an entry of an audit log");
		return;
	}
	print_entry(how, message);
	metacube__audit__free_unpacked(message, NULL);
}
