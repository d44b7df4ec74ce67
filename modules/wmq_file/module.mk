# SPDX-License-Identifier: MIT
EXTRA_DIST += modules/wmq_file/README.md

if MODULE_WMQ_FILE
mcmodule_LTLIBRARIES += modules/wmq_file.la
modules_wmq_file_la_SOURCES = modules/wmq_file/files.c \
	modules/wmq_file/wmq_file.c modules/wmq_file/wmq_file.h
modules_wmq_file_la_LDFLAGS = $(MODULE_LDFLAGS)
modules_wmq_file_la_LIBADD = $(MODULE_LIBS)
endif
