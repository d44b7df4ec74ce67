# SPDX-License-Identifier: MIT
EXTRA_DIST += modules/servpw/README.md

if MODULE_SERVPW
mcmodule_LTLIBRARIES += modules/servpw.la
modules_servpw_la_SOURCES = \
	modules/servpw/commands.c \
	modules/servpw/compare.c \
	modules/servpw/resync.c \
	modules/servpw/servpw.c \
	modules/servpw/servpw.h \
	modules/servpw/thaw.c
modules_servpw_la_LDFLAGS = $(MODULE_LDFLAGS)
modules_servpw_la_LIBADD = $(MODULE_LIBS)
endif
