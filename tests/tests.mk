# SPDX-License-Identifier: MIT
#
# Every test speaks TAP.  A unit test is one program tests/unit/test_X.t made
# from tests/unit/test_X.c; add it to UNIT_TESTS and give it its two lines.
TEST_EXTENSIONS = .t
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) \
	$(top_srcdir)/build-aux/tap-driver.sh
T_LOG_DRIVER = $(LOG_DRIVER)
T_LOG_COMPILER = $(LOG_COMPILER)

check_LTLIBRARIES += tests/libcutap.la
tests_libcutap_la_SOURCES = tests/tap/cutap.c tests/tap/cutap.h \
	tests/tap/scratch.c tests/tap/scratch.h
tests_libcutap_la_CPPFLAGS = $(AM_CPPFLAGS) $(CUNIT_CFLAGS)

# For tests that use what the host is made of; those that load modules which
# call the host link libmetacube.la instead of libserver.la.
UNIT_CPPFLAGS = $(AM_CPPFLAGS) $(CUNIT_CFLAGS) -I$(top_srcdir)/server \
	-I$(top_srcdir)/tests/tap \
	-DFAKES_DIR='"$(abs_top_builddir)/tests/fakes/.libs"'
UNIT_LIBS = tests/libcutap.la server/libserver.la $(CUNIT_LIBS)

UNIT_TESTS = \
	tests/unit/test_conf.t \
	tests/unit/test_conf_scan.t \
	tests/unit/test_graph.t \
	tests/unit/test_keys.t \
	tests/unit/test_loader.t

tests_unit_test_conf_t_SOURCES = tests/unit/test_conf.c
tests_unit_test_conf_t_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_conf_t_LDADD = $(UNIT_LIBS)

tests_unit_test_conf_scan_t_SOURCES = tests/unit/test_conf_scan.c
tests_unit_test_conf_scan_t_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_conf_scan_t_LDADD = $(UNIT_LIBS)

tests_unit_test_graph_t_SOURCES = tests/unit/test_graph.c
tests_unit_test_graph_t_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_graph_t_LDADD = $(UNIT_LIBS)

tests_unit_test_keys_t_SOURCES = tests/unit/test_keys.c
tests_unit_test_keys_t_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_keys_t_LDADD = $(UNIT_LIBS)

tests_unit_test_loader_t_SOURCES = tests/unit/test_loader.c
tests_unit_test_loader_t_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_loader_t_LDADD = $(UNIT_LIBS)

# The host.  These load modules, which must find their host in the program.
UNIT_TESTS += tests/unit/test_call.t tests/unit/test_count.t \
	tests/unit/test_log.t tests/unit/test_timer.t tests/unit/test_work.t
UNIT_RIG = tests/unit/rig.c tests/unit/rig.h

tests_unit_test_call_t_SOURCES = tests/unit/test_call.c $(UNIT_RIG)
tests_unit_test_call_t_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_call_t_LDADD = $(UNIT_LIBS)
tests_unit_test_call_t_LDFLAGS = -export-dynamic -Wl,--wrap=free

tests_unit_test_count_t_SOURCES = tests/unit/test_count.c
tests_unit_test_count_t_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_count_t_LDADD = $(UNIT_LIBS)

tests_unit_test_log_t_SOURCES = tests/unit/test_log.c
tests_unit_test_log_t_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_log_t_LDADD = $(UNIT_LIBS)

tests_unit_test_timer_t_SOURCES = tests/unit/test_timer.c $(UNIT_RIG)
tests_unit_test_timer_t_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_timer_t_LDADD = $(UNIT_LIBS)
tests_unit_test_timer_t_LDFLAGS = -export-dynamic

tests_unit_test_work_t_SOURCES = tests/unit/test_work.c $(UNIT_RIG)
tests_unit_test_work_t_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_work_t_LDADD = $(UNIT_LIBS)
tests_unit_test_work_t_LDFLAGS = -export-dynamic

# The pump
UNIT_TESTS += tests/unit/test_endpoint.t tests/unit/test_frame.t \
	tests/unit/test_limit.t tests/unit/test_proxy.t \
	tests/unit/test_pump.t

tests_unit_test_endpoint_t_SOURCES = tests/unit/test_endpoint.c
tests_unit_test_endpoint_t_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_endpoint_t_LDADD = $(UNIT_LIBS)

tests_unit_test_frame_t_SOURCES = tests/unit/test_frame.c
tests_unit_test_frame_t_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_frame_t_LDADD = $(UNIT_LIBS)

tests_unit_test_limit_t_SOURCES = tests/unit/test_limit.c
tests_unit_test_limit_t_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_limit_t_LDADD = $(UNIT_LIBS)

