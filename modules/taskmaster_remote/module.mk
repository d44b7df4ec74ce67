# SPDX-License-Identifier: MIT
EXTRA_DIST += modules/taskmaster_remote/README.md

if MODULE_TASKMASTER_REMOTE
mcmodule_LTLIBRARIES += modules/taskmaster_remote.la
modules_taskmaster_remote_la_SOURCES = \
	modules/taskmaster_remote/taskmaster_remote.c \
	modules/taskmaster_remote/taskmaster_remote.h \
	modules/taskmaster_remote/wire.c
modules_taskmaster_remote_la_LDFLAGS = $(MODULE_LDFLAGS)
modules_taskmaster_remote_la_LIBADD = $(MODULE_LIBS)
endif
