# SPDX-License-Identifier: MIT
EXTRA_DIST += modules/wmqmaint/README.md

if MODULE_WMQMAINT
mcmodule_LTLIBRARIES += modules/wmqmaint.la
modules_wmqmaint_la_SOURCES = modules/wmqmaint/wmqmaint.c
modules_wmqmaint_la_LDFLAGS = $(MODULE_LDFLAGS)
modules_wmqmaint_la_LIBADD = $(MODULE_LIBS)
endif
