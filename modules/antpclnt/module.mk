# SPDX-License-Identifier: MIT
EXTRA_DIST += modules/antpclnt/README.md

if MODULE_ANTPCLNT
mcmodule_LTLIBRARIES += modules/antpclnt.la
modules_antpclnt_la_SOURCES = \
	modules/antpclnt/antpclnt.c \
	modules/antpclnt/client.h \
	modules/antpclnt/course.c \
	modules/antpclnt/course.h \
	modules/antpclnt/course_answer.c \
	modules/antpclnt/course_parts.h \
	modules/antpclnt/disk.c \
	modules/antpclnt/disk_freeze.c \
	modules/antpclnt/disk.h \
	modules/antpclnt/disk_parts.h \
	modules/antpclnt/files.c \
	modules/antpclnt/line.c \
	modules/antpclnt/pieces.c \
	modules/antpclnt/readers.c \
	modules/antpclnt/servers.c \
	modules/antpclnt/state.c
modules_antpclnt_la_LDFLAGS = $(MODULE_LDFLAGS)
modules_antpclnt_la_LIBADD = $(MODULE_LIBS)
endif
