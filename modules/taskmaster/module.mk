if MODULE_TASKMASTER
mcmodule_LTLIBRARIES += modules/taskmaster.la
modules_taskmaster_la_SOURCES = modules/taskmaster/taskmaster.c
modules_taskmaster_la_LDFLAGS = $(MODULE_LDFLAGS)
modules_taskmaster_la_LIBADD = $(MODULE_LIBS)
endif
