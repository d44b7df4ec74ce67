# SPDX-License-Identifier: MIT
#
# Servers that are killed; TAP, and a closing line CAMPAIGN.
if MODULE_ACCTSERV
if MODULE_TCAPW_GDBM
if MODULE_WMQ_FILE
check_PROGRAMS += tests/crash/account_change.t tests/crash/mismatch.t \
	tests/crash/bitflip_store.t tests/crash/clock_jump.t \
	tests/crash/io_failures.t tests/crash/power_cut.t
check_LTLIBRARIES += tests/crash/clockshift.la tests/crash/iofail.la \
	tests/crash/nosync.la
TESTS += tests/crash/account_change.t tests/crash/mismatch.t \
	tests/crash/bitflip_store.t tests/crash/clock_jump.t \
	tests/crash/io_failures.t tests/crash/power_cut.t
endif
endif
endif
check_PROGRAMS += tests/crash/mailbox_take
tests_crash_mailbox_take_SOURCES = \
	tests/crash/mailbox.c \
	tests/crash/mailbox.h \
	tests/crash/mailbox_take.c
tests_crash_account_change_t_SOURCES = \
	tests/crash/account_change.c \
	tests/crash/ledger.c \
	tests/crash/ledger.h \
	tests/crash/queue_cut.c \
	tests/crash/queue_cut.h \
	$(CRASH_PEOPLE)
tests_crash_account_change_t_LDADD = $(CRASH_LIBS)

tests_crash_mismatch_t_SOURCES = tests/crash/mismatch.c $(CRASH_SERVER)
tests_crash_mismatch_t_LDADD = libmetacube.la $(PROTOBUF_C_LIBS)

# What campaigns share.
CRASH_SERVER = \
	tests/crash/asking.c \
	tests/crash/asking.h \
	tests/crash/server.c \
	tests/crash/server.h \
	tests/crash/server_account.c
CRASH_PEOPLE = \
	tests/crash/campaign.c \
	tests/crash/campaign.h \
	tests/crash/mailbox.c \
	tests/crash/mailbox.h \
	tests/crash/people.c \
	tests/crash/people.h \
	tests/crash/people_ask.c \
	tests/crash/people_parts.h \
	tests/crash/people_wish.c \
	$(CRASH_SERVER)
CRASH_CROWD = tests/crash/crowd.c tests/crash/crowd.h $(CRASH_PEOPLE)
CRASH_LIBS = libmetacube.la $(PROTOBUF_C_LIBS) -lpthread

tests_crash_bitflip_store_t_SOURCES = tests/crash/bitflip_store.c \
	tests/crash/campaign.c tests/crash/campaign.h $(CRASH_SERVER)
tests_crash_bitflip_store_t_LDADD = libmetacube.la $(PROTOBUF_C_LIBS) \
	$(GNUTLS_LIBS)

tests_crash_clock_jump_t_SOURCES = tests/crash/clock_jump.c $(CRASH_CROWD)
tests_crash_clock_jump_t_LDADD = $(CRASH_LIBS)

tests_crash_io_failures_t_SOURCES = tests/crash/io_failures.c $(CRASH_CROWD)
tests_crash_io_failures_t_LDADD = $(CRASH_LIBS)

tests_crash_power_cut_t_SOURCES = tests/crash/power_cut.c \
	tests/crash/disk.c tests/crash/disk.h $(CRASH_CROWD)
tests_crash_power_cut_t_LDADD = $(CRASH_LIBS)

# Preloaded; -rpath makes libtool build shared objects.
PRELOAD_LDFLAGS = -module -avoid-version -shared -rpath $(mcmoduledir)
tests_crash_clockshift_la_SOURCES = tests/crash/clockshift.c
tests_crash_clockshift_la_LDFLAGS = $(PRELOAD_LDFLAGS)
tests_crash_iofail_la_SOURCES = tests/crash/iofail.c
tests_crash_iofail_la_LDFLAGS = $(PRELOAD_LDFLAGS)
tests_crash_nosync_la_SOURCES = tests/crash/nosync.c
tests_crash_nosync_la_LDFLAGS = $(PRELOAD_LDFLAGS)

# Needs no server.
check_PROGRAMS += tests/crash/bitflip_freeze.t
TESTS += tests/crash/bitflip_freeze.t
tests_crash_bitflip_freeze_t_SOURCES = tests/crash/bitflip_freeze.c \
	tests/crash/campaign.c tests/crash/campaign.h \
	tests/unit/freeze_files.c tests/unit/freeze_files.h \
	tests/tap/scratch.c tests/tap/scratch.h
tests_crash_bitflip_freeze_t_CPPFLAGS = $(AM_CPPFLAGS) \
	-I$(top_srcdir)/tests/tap
tests_crash_bitflip_freeze_t_LDADD = libmetacube.la

# Bits of a queue's files.
check_PROGRAMS += tests/crash/bitflip_queue.t
TESTS += tests/crash/bitflip_queue.t
tests_crash_bitflip_queue_t_SOURCES = tests/crash/bitflip_queue.c \
	tests/crash/campaign.c tests/crash/campaign.h
tests_crash_bitflip_queue_t_LDADD = libmetacube.la

# A replica: needs no account server.
if MODULE_SERVPW
if MODULE_TCAPW_GDBM
if MODULE_WMQ_FILE
check_PROGRAMS += tests/crash/replica_kill.t
check_LTLIBRARIES += tests/fakes/freeze_fake.la
TESTS += tests/crash/replica_kill.t
endif
endif
endif
tests_crash_replica_kill_t_SOURCES = tests/crash/replica_kill.c \
	tests/crash/campaign.c tests/crash/campaign.h \
	tests/crash/origin.c tests/crash/origin.h \
	tests/crash/server.c tests/crash/server.h
tests_crash_replica_kill_t_LDADD = libmetacube.la $(GNUTLS_LIBS)
tests_fakes_freeze_fake_la_SOURCES = tests/fakes/freeze_fake.c
tests_fakes_freeze_fake_la_LDFLAGS = $(FAKE_LDFLAGS)
tests_fakes_freeze_fake_la_LIBADD = $(MODULE_LIBS)

# Whole networks.
CRASH_NETWORKS = tests/crash/away.t tests/crash/netcut.t \
	tests/crash/restore.t
if ALL_MODULES
TESTS += $(CRASH_NETWORKS)
endif
dist_check_SCRIPTS += $(CRASH_NETWORKS)
EXTRA_DIST += tests/crash/lib.sh