tests_unit_test_proxy_t_SOURCES = tests/unit/test_proxy.c
tests_unit_test_proxy_t_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_proxy_t_LDADD = $(UNIT_LIBS)

tests_unit_test_pump_t_SOURCES = tests/unit/test_pump.c \
	tests/unit/pump_servers.c tests/unit/pump_client.c \
	tests/unit/pump_rig.c tests/unit/pump_rig.h $(PKI) tools/ctl.h
tests_unit_test_pump_t_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)/tools
tests_unit_test_pump_t_LDADD = $(UNIT_LIBS)

# Streams in the pump, and the codec for what antpserv and antpclnt say
UNIT_TESTS += tests/unit/test_antp.t tests/unit/test_stream.t
tests_unit_test_antp_t_SOURCES = tests/unit/test_antp.c
tests_unit_test_antp_t_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_antp_t_LDADD = $(UNIT_LIBS)
tests_unit_test_stream_t_SOURCES = tests/unit/test_stream.c \
	tests/unit/stream_rig.c tests/unit/stream_rig.h \
	tests/unit/pump_client.c tests/unit/pump_rig.c \
	tests/unit/pump_rig.h $(PKI) tools/ctl.h
tests_unit_test_stream_t_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)/tools
tests_unit_test_stream_t_LDADD = $(UNIT_LIBS)

# An account store that behaves badly, for tests of whoever needs one.
check_LTLIBRARIES += tests/fakes/tcapw_fake.la
tests_fakes_tcapw_fake_la_SOURCES = tests/fakes/tcapw_fake.c
tests_fakes_tcapw_fake_la_LDFLAGS = $(FAKE_LDFLAGS)
tests_fakes_tcapw_fake_la_LIBADD = $(MODULE_LIBS)

# Asks it when it is told to.
check_LTLIBRARIES += tests/fakes/asker.la
tests_fakes_asker_la_SOURCES = tests/fakes/asker.c
tests_fakes_asker_la_LDFLAGS = $(FAKE_LDFLAGS)
tests_fakes_asker_la_LIBADD = $(MODULE_LIBS)

# modules/world
if MODULE_WORLD
UNIT_TESTS += tests/unit/test_map.t tests/unit/test_sim.t \
	tests/unit/test_tickets.t tests/unit/test_world.t
tests_unit_test_map_t_SOURCES = tests/unit/test_map.c \
	modules/world/map.c modules/world/source.c modules/world/terrain.c
tests_unit_test_map_t_CPPFLAGS = $(UNIT_CPPFLAGS) $(PNG_CFLAGS) \
	-DMAPS_DIR='"$(abs_top_srcdir)/maps"'
tests_unit_test_map_t_LDADD = $(UNIT_LIBS) $(LIBCONFIG_LIBS) $(PNG_LIBS) -lm
tests_unit_test_sim_t_SOURCES = tests/unit/test_sim.c \
	modules/world/map.c modules/world/sim.c modules/world/source.c \
	modules/world/terrain.c
tests_unit_test_sim_t_CPPFLAGS = $(UNIT_CPPFLAGS) $(PNG_CFLAGS)
tests_unit_test_sim_t_LDADD = $(UNIT_LIBS) $(LIBCONFIG_LIBS) $(PNG_LIBS) -lm
tests_unit_test_tickets_t_SOURCES = tests/unit/test_tickets.c \
	modules/world/tickets.c
tests_unit_test_tickets_t_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_tickets_t_LDADD = $(UNIT_LIBS)
# the whole module, on a stage instead of a host
tests_unit_test_world_t_SOURCES = tests/unit/test_world.c \
	tests/unit/world_change.c tests/unit/world_master.c \
	tests/unit/world_rig.c tests/unit/world_rig.h \
	$(STAGE_SOURCES) $(modules_world_la_SOURCES)
tests_unit_test_world_t_CPPFLAGS = $(UNIT_CPPFLAGS) $(PNG_CFLAGS) \
	-I$(top_srcdir)/tests/fakes -DMAPS_DIR='"$(abs_top_srcdir)/maps"'
tests_unit_test_world_t_LDADD = tests/libcutap.la api/libproto.la \
	$(CUNIT_LIBS) $(GNUTLS_LIBS) $(LIBCONFIG_LIBS) $(PNG_LIBS) \
	$(PROTOBUF_C_LIBS) -lm
endif

# server/ticket, modules/auth_password, modules/taskmaster
UNIT_TESTS += tests/unit/test_ticket.t
tests_unit_test_ticket_t_SOURCES = tests/unit/test_ticket.c
tests_unit_test_ticket_t_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_ticket_t_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_penalty.t
tests_unit_test_penalty_t_SOURCES = tests/unit/test_penalty.c
tests_unit_test_penalty_t_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_penalty_t_LDADD = $(UNIT_LIBS)
if MODULE_TASKMASTER
UNIT_TESTS += tests/unit/test_placement.t
tests_unit_test_placement_t_SOURCES = tests/unit/test_placement.c \
	modules/taskmaster/catalogue.c modules/taskmaster/heap.c \
	modules/taskmaster/placement.c modules/taskmaster/table.c
