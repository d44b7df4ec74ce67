# SPDX-License-Identifier: MIT
EXTRA_DIST += modules/antpclnt/README.md

if MODULE_ANTPCLNT
mcmodule_LTLIBRARIES += modules/antpclnt.la
modules_antpclnt_la_SOURCES = modules/antpclnt/antpclnt.c
modules_antpclnt_la_LDFLAGS = $(MODULE_LDFLAGS)
modules_antpclnt_la_LIBADD = $(MODULE_LIBS)
endif
