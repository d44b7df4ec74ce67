# SPDX-License-Identifier: MIT

# For the demo: people who are not there.
noinst_PROGRAMS += tools/bots
tools_bots_SOURCES = tools/bots.c
tools_bots_LDADD = libmetacube-client.la
dist_noinst_SCRIPTS += tools/setup tools/demo tools/check tools/campaign \
	.ci/run
EXTRA_DIST += tools/lib/network.sh tools/lib/web.sh

# Tests make their certificates with it, too.
PKI = tools/pki.c tools/pki.h tools/pki_certificate.c tools/pki_files.c

bin_PROGRAMS += metacubectl
dist_man_MANS += tools/metacubectl.1
metacubectl_SOURCES = tools/metacubectl.c tools/ctl.h tools/ctl_password.c \
	tools/ctl_print.c tools/ctl_socket.c $(PKI)
metacubectl_LDADD = libmetacube-client.la api/libproto.la $(GNUTLS_LIBS) \
	$(PROTOBUF_C_LIBS)

bin_PROGRAMS += metacube-netshell
dist_man_MANS += tools/metacube-netshell.1
metacube_netshell_SOURCES = tools/netshell.c tools/netshell/account.c \
	tools/netshell/commands.c \
	tools/netshell/events.c tools/netshell/look.c \
	tools/netshell/password.c tools/netshell/shell.c \
	tools/netshell/shell.h tools/netshell/terminal.c \
	tools/netshell/terminal.h
metacube_netshell_CFLAGS = $(AM_CFLAGS) $(LIBEDIT_CFLAGS)
metacube_netshell_LDADD = libmetacube-client.la $(LIBEDIT_LIBS) -lm

# acctserv.cgi: everything but its main is also in a library, for tests.  Needs
# no library of MetaCube, so that it can be copied where web servers want it.
ACCTSERV_CGI = tools/acctserv/backend.c tools/acctserv/backend.h \
	tools/acctserv/cgi.c tools/acctserv/field.c tools/acctserv/field.h \
	tools/acctserv/form.c tools/acctserv/form.h tools/acctserv/html.c \
	tools/acctserv/html.h tools/acctserv/rate.c tools/acctserv/rate.h \
	tools/acctserv/page.c tools/acctserv/page.h tools/acctserv/paint.c \
	tools/acctserv/reply.c tools/acctserv/reply.h \
	tools/acctserv/request.c tools/acctserv/request.h \
	tools/acctserv/site.c tools/acctserv/site.h tools/acctserv/text.c \
	tools/acctserv/text.h tools/acctserv/texts.h tools/acctserv/token.c \
	tools/acctserv/token.h client/proof.c server/mail.c server/name.c
if HAVE_FCGI
ACCTSERV_CGI += tools/acctserv/fastcgi.c tools/acctserv/fastcgi.h
endif
noinst_LTLIBRARIES += tools/libacctserv.la
tools_libacctserv_la_SOURCES = $(ACCTSERV_CGI)
nodist_tools_libacctserv_la_SOURCES = tools/acctserv/style.h
tools_libacctserv_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tools/acctserv \
	-Itools/acctserv $(FCGI_CFLAGS)
tools_libacctserv_la_LIBADD = api/libproto.la \
	$(GNUTLS_LIBS) $(PROTOBUF_C_LIBS) $(FCGI_LIBS)

mclibexec_PROGRAMS += tools/acctserv.cgi
dist_man_MANS += tools/acctserv.cgi.8
tools_acctserv_cgi_SOURCES = tools/acctserv/main.c
tools_acctserv_cgi_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tools/acctserv
tools_acctserv_cgi_LDADD = tools/libacctserv.la

# The style sheet is part of the program.
BUILT_SOURCES += tools/acctserv/style.h
CLEANFILES += tools/acctserv/style.h
tools/acctserv/style.h: tools/acctserv/style.css
	$(AM_V_GEN)$(MKDIR_P) tools/acctserv && { \
		echo 'static const char style_css[] ='; \
		sed -e 's/\\/\\\\/g; s/"/\\"/g; s/^[	]*/"/; s/$$/\\n"/' \
			$(srcdir)/tools/acctserv/style.css; \
		echo ';'; \
	} >$@

# Samples for web servers, with the paths of this installation.
acctservdir = $(mcdatadir)/web
nodist_acctserv_DATA = tools/acctserv/apache.conf \
	tools/acctserv/lighttpd.conf tools/acctserv/nginx.conf
CLEANFILES += $(nodist_acctserv_DATA)
tools/acctserv/%.conf: tools/acctserv/%.conf.in
	$(AM_V_GEN)$(MKDIR_P) tools/acctserv && \
	sed -e 's,@mclibexecdir@,$(mclibexecdir),g' \
		-e 's,@mcrundir@,$(mcrundir),g' \
		-e 's,@mcsysconfdir@,$(mcsysconfdir),g' $< >$@
EXTRA_DIST += $(nodist_acctserv_DATA:=.in)
EXTRA_DIST += tools/acctserv/README.md tools/acctserv/style.css

# What it does without a server is what the module does.
sbin_PROGRAMS += metacube-wmqmaint
dist_man_MANS += tools/metacube-wmqmaint.8
metacube_wmqmaint_SOURCES = tools/wmqmaint.c tools/wmqmaint/epoch.c \
	tools/wmqmaint/files.c tools/wmqmaint/wmqmaint.h tools/ctl.h \
	tools/ctl_print.c tools/ctl_socket.c \
	modules/wmqmaint/changes.c modules/wmqmaint/changes.h \
	modules/wmqmaint/merge.c modules/wmqmaint/merge.h
metacube_wmqmaint_CFLAGS = $(AM_CFLAGS)
metacube_wmqmaint_LDADD = libmetacube.la api/libproto.la $(PROTOBUF_C_LIBS)

bin_PROGRAMS += metacube-wmqdump
dist_man_MANS += tools/metacube-wmqdump.1
metacube_wmqdump_SOURCES = tools/wmqdump.c tools/wmqdump/audit.c \
	tools/wmqdump/audit.h tools/wmqdump/print.c \
	tools/wmqdump/print.h
metacube_wmqdump_LDADD = libmetacube.la $(PROTOBUF_C_LIBS)

if MODULE_ANTPCLNT
bin_PROGRAMS += metacube-antpclnt
dist_man_MANS += tools/metacube-antpclnt.1
metacube_antpclnt_SOURCES = tools/antpclnt.c
metacube_antpclnt_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
metacube_antpclnt_LDADD = libmetacube.la
endif
