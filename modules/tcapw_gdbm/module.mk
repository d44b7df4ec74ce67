# SPDX-License-Identifier: MIT
EXTRA_DIST += modules/tcapw_gdbm/README.md

if MODULE_TCAPW_GDBM
mcmodule_LTLIBRARIES += modules/tcapw_gdbm.la
modules_tcapw_gdbm_la_SOURCES = \
	modules/tcapw_gdbm/clean.c \
	modules/tcapw_gdbm/clean.h \
	modules/tcapw_gdbm/load.c \
	modules/tcapw_gdbm/load.h \
	modules/tcapw_gdbm/store.c \
	modules/tcapw_gdbm/store.h \
	modules/tcapw_gdbm/store_list.c \
	modules/tcapw_gdbm/store_load.c \
	modules/tcapw_gdbm/store_parts.h \
	modules/tcapw_gdbm/tcapw_gdbm.c
modules_tcapw_gdbm_la_LDFLAGS = $(MODULE_LDFLAGS)
modules_tcapw_gdbm_la_LIBADD = $(MODULE_LIBS) $(GDBM_LIBS) $(GNUTLS_LIBS)
endif