tests_unit_test_placement_t_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_placement_t_LDADD = $(UNIT_LIBS)
endif

# whole modules on a stage (tests/fakes/stage.h)
STAGE_SOURCES = tests/fakes/stage.c tests/fakes/stage.h \
	tests/fakes/stage_calls.c tests/fakes/stage_conns.c \
	tests/fakes/stage_parts.h tests/fakes/stage_queries.c \
	tests/fakes/stage_time.c tests/fakes/stage_wire.c \
	server/account.c server/name.c server/penalty.c server/text.c \
	server/ticket.c
STAGE_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)/tests/fakes
STAGE_LIBS = tests/libcutap.la api/libproto.la $(CUNIT_LIBS) \
	$(GNUTLS_LIBS) $(PROTOBUF_C_LIBS)
if MODULE_GATEWAY
UNIT_TESTS += tests/unit/test_gateway.t tests/unit/test_gateway_accounts.t \
	tests/unit/test_gateway_news.t
GATEWAY_RIG = tests/unit/gateway_rig.c tests/unit/gateway_rig.h
tests_unit_test_gateway_accounts_t_SOURCES = \
	tests/unit/test_gateway_accounts.c $(GATEWAY_RIG) \
	$(STAGE_SOURCES) $(modules_gateway_la_SOURCES)
tests_unit_test_gateway_accounts_t_CPPFLAGS = $(STAGE_CPPFLAGS)
tests_unit_test_gateway_accounts_t_LDADD = $(STAGE_LIBS)
tests_unit_test_gateway_news_t_SOURCES = tests/unit/test_gateway_news.c \
	$(GATEWAY_RIG) $(STAGE_SOURCES) $(modules_gateway_la_SOURCES)
tests_unit_test_gateway_news_t_CPPFLAGS = $(STAGE_CPPFLAGS)
tests_unit_test_gateway_news_t_LDADD = $(STAGE_LIBS)
tests_unit_test_gateway_t_SOURCES = tests/unit/test_gateway.c \
	$(STAGE_SOURCES) $(modules_gateway_la_SOURCES)
tests_unit_test_gateway_t_CPPFLAGS = $(STAGE_CPPFLAGS)
tests_unit_test_gateway_t_LDADD = $(STAGE_LIBS)
endif

if MODULE_TASKMASTER
UNIT_TESTS += tests/unit/test_taskmaster.t
tests_unit_test_taskmaster_t_SOURCES = tests/unit/test_taskmaster.c \
	tests/unit/taskmaster_evict.c tests/unit/taskmaster_worlds.c \
	tests/unit/taskmaster_rig.c tests/unit/taskmaster_rig.h \
	$(STAGE_SOURCES) $(modules_taskmaster_la_SOURCES)
tests_unit_test_taskmaster_t_CPPFLAGS = $(STAGE_CPPFLAGS)
tests_unit_test_taskmaster_t_LDADD = $(STAGE_LIBS)
endif

if MODULE_AUTH_PASSWORD
UNIT_TESTS += tests/unit/test_auth.t
tests_unit_test_auth_t_SOURCES = tests/unit/test_auth.c \
	$(STAGE_SOURCES) $(modules_auth_password_la_SOURCES)
tests_unit_test_auth_t_CPPFLAGS = $(STAGE_CPPFLAGS)
tests_unit_test_auth_t_LDADD = $(STAGE_LIBS) $(CRYPT_LIBS)
tests_unit_test_auth_t_LDFLAGS = -Wl,--wrap=free
endif
# modules that hand on over one link
REMOTE_RIG = tests/unit/remote_rig.c tests/unit/remote_rig.h
if MODULE_ACCOUNT_REMOTE
UNIT_TESTS += tests/unit/test_account_remote.t
tests_unit_test_account_remote_t_SOURCES = \
	tests/unit/test_account_remote.c $(REMOTE_RIG) \
	$(STAGE_SOURCES) $(modules_account_remote_la_SOURCES)
tests_unit_test_account_remote_t_CPPFLAGS = $(STAGE_CPPFLAGS)
tests_unit_test_account_remote_t_LDADD = $(STAGE_LIBS)
endif
if MODULE_MAIL_SENDMAIL
UNIT_TESTS += tests/unit/test_mail_spool.t
tests_unit_test_mail_spool_t_SOURCES = tests/unit/test_mail_spool.c \
	modules/mail_sendmail/spool.c modules/mail_sendmail/mail_sendmail.h
