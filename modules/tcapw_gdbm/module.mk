if MODULE_TCAPW_GDBM
mcmodule_LTLIBRARIES += modules/tcapw_gdbm.la
modules_tcapw_gdbm_la_SOURCES = modules/tcapw_gdbm/tcapw_gdbm.c
modules_tcapw_gdbm_la_LDFLAGS = $(MODULE_LDFLAGS)
modules_tcapw_gdbm_la_LIBADD = $(MODULE_LIBS) $(GDBM_LIBS)
endif
