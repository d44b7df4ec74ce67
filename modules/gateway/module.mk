# SPDX-License-Identifier: MIT
EXTRA_DIST += modules/gateway/README.md

if MODULE_GATEWAY
mcmodule_LTLIBRARIES += modules/gateway.la
modules_gateway_la_SOURCES = \
	modules/gateway/change.c \
	modules/gateway/gateway.c \
	modules/gateway/news.c \
	modules/gateway/question.c \
	modules/gateway/review.c \
	modules/gateway/session.c \
	modules/gateway/session.h
modules_gateway_la_LDFLAGS = $(MODULE_LDFLAGS)
modules_gateway_la_LIBADD = $(MODULE_LIBS)
endif