tests_unit_test_mail_spool_t_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_mail_spool_t_LDADD = $(UNIT_LIBS)
endif
if MODULE_ACCTSERV
UNIT_TESTS += tests/unit/test_acctserv.t
tests_unit_test_acctserv_t_SOURCES = tests/unit/test_acctserv.c \
	tests/unit/acctserv_rig.c tests/unit/acctserv_rig.h \
	server/follow.c server/mail.c server/pwq.c server/replica.c \
	$(SERVER_QUEUE) $(STAGE_SOURCES) \
	$(modules_acctserv_la_SOURCES)
tests_unit_test_acctserv_t_CPPFLAGS = $(STAGE_CPPFLAGS) -I$(top_srcdir)
tests_unit_test_acctserv_t_LDADD = $(STAGE_LIBS) $(CRYPT_LIBS)
endif
if MODULE_TASKMASTER_REMOTE
UNIT_TESTS += tests/unit/test_remote.t
tests_unit_test_remote_t_SOURCES = tests/unit/test_remote.c $(REMOTE_RIG) \
	$(STAGE_SOURCES) $(modules_taskmaster_remote_la_SOURCES)
tests_unit_test_remote_t_CPPFLAGS = $(STAGE_CPPFLAGS)
tests_unit_test_remote_t_LDADD = $(STAGE_LIBS)
endif

# Names, account changes, and the queue's files.
UNIT_TESTS += tests/unit/test_name.t tests/unit/test_pwq.t \
	tests/unit/test_queue.t tests/unit/test_segment.t

tests_unit_test_name_t_SOURCES = tests/unit/test_name.c
tests_unit_test_name_t_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_name_t_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_text.t
tests_unit_test_text_t_SOURCES = tests/unit/test_text.c
tests_unit_test_text_t_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_text_t_LDADD = $(UNIT_LIBS)

tests_unit_test_pwq_t_SOURCES = tests/unit/test_pwq.c
tests_unit_test_pwq_t_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_pwq_t_LDADD = $(UNIT_LIBS)

tests_unit_test_queue_t_SOURCES = tests/unit/test_queue.c \
	tests/unit/queue_damage.c tests/unit/queue_durable.c \
	tests/unit/queue_epoch.c \
	tests/unit/queue_mirror.c tests/unit/queue_rig.c \
	tests/unit/queue_rig.h
tests_unit_test_queue_t_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)
tests_unit_test_queue_t_LDADD = $(UNIT_LIBS)

tests_unit_test_segment_t_SOURCES = tests/unit/test_segment.c
tests_unit_test_segment_t_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)
tests_unit_test_segment_t_LDADD = $(UNIT_LIBS)

if HAVE_CUNIT
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
endif

# Modules for the tests of loader and configuration; all but the first three
# have something wrong with them.
FAKE_LDFLAGS = -module -avoid-version -shared $(MC_DEFS) -rpath /nowhere

check_LTLIBRARIES += tests/fakes/fake_store.la
tests_fakes_fake_store_la_SOURCES = tests/fakes/fake_module.c
tests_fakes_fake_store_la_LDFLAGS = $(FAKE_LDFLAGS)
tests_fakes_fake_store_la_CPPFLAGS = $(AM_CPPFLAGS) \
	-DFAKE_NAME='"fake_store"' \
	-D'FAKE_PROVIDES={"store",1,2,keys},'

check_LTLIBRARIES += tests/fakes/fake_proxy.la
tests_fakes_fake_proxy_la_SOURCES = tests/fakes/fake_module.c
tests_fakes_fake_proxy_la_LDFLAGS = $(FAKE_LDFLAGS)
tests_fakes_fake_proxy_la_CPPFLAGS = $(AM_CPPFLAGS) \
	-DFAKE_NAME='"fake_proxy"' \
	-D'FAKE_PROVIDES={"store",1,0,keys},' \
	-D'FAKE_NEEDS={"store",1,0,0,false},'

check_LTLIBRARIES += tests/fakes/fake_reader.la
tests_fakes_fake_reader_la_SOURCES = tests/fakes/fake_module.c
tests_fakes_fake_reader_la_LDFLAGS = $(FAKE_LDFLAGS)
tests_fakes_fake_reader_la_CPPFLAGS = $(AM_CPPFLAGS) \
	-DFAKE_NAME='"fake_reader"' \
	-D'FAKE_NEEDS={"store",1,0,0,false},' \
	-D'FAKE_KEYS={MC_FIELD(struct conf,flag),MC_BOOL,"false",.help="h"}, \
	{MC_FIELD(struct conf,number),MC_INT,"1",1,10,.help="h"}, \
	{MC_FIELD(struct conf,text),MC_STRING,"",.help="h"}, \
	{MC_FIELD(struct conf,path),MC_PATH,"",.help="h"}, \
	{MC_FIELD(struct conf,secret),MC_SECRET,"",8,64,.help="h"},'

