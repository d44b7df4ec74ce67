# SPDX-License-Identifier: MIT

# For the demo: people who are not there.
noinst_PROGRAMS += tools/bots
tools_bots_SOURCES = tools/bots.c
tools_bots_LDADD = libmetacube-client.la
dist_noinst_SCRIPTS += tools/setup tools/demo tools/check tools/campaign \
	.ci/run
EXTRA_DIST += tools/lib/network.sh

bin_PROGRAMS += metacubectl
dist_man_MANS += tools/metacubectl.1
metacubectl_SOURCES = tools/metacubectl.c tools/ctl.h tools/ctl_password.c \
	tools/ctl_print.c tools/ctl_socket.c tools/pki.c
metacubectl_LDADD = libmetacube-client.la api/libproto.la $(GNUTLS_LIBS) \
	$(PROTOBUF_C_LIBS)

bin_PROGRAMS += metacube-netshell
dist_man_MANS += tools/metacube-netshell.1
metacube_netshell_SOURCES = tools/netshell.c tools/netshell/commands.c \
	tools/netshell/events.c tools/netshell/look.c \
	tools/netshell/password.c tools/netshell/shell.c \
	tools/netshell/shell.h tools/netshell/terminal.c \
	tools/netshell/terminal.h
metacube_netshell_CFLAGS = $(AM_CFLAGS) $(LIBEDIT_CFLAGS)
metacube_netshell_LDADD = libmetacube-client.la $(LIBEDIT_LIBS) -lm
