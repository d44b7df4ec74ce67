# SPDX-License-Identifier: MIT
#
# The conformance kit: installed, so that others run it on their modules.
bin_PROGRAMS += metacube-contract
dist_man_MANS += tests/contract/metacube-contract.1
metacube_contract_SOURCES = \
	tests/contract/account.c \
	tests/contract/auth.c \
	tests/contract/contract.c \
	tests/contract/contract.h \
	tests/contract/freeze.c \
	tests/contract/frame.c \
	tests/contract/frame.h \
	tests/contract/mail.c \
	tests/contract/mirror.c \
	tests/contract/replica.c \
	tests/contract/taskmaster.c \
	tests/contract/tcapw.c \
	tests/contract/tcapw_load.c \
	tests/contract/tcapw_store.c \
	tests/contract/tcapw_store.h \
	tests/contract/wmq.c \
	tests/contract/wmqfile.c
metacube_contract_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
metacube_contract_LDADD = libmetacube.la -lpthread

CONTRACT_TESTS =
if ALL_MODULES
CONTRACT_TESTS += tests/contract/taskmaster.t
endif
if MODULE_AUTH_PASSWORD
CONTRACT_TESTS += tests/contract/auth_password.t
endif
if MODULE_TCAPW_GDBM
CONTRACT_TESTS += tests/contract/tcapw_gdbm.t
endif
if MODULE_TCAPW_MEM
CONTRACT_TESTS += tests/contract/tcapw_mem.t
endif
if MODULE_WMQ_FILE
CONTRACT_TESTS += tests/contract/wmq_file.t tests/contract/wmqfile_file.t
endif
if MODULE_WMQMAINT
if MODULE_TCAPW_GDBM
if MODULE_WMQ_FILE
CONTRACT_TESTS += tests/contract/freeze_wmqmaint.t
endif
endif
endif
if MODULE_SERVPW
if MODULE_WMQMAINT
if MODULE_WMQ_FILE
if MODULE_TCAPW_MEM
CONTRACT_TESTS += tests/contract/replica_servpw.t
endif
endif
endif
endif
if ALL_MODULES
CONTRACT_TESTS += tests/contract/account_acctserv.t \
	tests/contract/account_remote.t tests/contract/mail_sendmail.t \
	tests/contract/mirror_antpclnt.t tests/contract/replicas_antpserv.t \
	tests/contract/wmqfile_antpclnt.t
endif
TESTS += $(CONTRACT_TESTS)
dist_check_SCRIPTS += tests/contract/run \
	tests/contract/account_acctserv.t \
	tests/contract/account_remote.t \
	tests/contract/wmqfile_antpclnt.t \
	tests/contract/auth_password.t \
	tests/contract/freeze_wmqmaint.t \
	tests/contract/mail_sendmail.t \
	tests/contract/mirror_antpclnt.t \
	tests/contract/replica_servpw.t \
	tests/contract/replicas_antpserv.t \
	tests/contract/taskmaster.t \
	tests/contract/tcapw_gdbm.t \
	tests/contract/tcapw_mem.t \
	tests/contract/wmq_file.t \
	tests/contract/wmqfile_file.t
EXTRA_DIST += \
	tests/contract/conf/auth_password.conf \
	tests/contract/conf/tcapw_gdbm.conf \
	tests/contract/conf/tcapw_mem.conf \
	tests/contract/conf/wmq_file.conf
