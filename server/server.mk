# metacubed and libmetacube.  libserver is everything but main.c; unit tests
# link it directly, so that they reach what the library does not export.
# Each list is kept by those who work on that part.
SERVER_HOST = \
	server/loop.c \
	server/loop.h \
	server/mailbox.c \
	server/mailbox.h \
	server/process.h

SERVER_CONF =

SERVER_PUMP = \
	server/pump.h

SERVER_CODECS = \
	server/name.c \
	server/pwq.c \
	server/ticket.c

SERVER_LIBS = $(GNUTLS_LIBS) $(LIBEVENT_LIBS) $(LIBCONFIG_LIBS) \
	$(PROTOBUF_C_LIBS) -lpthread -ldl

# Visible within the tree; what the library exports is said below.
noinst_LTLIBRARIES += server/libserver.la
server_libserver_la_SOURCES = $(SERVER_HOST) $(SERVER_CONF) $(SERVER_PUMP) \
	$(SERVER_CODECS)
server_libserver_la_CFLAGS = $(AM_CFLAGS) -fvisibility=default
server_libserver_la_LIBADD = api/libproto.la $(SERVER_LIBS)

# Programs that load modules link this one and never libserver, or there
# would be two hosts in one process.
lib_LTLIBRARIES += libmetacube.la
libmetacube_la_SOURCES =
libmetacube_la_LIBADD = server/libserver.la
libmetacube_la_LDFLAGS = -version-info 1:0:0 -no-undefined \
	-export-symbols-regex '^(mc_|pwq_|ticket_|metacube__|metacubed_)'

sbin_PROGRAMS += metacubed
metacubed_SOURCES = server/main.c
metacubed_LDADD = libmetacube.la
