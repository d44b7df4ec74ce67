if MODULE_ACCTSERV
mcmodule_LTLIBRARIES += modules/acctserv.la
modules_acctserv_la_SOURCES = modules/acctserv/acctserv.c
modules_acctserv_la_LDFLAGS = $(MODULE_LDFLAGS)
modules_acctserv_la_LIBADD = $(MODULE_LIBS)
endif
