# SPDX-License-Identifier: MIT
EXTRA_DIST += modules/auth_password/README.md

if MODULE_AUTH_PASSWORD
mcmodule_LTLIBRARIES += modules/auth_password.la
modules_auth_password_la_SOURCES = \
	modules/auth_password/attempt.c \
	modules/auth_password/attempt.h \
	modules/auth_password/auth_password.c \
	modules/auth_password/check.c \
	modules/auth_password/check.h \
	modules/auth_password/renew.c
modules_auth_password_la_LDFLAGS = $(MODULE_LDFLAGS)
modules_auth_password_la_LIBADD = $(MODULE_LIBS) $(CRYPT_LIBS)
endif
