# Every test speaks TAP.  A unit test is one program tests/unit/test_X.t made
# from tests/unit/test_X.c; add it to UNIT_TESTS and give it its two lines.
TEST_EXTENSIONS = .t
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) \
	$(top_srcdir)/build-aux/tap-driver.sh
T_LOG_DRIVER = $(LOG_DRIVER)
T_LOG_COMPILER = $(LOG_COMPILER)

check_LTLIBRARIES += tests/libcutap.la
tests_libcutap_la_SOURCES = tests/tap/cutap.c tests/tap/cutap.h
tests_libcutap_la_CPPFLAGS = $(AM_CPPFLAGS) $(CUNIT_CFLAGS)

# For tests that use what the host is made of; those that load modules which
# call the host link libmetacube.la instead of libserver.la.
UNIT_CPPFLAGS = $(AM_CPPFLAGS) $(CUNIT_CFLAGS) -I$(top_srcdir)/server \
	-I$(top_srcdir)/tests/tap
UNIT_LIBS = tests/libcutap.la server/libserver.la $(CUNIT_LIBS)

UNIT_TESTS =

# modules/world
if MODULE_WORLD
UNIT_TESTS += tests/unit/test_map.t tests/unit/test_sim.t \
	tests/unit/test_tickets.t
tests_unit_test_map_t_SOURCES = tests/unit/test_map.c \
	modules/world/map.c modules/world/terrain.c
tests_unit_test_map_t_CPPFLAGS = $(UNIT_CPPFLAGS) $(PNG_CFLAGS) \
	-DMAPS_DIR='"$(abs_top_srcdir)/maps"'
tests_unit_test_map_t_LDADD = $(UNIT_LIBS) $(LIBCONFIG_LIBS) $(PNG_LIBS) -lm
tests_unit_test_sim_t_SOURCES = tests/unit/test_sim.c \
	modules/world/map.c modules/world/sim.c modules/world/terrain.c
tests_unit_test_sim_t_CPPFLAGS = $(UNIT_CPPFLAGS) $(PNG_CFLAGS)
tests_unit_test_sim_t_LDADD = $(UNIT_LIBS) $(LIBCONFIG_LIBS) $(PNG_LIBS) -lm
tests_unit_test_tickets_t_SOURCES = tests/unit/test_tickets.c \
	modules/world/tickets.c
tests_unit_test_tickets_t_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_tickets_t_LDADD = $(UNIT_LIBS)
endif

if HAVE_CUNIT
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
endif

# System tests: scripts with real processes; helpers beside them.
SYSTEM_TESTS = \
	tests/system/10_start.t \
	tests/system/20_login.t \
	tests/system/30_world.t \
	tests/system/40_place.t \
	tests/system/50_hostile.t \
	tests/system/60_files.t \
	tests/system/70_secrets.t
TESTS += $(SYSTEM_TESTS)
dist_check_SCRIPTS += $(SYSTEM_TESTS) tests/system/80_install.t \
	tests/fuzz/run
EXTRA_DIST += tests/system/lib.sh tests/oot/Makefile tests/oot/skeleton.c

check_PROGRAMS += tests/system/hostile tests/system/notified
tests_system_hostile_SOURCES = tests/system/hostile.c
tests_system_hostile_LDADD = api/libproto.la $(PROTOBUF_C_LIBS) $(GNUTLS_LIBS)
tests_system_notified_SOURCES = tests/system/notified.c

installcheck-local:
	MC_SBINDIR='$(sbindir)' MC_BINDIR='$(bindir)' MC_LIBDIR='$(libdir)' \
	MC_MODULEDIR='$(mcmoduledir)' DESTDIR='$(DESTDIR)' \
		$(top_srcdir)/tests/system/80_install.t
