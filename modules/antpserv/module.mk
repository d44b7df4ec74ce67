# SPDX-License-Identifier: MIT
EXTRA_DIST += modules/antpserv/README.md

if MODULE_ANTPSERV
mcmodule_LTLIBRARIES += modules/antpserv.la
modules_antpserv_la_SOURCES = \
	modules/antpserv/antpserv.c \
	modules/antpserv/antpserv.h \
	modules/antpserv/registry.c \
	modules/antpserv/replicas.c \
	modules/antpserv/session.c \
	modules/antpserv/transfer.c
modules_antpserv_la_LDFLAGS = $(MODULE_LDFLAGS)
modules_antpserv_la_LIBADD = $(MODULE_LIBS)
endif
