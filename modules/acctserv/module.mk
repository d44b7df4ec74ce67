# SPDX-License-Identifier: MIT
EXTRA_DIST += modules/acctserv/README.md

if MODULE_ACCTSERV
mcmodule_LTLIBRARIES += modules/acctserv.la
modules_acctserv_la_SOURCES = \
	modules/acctserv/acctserv.c \
	modules/acctserv/acctserv.h \
	modules/acctserv/answers.c \
	modules/acctserv/audit.c \
	modules/acctserv/audit.h \
	modules/acctserv/change.c \
	modules/acctserv/change.h \
	modules/acctserv/commands.c \
	modules/acctserv/export.c \
	modules/acctserv/guard.c \
	modules/acctserv/history.c \
	modules/acctserv/letter.c \
	modules/acctserv/list.c \
	modules/acctserv/listen.c \
	modules/acctserv/names.c \
	modules/acctserv/requests.c \
	modules/acctserv/show.c \
	modules/acctserv/turns.c \
	modules/acctserv/verbs.c \
	modules/acctserv/verifier.c
modules_acctserv_la_LDFLAGS = $(MODULE_LDFLAGS)
modules_acctserv_la_LIBADD = $(MODULE_LIBS) $(CRYPT_LIBS) $(GNUTLS_LIBS)
endif
