# SPDX-License-Identifier: MIT
#
# libmetacube-client: what a game client links.  It depends on GnuTLS and
# protobuf-c and on nothing else; which names are allowed is the servers' own
# file, so that both sides always agree.
lib_LTLIBRARIES += libmetacube-client.la
mcinclude_HEADERS += client/metacube/client.h
libmetacube_client_la_SOURCES = \
	client/account.c \
	client/buffer.c client/buffer.h \
	client/client.c \
	client/conversation.h \
	client/dial.c \
	client/endpoint.c client/endpoint.h \
	client/fault.c client/fault.h \
	client/hear.c \
	client/proof.c \
	client/resolve.c client/resolve.h \
	client/seen.c client/seen.h \
	client/stream.c client/stream.h \
	client/talk.c \
	client/trust.c client/trust.h \
	server/name.c
libmetacube_client_la_CFLAGS = $(MC_CFLAGS) $(GNUTLS_CFLAGS) \
	$(PROTOBUF_C_CFLAGS) -pthread
libmetacube_client_la_LDFLAGS = -version-info 0:0:0 $(MC_DEFS) \
	-export-symbols-regex '^metacube_[a-z]'
libmetacube_client_la_LIBADD = api/libproto.la $(GNUTLS_LIBS) \
	$(PROTOBUF_C_LIBS) -lpthread

$(libmetacube_client_la_OBJECTS): $(PROTO_CODEC_H)

# An example for programmers; not installed.
noinst_PROGRAMS += client/example
client_example_SOURCES = client/example.c
client_example_LDADD = libmetacube-client.la

EXTRA_DIST += client/README.md
