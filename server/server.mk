# SPDX-License-Identifier: MIT
#
# metacubed and libmetacube.  libserver is everything but main.c; unit tests
# link it directly, so that they reach what the library does not export.
# Each list is kept by those who work on that part.
SERVER_HOST = \
	server/call.c \
	server/calls.h \
	server/control.c \
	server/control.h \
	server/control_builtin.c \
	server/control_parts.h \
	server/control_query.c \
	server/control_socket.c \
	server/count.c \
	server/count.h \
	server/crash.c \
	server/instance.c \
	server/instance.h \
	server/log.c \
	server/log.h \
	server/loop.c \
	server/loop.h \
	server/mailbox.c \
	server/mailbox.h \
	server/memory.c \
	server/notify.c \
	server/notify.h \
	server/op.c \
	server/op.h \
	server/privilege.c \
	server/privilege.h \
	server/process.c \
	server/process.h \
	server/reload.c \
	server/signals.c \
	server/signals.h \
	server/timer.c \
	server/timer.h \
	server/work.c \
	server/work.h

SERVER_CONF = \
	server/command.c \
	server/command.h \
	server/conf.c \
	server/conf.h \
	server/conf_file.c \
	server/conf_file.h \
	server/conf_instance.c \
	server/conf_instance.h \
	server/conf_scan.c \
	server/conf_scan.h \
	server/describe.c \
	server/describe.h \
	server/describe_set.c \
	server/descriptor.c \
	server/descriptor.h \
	server/elfnote.c \
	server/elfnote.h \
	server/embed.c \
	server/embed.h \
	server/errors.c \
	server/errors.h \
	server/graph.c \
	server/graph.h \
	server/keys.c \
	server/keys.h \
	server/loader.c \
	server/loader.h \
	server/process_conf.c \
	server/process_conf.h \
	server/secret.c \
	server/secret.h \
	server/value.c \
	server/value.h

SERVER_PUMP = \
	server/acceptor.c \
	server/arena.c \
	server/arena.h \
	server/bind.c \
	server/conn.c \
	server/conn.h \
	server/conn_in.c \
	server/conn_io.c \
	server/conn_out.c \
	server/conn_tls.c \
	server/endpoint.c \
	server/endpoint.h \
	server/flood.c \
	server/flood.h \
	server/frame.c \
	server/frame.h \
	server/identity.c \
	server/io.c \
	server/io.h \
	server/limit.c \
	server/limit.h \
	server/link.c \
	server/listen.c \
	server/listen.h \
	server/peer.c \
	server/proxy.c \
	server/proxy.h \
	server/pump.c \
	server/pump.h \
	server/stream.c \
	server/tls.c \
	server/tls.h \
	server/wheel.c \
	server/wheel.h

SERVER_CODECS = \
	server/account.c \
	server/follow.c \
	server/freeze.c \
	server/freeze_file.h \
	server/freeze_keys.c \
	server/freeze_read.c \
	server/freeze_write.c \
	server/mail.c \
	server/name.c \
	server/penalty.c \
	server/pwq.c \
	server/replica.c \
	server/text.c \
	server/ticket.c

# The heads of ANTP/1.0.
SERVER_ANTP = \
	server/antp/head.c \
	server/antp/head.h \
	server/antp/names.c \
	server/antp/request.c \
	server/antp/response.c

# The message queue in files.
SERVER_QUEUE = \
	server/queue/commit.c \
	server/queue/crc32c.c \
	server/queue/epoch.c \
	server/queue/files.c \
	server/queue/folder.c \
	server/queue/folder.h \
	server/queue/io.c \
	server/queue/mirror.c \
	server/queue/read.c \
	server/queue/recover.c \
	server/queue/segment.c \
	server/queue/shown.c

SERVER_LIBS = $(GNUTLS_LIBS) $(LIBEVENT_LIBS) $(LIBCONFIG_LIBS) \
	$(PROTOBUF_C_LIBS) -lpthread -ldl

# Visible within the tree; what the library exports is said below.
noinst_LTLIBRARIES += server/libserver.la
server_libserver_la_SOURCES = $(SERVER_HOST) $(SERVER_CONF) $(SERVER_PUMP) \
	$(SERVER_ANTP) $(SERVER_QUEUE) $(SERVER_CODECS)
server_libserver_la_CFLAGS = $(AM_CFLAGS) -fvisibility=default
server_libserver_la_LIBADD = api/libproto.la $(SERVER_LIBS)

# Programs that load modules link this one and never libserver, or there
# would be two hosts in one process.
# The symbols metacubed_* are for metacubed and metacube-contract; they are
# in no installed header.
lib_LTLIBRARIES += libmetacube.la
libmetacube_la_SOURCES =
libmetacube_la_LIBADD = server/libserver.la
libmetacube_la_LDFLAGS = -version-info 1:0:0 -no-undefined \
	-export-symbols-regex '^(mc_|pwq_|ticket_|queue_|segment_|freeze_|antp_|metacube__|metacubed_)'

sbin_PROGRAMS += metacubed
metacubed_SOURCES = server/main.c
metacubed_LDADD = libmetacube.la

dist_man_MANS += server/metacubed.8 server/metacube.conf.5

# For systemd, with the paths of this installation; beside the other samples,
# unless configure was told where systemd looks.
nodist_systemdsystemunit_DATA = server/metacubed.service
CLEANFILES += $(nodist_systemdsystemunit_DATA)
EXTRA_DIST += server/metacubed.service.in
server/metacubed.service: server/metacubed.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) server && \
	sed -e 's,@''SBIN_DIR@,$(sbindir),g' -e 's,@''BIN_DIR@,$(bindir),g' \
		-e 's,@''SYSCONF_DIR@,$(mcsysconfdir),g' $< >$@
