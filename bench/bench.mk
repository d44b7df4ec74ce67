# SPDX-License-Identifier: MIT
#
# Benchmarks: built by `make bench`, run by tools/bench, never installed.
BENCH_BINARIES = bench/accounts bench/antp_read bench/append_peer \
	bench/free_port bench/hash bench/login bench/people bench/place \
	bench/session bench/session_peer
BENCH_MODULES = modules/auth_any.la modules/auth_plain.la \
	modules/bench_append.la modules/files_fake.la
EXTRA_PROGRAMS = $(BENCH_BINARIES)
EXTRA_LTLIBRARIES = $(BENCH_MODULES)

.PHONY: bench
bench: all $(BENCH_BINARIES) $(BENCH_MODULES)
CLEANFILES += $(BENCH_BINARIES)

BENCH_LIBS = api/libproto.la $(PROTOBUF_C_LIBS) $(GNUTLS_LIBS)
BENCH_METER = bench/meter.c bench/meter.h
BENCH_FRAME = bench/frame.c bench/frame.h
BENCH_LINK = bench/link.c bench/link.h

bench_accounts_SOURCES = bench/accounts.c bench/plain.h $(BENCH_LINK) \
	$(BENCH_FRAME) $(BENCH_METER)
bench_accounts_LDADD = $(BENCH_LIBS)
bench_people_SOURCES = bench/people.c bench/plain.h $(BENCH_METER)
bench_people_LDADD = libmetacube.la
bench_antp_read_SOURCES = bench/antp_read.c $(BENCH_METER)
bench_antp_read_LDADD = libmetacube.la $(GNUTLS_LIBS)
bench_append_peer_SOURCES = bench/append_peer.c $(BENCH_METER)
bench_append_peer_LDADD = $(GNUTLS_LIBS) -lpthread
bench_free_port_SOURCES = bench/free_port.c $(BENCH_METER)
bench_hash_SOURCES = bench/hash.c bench/crowd.c bench/crowd.h \
	$(BENCH_FRAME) $(BENCH_METER)
bench_hash_LDADD = libmetacube-client.la $(BENCH_LIBS) $(CRYPT_LIBS) -lpthread
bench_login_SOURCES = bench/login.c bench/crowd.c bench/crowd.h \
	$(BENCH_FRAME) $(BENCH_METER)
bench_login_LDADD = $(BENCH_LIBS)
bench_place_SOURCES = bench/place.c $(BENCH_LINK) $(BENCH_FRAME) \
	$(BENCH_METER)
bench_place_LDADD = $(BENCH_LIBS)
bench_session_SOURCES = bench/session.c $(BENCH_LINK) $(BENCH_FRAME) \
	$(BENCH_METER)
bench_session_LDADD = $(BENCH_LIBS)
bench_session_peer_SOURCES = bench/session_peer.c $(BENCH_METER)
bench_session_peer_LDADD = $(GNUTLS_LIBS)

# Modules that only measure; -rpath makes libtool build a shared object.
BENCH_MODULE_LDFLAGS = $(MODULE_LDFLAGS) -rpath $(mcmoduledir)
modules_auth_any_la_SOURCES = bench/modules/auth_any.c
modules_auth_any_la_LDFLAGS = $(BENCH_MODULE_LDFLAGS)
modules_auth_any_la_LIBADD = $(MODULE_LIBS)
modules_auth_plain_la_SOURCES = bench/modules/auth_plain.c bench/plain.h
modules_auth_plain_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
modules_auth_plain_la_LDFLAGS = $(BENCH_MODULE_LDFLAGS)
modules_auth_plain_la_LIBADD = $(MODULE_LIBS)
modules_files_fake_la_SOURCES = tests/fakes/files_fake.c
modules_files_fake_la_LDFLAGS = $(BENCH_MODULE_LDFLAGS)
modules_files_fake_la_LIBADD = $(MODULE_LIBS)
modules_bench_append_la_SOURCES = bench/modules/bench_append.c
modules_bench_append_la_LDFLAGS = $(BENCH_MODULE_LDFLAGS)
modules_bench_append_la_LIBADD = $(MODULE_LIBS)

dist_noinst_SCRIPTS += tools/bench bench/lib.sh bench/antp.sh bench/append.sh \
	bench/changes.sh bench/hash.sh bench/login.sh bench/place.sh \
	bench/replicate.sh bench/session.sh bench/sync.sh \
	bench/peers/kprop.sh bench/peers/postgres.sh bench/peers/slapd.sh
EXTRA_DIST += bench/colyseus/package.json bench/colyseus/server.mjs \
	bench/peers/ldap.c bench/peers/postgres.c

# lookup: through the service, beside a bare loop of gdbm_fetch
if MODULE_TCAPW_GDBM
BENCH_BINARIES += bench/lookup_peer
BENCH_MODULES += modules/bench_lookup.la
bench_lookup_peer_SOURCES = bench/lookup_peer.c
bench_lookup_peer_LDADD = $(GDBM_LIBS)
modules_bench_lookup_la_SOURCES = bench/modules/bench_lookup.c
modules_bench_lookup_la_LDFLAGS = $(BENCH_MODULE_LDFLAGS)
modules_bench_lookup_la_LIBADD = $(MODULE_LIBS)
endif
dist_noinst_SCRIPTS += bench/lookup.sh

# Freezes, by hand: bench/freeze FOLDER
EXTRA_PROGRAMS += bench/freeze
bench: bench/freeze
CLEANFILES += bench/freeze
bench_freeze_SOURCES = bench/freeze.c modules/wmqmaint/changes.c \
	modules/wmqmaint/changes.h modules/wmqmaint/merge.c \
	modules/wmqmaint/merge.h
bench_freeze_CFLAGS = $(AM_CFLAGS)
bench_freeze_LDADD = libmetacube.la $(GNUTLS_LIBS)
