# SPDX-License-Identifier: MIT
EXTRA_DIST += modules/acctserv/README.md

if MODULE_ACCTSERV
mcmodule_LTLIBRARIES += modules/acctserv.la
modules_acctserv_la_SOURCES = \
	modules/acctserv/acctserv.c \
	modules/acctserv/acctserv.h \
	modules/acctserv/change.c \
	modules/acctserv/show.c \
	modules/acctserv/verifier.c
modules_acctserv_la_LDFLAGS = $(MODULE_LDFLAGS)
modules_acctserv_la_LIBADD = $(MODULE_LIBS) $(CRYPT_LIBS)
endif
