# SPDX-License-Identifier: MIT
EXTRA_DIST += modules/account_remote/README.md

if MODULE_ACCOUNT_REMOTE
mcmodule_LTLIBRARIES += modules/account_remote.la
modules_account_remote_la_SOURCES = modules/account_remote/account_remote.c
modules_account_remote_la_LDFLAGS = $(MODULE_LDFLAGS)
modules_account_remote_la_LIBADD = $(MODULE_LIBS)
endif
