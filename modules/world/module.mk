# SPDX-License-Identifier: MIT
EXTRA_DIST += modules/world/README.md

if MODULE_WORLD
mcmodule_LTLIBRARIES += modules/world.la
modules_world_la_SOURCES = \
	modules/world/arrive.c \
	modules/world/avatar.c \
	modules/world/change.c \
	modules/world/copy.c \
	modules/world/link.c modules/world/link.h \
	modules/world/map.c modules/world/map.h \
	modules/world/question.c \
	modules/world/rate.h \
	modules/world/register.c \
	modules/world/session.c \
	modules/world/sim.c modules/world/sim.h \
	modules/world/source.c modules/world/source.h \
	modules/world/stock.c modules/world/stock.h \
	modules/world/terrain.c modules/world/terrain.h \
	modules/world/tickets.c modules/world/tickets.h \
	modules/world/view.c \
	modules/world/world.c modules/world/world.h
modules_world_la_CPPFLAGS = $(AM_CPPFLAGS) $(PNG_CFLAGS)
modules_world_la_LDFLAGS = $(MODULE_LDFLAGS)
modules_world_la_LIBADD = $(MODULE_LIBS) $(LIBCONFIG_LIBS) $(PNG_LIBS) -lm
endif
