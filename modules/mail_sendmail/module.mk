# SPDX-License-Identifier: MIT
EXTRA_DIST += modules/mail_sendmail/README.md

if MODULE_MAIL_SENDMAIL
mcmodule_LTLIBRARIES += modules/mail_sendmail.la
modules_mail_sendmail_la_SOURCES = \
	modules/mail_sendmail/child.c \
	modules/mail_sendmail/delivery.c \
	modules/mail_sendmail/mail_sendmail.c \
	modules/mail_sendmail/mail_sendmail.h \
	modules/mail_sendmail/message.c \
	modules/mail_sendmail/sender.h \
	modules/mail_sendmail/spool.c
modules_mail_sendmail_la_LDFLAGS = $(MODULE_LDFLAGS)
modules_mail_sendmail_la_LIBADD = $(MODULE_LIBS)
endif
