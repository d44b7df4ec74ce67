if MODULE_WORLD
mcmodule_LTLIBRARIES += modules/world.la
modules_world_la_SOURCES = modules/world/world.c
modules_world_la_LDFLAGS = $(MODULE_LDFLAGS)
modules_world_la_LIBADD = $(MODULE_LIBS) $(PNG_LIBS) -lm
endif
