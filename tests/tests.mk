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

if HAVE_CUNIT
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
endif