check_LTLIBRARIES += tests/fakes/fake_older.la
tests_fakes_fake_older_la_SOURCES = tests/fakes/fake_module.c
tests_fakes_fake_older_la_LDFLAGS = $(FAKE_LDFLAGS)
tests_fakes_fake_older_la_CPPFLAGS = $(AM_CPPFLAGS) \
	-DFAKE_NAME='"fake_older"' \
	-DFAKE_MAJOR=0 -DFAKE_MINOR=9

check_LTLIBRARIES += tests/fakes/fake_newer.la
tests_fakes_fake_newer_la_SOURCES = tests/fakes/fake_module.c
tests_fakes_fake_newer_la_LDFLAGS = $(FAKE_LDFLAGS)
tests_fakes_fake_newer_la_CPPFLAGS = $(AM_CPPFLAGS) \
	-DFAKE_NAME='"fake_newer"' \
	-DFAKE_MAJOR=99 -DFAKE_MINOR=0

check_LTLIBRARIES += tests/fakes/fake_minor.la
tests_fakes_fake_minor_la_SOURCES = tests/fakes/fake_module.c
tests_fakes_fake_minor_la_LDFLAGS = $(FAKE_LDFLAGS)
tests_fakes_fake_minor_la_CPPFLAGS = $(AM_CPPFLAGS) \
	-DFAKE_NAME='"fake_minor"' \
	-DFAKE_MAJOR=MC_ABI_MAJOR -DFAKE_MINOR='(MC_ABI_MINOR+1)'

check_LTLIBRARIES += tests/fakes/fake_nonote.la
tests_fakes_fake_nonote_la_SOURCES = tests/fakes/fake_module.c
tests_fakes_fake_nonote_la_LDFLAGS = $(FAKE_LDFLAGS)
tests_fakes_fake_nonote_la_CPPFLAGS = $(AM_CPPFLAGS) \
	-DFAKE_NAME='"fake_nonote"' \
	-DFAKE_NO_NOTE

check_LTLIBRARIES += tests/fakes/fake_nosymbol.la
tests_fakes_fake_nosymbol_la_SOURCES = tests/fakes/fake_module.c
tests_fakes_fake_nosymbol_la_LDFLAGS = $(FAKE_LDFLAGS)
tests_fakes_fake_nosymbol_la_CPPFLAGS = $(AM_CPPFLAGS) \
	-DFAKE_NAME='"fake_nosymbol"' \
	-DFAKE_NO_SYMBOL

check_LTLIBRARIES += tests/fakes/fake_badkeys.la
tests_fakes_fake_badkeys_la_SOURCES = tests/fakes/fake_module.c
tests_fakes_fake_badkeys_la_LDFLAGS = $(FAKE_LDFLAGS)
tests_fakes_fake_badkeys_la_CPPFLAGS = $(AM_CPPFLAGS) \
	-DFAKE_NAME='"fake_badkeys"' \
	-D'FAKE_KEYS={MC_FIELD(struct conf,number),MC_INT,"x",.help="h"},'

check_LTLIBRARIES += tests/fakes/fake_crash.la
tests_fakes_fake_crash_la_SOURCES = tests/fakes/fake_module.c
tests_fakes_fake_crash_la_LDFLAGS = $(FAKE_LDFLAGS)
tests_fakes_fake_crash_la_CPPFLAGS = $(AM_CPPFLAGS) \
	-DFAKE_NAME='"fake_crash"' \
	-DFAKE_BEGIN='raise(SIGSEGV)'

check_LTLIBRARIES += tests/fakes/fake_exit.la
tests_fakes_fake_exit_la_SOURCES = tests/fakes/fake_module.c
tests_fakes_fake_exit_la_LDFLAGS = $(FAKE_LDFLAGS)
tests_fakes_fake_exit_la_CPPFLAGS = $(AM_CPPFLAGS) \
	-DFAKE_NAME='"fake_exit"' \
	-DFAKE_BEGIN='_exit(0)'

check_LTLIBRARIES += tests/fakes/fake_hang.la
tests_fakes_fake_hang_la_SOURCES = tests/fakes/fake_module.c
tests_fakes_fake_hang_la_LDFLAGS = $(FAKE_LDFLAGS)
tests_fakes_fake_hang_la_CPPFLAGS = $(AM_CPPFLAGS) \
	-DFAKE_NAME='"fake_hang"' \
	-DFAKE_BEGIN='for(;;)pause()'

