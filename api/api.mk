# SPDX-License-Identifier: MIT
#
# The contract: headers for modules, and the wire schema with its codec.
mcinclude_HEADERS += \
	api/metacube/account.h \
	api/metacube/antp.h \
	api/metacube/auth.h \
	api/metacube/bytes.h \
	api/metacube/call.h \
	api/metacube/conn.h \
	api/metacube/control.h \
	api/metacube/follow.h \
	api/metacube/freeze.h \
	api/metacube/host.h \
	api/metacube/mail.h \
	api/metacube/mirror.h \
	api/metacube/module.h \
	api/metacube/name.h \
	api/metacube/penalty.h \
	api/metacube/pwq.h \
	api/metacube/queue.h \
	api/metacube/replica.h \
	api/metacube/segment.h \
	api/metacube/shown.h \
	api/metacube/taskmaster.h \
	api/metacube/tcapw.h \
	api/metacube/text.h \
	api/metacube/ticket.h \
	api/metacube/wmq.h \
	api/metacube/wmqfile.h

dist_mcproto_DATA += \
	api/proto/account.proto \
	api/proto/acctserv.proto \
	api/proto/audit.proto \
	api/proto/control.proto \
	api/proto/envelope.proto \
	api/proto/login.proto \
	api/proto/taskmaster.proto \
	api/proto/ticket.proto \
	api/proto/world.proto

PROTO_CODEC_H = \
	api/metacube/proto/account.pb-c.h \
	api/metacube/proto/acctserv.pb-c.h \
	api/metacube/proto/audit.pb-c.h \
	api/metacube/proto/control.pb-c.h \
	api/metacube/proto/envelope.pb-c.h \
	api/metacube/proto/login.pb-c.h \
	api/metacube/proto/taskmaster.pb-c.h \
	api/metacube/proto/ticket.pb-c.h \
	api/metacube/proto/world.pb-c.h

PROTO_CODEC_C = $(PROTO_CODEC_H:.h=.c)

nodist_mcprotoinclude_HEADERS += $(PROTO_CODEC_H)
BUILT_SOURCES += $(PROTO_CODEC_H) $(PROTO_CODEC_C)
CLEANFILES += $(PROTO_CODEC_H) $(PROTO_CODEC_C)

api/metacube/proto/%.pb-c.c api/metacube/proto/%.pb-c.h: api/proto/%.proto
	$(AM_V_GEN)$(MKDIR_P) api/metacube/proto && \
	$(PROTOC_C) -I$(top_srcdir)/api/proto \
		--c_out=api/metacube/proto $(top_srcdir)/api/proto/$*.proto

# The codec, in both libraries.
noinst_LTLIBRARIES += api/libproto.la
nodist_api_libproto_la_SOURCES = $(PROTO_CODEC_C) $(PROTO_CODEC_H)
api_libproto_la_CFLAGS = $(AM_CFLAGS) -fvisibility=default
