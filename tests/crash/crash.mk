# SPDX-License-Identifier: MIT
#
# Servers that are killed; TAP, and a closing line CAMPAIGN.
if MODULE_ACCTSERV
if MODULE_TCAPW_GDBM
if MODULE_WMQ_FILE
check_PROGRAMS += tests/crash/account_change.t tests/crash/mismatch.t \
	tests/crash/power_cut.t
check_LTLIBRARIES += tests/crash/nosync.la
TESTS += tests/crash/account_change.t tests/crash/mismatch.t \
	tests/crash/power_cut.t
endif
endif
endif
tests_crash_account_change_t_SOURCES = \
	tests/crash/account_change.c \
	tests/crash/asking.c \
	tests/crash/asking.h \
	tests/crash/people.c \
	tests/crash/people.h \
	tests/crash/server.c \
	tests/crash/server.h
tests_crash_account_change_t_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_crash_account_change_t_LDADD = libmetacube.la $(PROTOBUF_C_LIBS) \
	$(GNUTLS_LIBS) -lpthread

tests_crash_mismatch_t_SOURCES = \
	tests/crash/asking.c \
	tests/crash/asking.h \
	tests/crash/mismatch.c \
	tests/crash/server.c \
	tests/crash/server.h
tests_crash_mismatch_t_LDADD = libmetacube.la $(PROTOBUF_C_LIBS)

tests_crash_power_cut_t_SOURCES = \
	tests/crash/asking.c \
	tests/crash/asking.h \
	tests/crash/disk.c \
	tests/crash/disk.h \
	tests/crash/people.c \
	tests/crash/people.h \
	tests/crash/power_cut.c \
	tests/crash/server.c \
	tests/crash/server.h
tests_crash_power_cut_t_LDADD = libmetacube.la $(PROTOBUF_C_LIBS) -lpthread

# Preloaded; -rpath makes libtool build a shared object.
tests_crash_nosync_la_SOURCES = tests/crash/nosync.c
tests_crash_nosync_la_LDFLAGS = -module -avoid-version -shared \
	-rpath $(mcmoduledir)