check_LTLIBRARIES += tests/fakes/fake_liar.la
tests_fakes_fake_liar_la_SOURCES = tests/fakes/fake_module.c
tests_fakes_fake_liar_la_LDFLAGS = $(FAKE_LDFLAGS)
tests_fakes_fake_liar_la_CPPFLAGS = $(AM_CPPFLAGS) \
	-DFAKE_NAME='"fake_honest"'

# The samples of conf.d
TESTS += tests/samples.t
dist_check_SCRIPTS += tests/samples.t

# Fuzz targets, run by tests/fuzz/run.
EXTRA_DIST += tests/fuzz/corpus
FUZZ_LINK = -fsanitize=fuzzer
if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_conf
tests_fuzz_fuzz_conf_SOURCES = tests/fuzz/fuzz_conf.c
tests_fuzz_fuzz_conf_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_fuzz_fuzz_conf_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_conf_LDADD = server/libserver.la

noinst_PROGRAMS += tests/fuzz/fuzz_elfnote
tests_fuzz_fuzz_elfnote_SOURCES = tests/fuzz/fuzz_elfnote.c
tests_fuzz_fuzz_elfnote_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_fuzz_fuzz_elfnote_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_elfnote_LDADD = server/libserver.la

noinst_PROGRAMS += tests/fuzz/fuzz_ticket
tests_fuzz_fuzz_ticket_SOURCES = tests/fuzz/fuzz_ticket.c
tests_fuzz_fuzz_ticket_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_fuzz_fuzz_ticket_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_ticket_LDADD = server/libserver.la

noinst_PROGRAMS += tests/fuzz/fuzz_pwq
tests_fuzz_fuzz_pwq_SOURCES = tests/fuzz/fuzz_pwq.c
tests_fuzz_fuzz_pwq_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_fuzz_fuzz_pwq_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_pwq_LDADD = server/libserver.la

noinst_PROGRAMS += tests/fuzz/fuzz_segment
tests_fuzz_fuzz_segment_SOURCES = tests/fuzz/fuzz_segment.c
tests_fuzz_fuzz_segment_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_segment_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_segment_LDADD = server/libserver.la

noinst_PROGRAMS += tests/fuzz/fuzz_freeze
tests_fuzz_fuzz_freeze_SOURCES = tests/fuzz/fuzz_freeze.c
tests_fuzz_fuzz_freeze_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_fuzz_fuzz_freeze_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_freeze_LDADD = server/libserver.la

noinst_PROGRAMS += tests/fuzz/fuzz_frame
tests_fuzz_fuzz_frame_SOURCES = tests/fuzz/fuzz_frame.c
tests_fuzz_fuzz_frame_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_fuzz_fuzz_frame_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_frame_LDADD = server/libserver.la

noinst_PROGRAMS += tests/fuzz/fuzz_antp_request tests/fuzz/fuzz_antp_response
tests_fuzz_fuzz_antp_request_SOURCES = tests/fuzz/fuzz_antp_request.c \
	tests/fuzz/fuzz_antp.h
tests_fuzz_fuzz_antp_request_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_fuzz_fuzz_antp_request_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_antp_request_LDADD = server/libserver.la
tests_fuzz_fuzz_antp_response_SOURCES = tests/fuzz/fuzz_antp_response.c \
	tests/fuzz/fuzz_antp.h
tests_fuzz_fuzz_antp_response_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_fuzz_fuzz_antp_response_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_antp_response_LDADD = server/libserver.la

noinst_PROGRAMS += tests/fuzz/fuzz_proxy
tests_fuzz_fuzz_proxy_SOURCES = tests/fuzz/fuzz_proxy.c
tests_fuzz_fuzz_proxy_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_fuzz_fuzz_proxy_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_proxy_LDADD = server/libserver.la
endif

# System tests: scripts with real processes; helpers beside them.
SYSTEM_TESTS = \
	tests/system/10_start.t \
	tests/system/15_stop.t \
	tests/system/20_login.t \
	tests/system/22_account.t \
	tests/system/23_mail.t \
	tests/system/25_netshell.t \
	tests/system/30_world.t \
	tests/system/35_single.t \
	tests/system/40_place.t \
	tests/system/45_antp.t \
	tests/system/46_mirror.t \
	tests/system/47_changes.t \
	tests/system/48_replica.t \
	tests/system/49_prune.t \
	tests/system/50_hostile.t \
	tests/system/60_files.t \
	tests/system/65_freeze.t \
	tests/system/65_wmqdump.t \
	tests/system/70_secrets.t
if ALL_MODULES
TESTS += $(SYSTEM_TESTS)
endif
dist_check_SCRIPTS += $(SYSTEM_TESTS) tests/system/80_install.t \
	tests/fuzz/run
EXTRA_DIST += tests/system/lib.sh tests/oot/Makefile tests/oot/skeleton.c

