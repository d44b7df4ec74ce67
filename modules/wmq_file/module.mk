# SPDX-License-Identifier: MIT
WMQ_FILE_QUEUE = \
	modules/wmq_file/crc32c.c \
	modules/wmq_file/folder.c \
	modules/wmq_file/folder.h \
	modules/wmq_file/io.h \
	modules/wmq_file/queue.c \
	modules/wmq_file/queue.h \
	modules/wmq_file/read.c \
	modules/wmq_file/recover.c \
	modules/wmq_file/segment.c \
	modules/wmq_file/segment.h

EXTRA_DIST += modules/wmq_file/README.md

if MODULE_WMQ_FILE
mcmodule_LTLIBRARIES += modules/wmq_file.la
modules_wmq_file_la_SOURCES = modules/wmq_file/wmq_file.c \
	modules/wmq_file/io.c $(WMQ_FILE_QUEUE)
modules_wmq_file_la_LDFLAGS = $(MODULE_LDFLAGS)
modules_wmq_file_la_LIBADD = $(MODULE_LIBS) $(GNUTLS_LIBS)
endif
