# SPDX-License-Identifier: MIT
EXTRA_DIST += modules/taskmaster/README.md

if MODULE_TASKMASTER
mcmodule_LTLIBRARIES += modules/taskmaster.la
modules_taskmaster_la_SOURCES = \
	modules/taskmaster/catalogue.c \
	modules/taskmaster/catalogue.h \
	modules/taskmaster/commands.c \
	modules/taskmaster/evict.c \
	modules/taskmaster/heap.c \
	modules/taskmaster/heap.h \
	modules/taskmaster/links.c \
	modules/taskmaster/placement.c \
	modules/taskmaster/placement.h \
	modules/taskmaster/players.c \
	modules/taskmaster/register.c \
	modules/taskmaster/requests.c \
	modules/taskmaster/table.c \
	modules/taskmaster/table.h \
	modules/taskmaster/taskmaster.c \
	modules/taskmaster/taskmaster.h \
	modules/taskmaster/worlds.c
modules_taskmaster_la_LDFLAGS = $(MODULE_LDFLAGS)
modules_taskmaster_la_LIBADD = $(MODULE_LIBS)
endif