check_PROGRAMS += tests/system/hostile tests/system/notified
tests_system_hostile_SOURCES = tests/system/hostile.c \
	tests/system/hostile.h tests/system/wire.c tests/system/words.c
tests_system_hostile_LDADD = api/libproto.la $(PROTOBUF_C_LIBS) $(GNUTLS_LIBS)
# antpserv: a client that asks anything, and files that grow on command
check_PROGRAMS += tests/system/antp
tests_system_antp_SOURCES = tests/system/antp.c
tests_system_antp_LDADD = libmetacube.la $(GNUTLS_LIBS)
check_LTLIBRARIES += tests/fakes/files_fake.la
tests_fakes_files_fake_la_SOURCES = tests/fakes/files_fake.c
tests_fakes_files_fake_la_LDFLAGS = $(FAKE_LDFLAGS)
tests_fakes_files_fake_la_LIBADD = $(MODULE_LIBS)
check_PROGRAMS += tests/system/account_ask
tests_system_account_ask_SOURCES = tests/system/account_ask.c \
	tests/crash/asking.c tests/crash/asking.h
tests_system_account_ask_LDADD = libmetacube-client.la api/libproto.la \
	$(PROTOBUF_C_LIBS) $(GNUTLS_LIBS)
tests_system_notified_SOURCES = tests/system/notified.c

installcheck-local:
	MC_SBINDIR='$(sbindir)' MC_BINDIR='$(bindir)' MC_LIBDIR='$(libdir)' \
	MC_MODULEDIR='$(mcmoduledir)' MC_LIBEXECDIR='$(mclibexecdir)' \
	MC_DATADIR='$(mcdatadir)' MC_UNITDIR='$(systemdsystemunitdir)' \
	DESTDIR='$(DESTDIR)' \
		$(top_srcdir)/tests/system/80_install.t

if HAVE_CUNIT
check_PROGRAMS += tests/unit/test_client.t
TESTS += tests/unit/test_client.t
endif
tests_unit_test_client_t_SOURCES = tests/unit/test_client.c \
	tests/unit/client_account.c tests/unit/client_failures.c \
	tests/unit/client_world.c \
	tests/unit/client_rig.c tests/unit/client_rig.h \
	tests/unit/counterpart.c tests/unit/counterpart.h
tests_unit_test_client_t_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_client_t_LDADD = tests/libcutap.la libmetacube-client.la \
	api/libproto.la $(CUNIT_LIBS) $(GNUTLS_LIBS) $(PROTOBUF_C_LIBS) \
	-lpthread

# server/freeze*; its system calls fail when the test says so
check_PROGRAMS += $(FREEZE_TESTS)
TESTS += $(FREEZE_TESTS)
FREEZE_TESTS =
if HAVE_CUNIT
FREEZE_TESTS += tests/unit/test_freeze.t
endif
FREEZE_FILES = tests/unit/freeze_files.c tests/unit/freeze_files.h
tests_unit_test_freeze_t_SOURCES = tests/unit/test_freeze.c $(FREEZE_FILES)
tests_unit_test_freeze_t_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_freeze_t_LDADD = $(UNIT_LIBS)
tests_unit_test_freeze_t_LDFLAGS = -Wl,--wrap=pwrite -Wl,--wrap=fsync \
	-Wl,--wrap=rename -Wl,--wrap=read
FREEZE_CODEC = server/freeze.c server/freeze_file.h server/freeze_keys.c \
	server/freeze_read.c server/freeze_write.c server/pwq.c \
	server/queue/crc32c.c server/queue/segment.c

if MODULE_WMQMAINT
if HAVE_CUNIT
FREEZE_TESTS += tests/unit/test_wmqmaint.t tests/unit/test_wmqmaint_pruning.t
endif
WMQMAINT_RIG = tests/unit/wmqmaint_rig.c tests/unit/wmqmaint_rig.h \
	$(FREEZE_FILES) $(FREEZE_CODEC) $(STAGE_SOURCES) \
	$(modules_wmqmaint_la_SOURCES)
tests_unit_test_wmqmaint_t_SOURCES = tests/unit/test_wmqmaint.c \
	$(WMQMAINT_RIG)
tests_unit_test_wmqmaint_t_CPPFLAGS = $(STAGE_CPPFLAGS)
tests_unit_test_wmqmaint_t_LDADD = $(STAGE_LIBS)
tests_unit_test_wmqmaint_pruning_t_SOURCES = \
	tests/unit/test_wmqmaint_pruning.c $(WMQMAINT_RIG)
tests_unit_test_wmqmaint_pruning_t_CPPFLAGS = $(STAGE_CPPFLAGS)
tests_unit_test_wmqmaint_pruning_t_LDADD = $(STAGE_LIBS)
endif

