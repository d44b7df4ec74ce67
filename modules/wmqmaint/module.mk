# SPDX-License-Identifier: MIT
EXTRA_DIST += modules/wmqmaint/README.md

if MODULE_WMQMAINT
mcmodule_LTLIBRARIES += modules/wmqmaint.la
modules_wmqmaint_la_SOURCES = \
	modules/wmqmaint/changes.c \
	modules/wmqmaint/changes.h \
	modules/wmqmaint/commands.c \
	modules/wmqmaint/freezing.c \
	modules/wmqmaint/merge.c \
	modules/wmqmaint/merge.h \
	modules/wmqmaint/pruning.c \
	modules/wmqmaint/schedule.c \
	modules/wmqmaint/thawing.c \
	modules/wmqmaint/wmqmaint.c \
	modules/wmqmaint/wmqmaint.h
modules_wmqmaint_la_LDFLAGS = $(MODULE_LDFLAGS)
modules_wmqmaint_la_LIBADD = $(MODULE_LIBS)
endif
