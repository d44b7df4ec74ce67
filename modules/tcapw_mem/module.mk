# SPDX-License-Identifier: MIT
EXTRA_DIST += modules/tcapw_mem/README.md

if MODULE_TCAPW_MEM
mcmodule_LTLIBRARIES += modules/tcapw_mem.la
modules_tcapw_mem_la_SOURCES = \
	modules/tcapw_mem/table.c \
	modules/tcapw_mem/table.h \
	modules/tcapw_mem/tcapw_mem.c
modules_tcapw_mem_la_LDFLAGS = $(MODULE_LDFLAGS)
modules_tcapw_mem_la_LIBADD = $(MODULE_LIBS)
endif