# The account pages: their parts, in real web servers, and in a browser
if HAVE_CUNIT
check_PROGRAMS += tests/unit/test_web.t
TESTS += tests/unit/test_web.t
endif
tests_unit_test_web_t_SOURCES = tests/unit/test_web.c
tests_unit_test_web_t_CPPFLAGS = $(UNIT_CPPFLAGS) \
	-I$(top_srcdir)/tools/acctserv
tests_unit_test_web_t_LDADD = tests/libcutap.la tools/libacctserv.la \
	$(CUNIT_LIBS)
WEB_TESTS = tests/system/72_web.t tests/browser/74_browser.t
if ALL_MODULES
TESTS += $(WEB_TESTS)
endif
dist_check_SCRIPTS += $(WEB_TESTS)
EXTRA_DIST += tests/system/weblib.sh tests/browser/driver.py \
	tests/browser/story.py
check_PROGRAMS += tests/system/fake_accounts
tests_system_fake_accounts_SOURCES = tests/system/fake_accounts.c server/name.c
tests_system_fake_accounts_LDADD = api/libproto.la $(PROTOBUF_C_LIBS)

# What mirrors are tested with
check_PROGRAMS += tests/system/mirror_data
tests_system_mirror_data_SOURCES = tests/system/mirror_data.c
tests_system_mirror_data_LDADD = libmetacube.la

# modules/antpserv, on a stage
if MODULE_ANTPSERV
if HAVE_CUNIT
check_PROGRAMS += tests/unit/test_antpserv.t
TESTS += tests/unit/test_antpserv.t
endif
tests_unit_test_antpserv_t_SOURCES = tests/unit/test_antpserv.c \
	$(SERVER_ANTP) server/freeze.c server/pwq.c \
	server/queue/crc32c.c \
	$(STAGE_SOURCES) $(modules_antpserv_la_SOURCES)
tests_unit_test_antpserv_t_CPPFLAGS = $(STAGE_CPPFLAGS)
tests_unit_test_antpserv_t_LDADD = $(STAGE_LIBS)
endif

# modules/antpclnt, on a stage, over real files
if MODULE_ANTPCLNT
ANTPCLNT_TESTS = tests/unit/test_antpclnt.t
if HAVE_CUNIT
check_PROGRAMS += $(ANTPCLNT_TESTS)
TESTS += $(ANTPCLNT_TESTS)
endif
tests_unit_test_antpclnt_t_SOURCES = tests/unit/test_antpclnt.c \
	tests/unit/antpclnt_course.c tests/unit/antpclnt_disk.c \
	tests/unit/antpclnt_fetch.c tests/unit/antpclnt_server.c \
	tests/unit/antpclnt_rig.c tests/unit/antpclnt_rig.h \
	tests/unit/antpclnt_rig_server.c \
	server/freeze.c server/pwq.c $(SERVER_ANTP) \
	$(SERVER_QUEUE) $(STAGE_SOURCES) \
	$(modules_antpclnt_la_SOURCES)
tests_unit_test_antpclnt_t_CPPFLAGS = $(STAGE_CPPFLAGS) -I$(top_srcdir)
tests_unit_test_antpclnt_t_LDADD = $(STAGE_LIBS)
endif

if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_form
tests_fuzz_fuzz_form_SOURCES = tests/fuzz/fuzz_form.c
tests_fuzz_fuzz_form_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tools/acctserv
tests_fuzz_fuzz_form_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_form_LDADD = tools/libacctserv.la

if HAVE_FCGI
noinst_PROGRAMS += tests/fuzz/fuzz_fastcgi
tests_fuzz_fuzz_fastcgi_SOURCES = tests/fuzz/fuzz_fastcgi.c
tests_fuzz_fuzz_fastcgi_CPPFLAGS = $(AM_CPPFLAGS) $(FCGI_CFLAGS) \
	-I$(top_srcdir)/tools/acctserv
tests_fuzz_fuzz_fastcgi_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_fastcgi_LDADD = tools/libacctserv.la
endif
endif

# The replica on a stage
if MODULE_SERVPW
if HAVE_CUNIT
FREEZE_TESTS += tests/unit/test_servpw.t
endif
tests_unit_test_servpw_t_SOURCES = tests/unit/test_servpw.c \
	tests/unit/servpw_rig.c tests/unit/servpw_rig.h \
	modules/tcapw_mem/table.c modules/tcapw_mem/table.h \
	server/follow.c server/replica.c \
	$(FREEZE_FILES) $(FREEZE_CODEC) $(STAGE_SOURCES) \
	$(modules_servpw_la_SOURCES)
tests_unit_test_servpw_t_CPPFLAGS = $(STAGE_CPPFLAGS)
tests_unit_test_servpw_t_LDADD = $(STAGE_LIBS)
endif
