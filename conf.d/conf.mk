# SPDX-License-Identifier: MIT
#
# Sample files: one for each module, and that of the host.  They are made by
# metacubed --describe MODULE --format=conf from the keys in the module's
# source; what is kept here is the same with the folders left open.  A test
# compares, "make update-samples" writes them anew.
SAMPLES =
SAMPLE_MANS =
EXTRA_DIST += conf.d/metacubed.conf.in \
	conf.d/account_remote.conf.in \
	conf.d/acctserv.conf.in \
	conf.d/antpclnt.conf.in \
	conf.d/antpserv.conf.in \
	conf.d/auth_password.conf.in \
	conf.d/gateway.conf.in \
	conf.d/mail_sendmail.conf.in \
	conf.d/servpw.conf.in \
	conf.d/taskmaster.conf.in \
	conf.d/taskmaster_remote.conf.in \
	conf.d/tcapw_gdbm.conf.in \
	conf.d/tcapw_mem.conf.in \
	conf.d/wmq_file.conf.in \
	conf.d/wmqmaint.conf.in \
	conf.d/world.conf.in

if MODULE_ACCOUNT_REMOTE
SAMPLES += conf.d/account_remote.conf
SAMPLE_MANS += man/metacube-account_remote.5
endif
if MODULE_ACCTSERV
SAMPLES += conf.d/acctserv.conf
SAMPLE_MANS += man/metacube-acctserv.5
endif
if MODULE_ANTPCLNT
SAMPLES += conf.d/antpclnt.conf
SAMPLE_MANS += man/metacube-antpclnt.5
endif
if MODULE_ANTPSERV
SAMPLES += conf.d/antpserv.conf
SAMPLE_MANS += man/metacube-antpserv.5
endif
if MODULE_AUTH_PASSWORD
SAMPLES += conf.d/auth_password.conf
SAMPLE_MANS += man/metacube-auth_password.5
endif
if MODULE_GATEWAY
SAMPLES += conf.d/gateway.conf
SAMPLE_MANS += man/metacube-gateway.5
endif
if MODULE_MAIL_SENDMAIL
SAMPLES += conf.d/mail_sendmail.conf
SAMPLE_MANS += man/metacube-mail_sendmail.5
endif
if MODULE_SERVPW
SAMPLES += conf.d/servpw.conf
SAMPLE_MANS += man/metacube-servpw.5
endif
if MODULE_TASKMASTER
SAMPLES += conf.d/taskmaster.conf
SAMPLE_MANS += man/metacube-taskmaster.5
endif
if MODULE_TASKMASTER_REMOTE
SAMPLES += conf.d/taskmaster_remote.conf
SAMPLE_MANS += man/metacube-taskmaster_remote.5
endif
if MODULE_TCAPW_GDBM
SAMPLES += conf.d/tcapw_gdbm.conf
SAMPLE_MANS += man/metacube-tcapw_gdbm.5
endif
if MODULE_TCAPW_MEM
SAMPLES += conf.d/tcapw_mem.conf
SAMPLE_MANS += man/metacube-tcapw_mem.5
endif
if MODULE_WMQ_FILE
SAMPLES += conf.d/wmq_file.conf
SAMPLE_MANS += man/metacube-wmq_file.5
endif
if MODULE_WMQMAINT
SAMPLES += conf.d/wmqmaint.conf
SAMPLE_MANS += man/metacube-wmqmaint.5
endif
if MODULE_WORLD
SAMPLES += conf.d/world.conf
SAMPLE_MANS += man/metacube-world.5
endif

# The longest folder first: some are inside others.
SAMPLE_OPEN = sed \
	-e 's|$(mcmoduledir)|@''MODULE_DIR@|g' \
	-e 's|$(mcconfdir)|@''CONF_DIR@|g' \
	-e 's|$(mcsysconfdir)|@''SYSCONF_DIR@|g' \
	-e 's|$(mcstatedir)|@''STATE_DIR@|g' \
	-e 's|$(mcrundir)|@''RUN_DIR@|g' \
	-e 's|$(mcdatadir)|@''DATA_DIR@|g'
SAMPLE_FILL = sed \
	-e 's|@''MODULE_DIR@|$(mcmoduledir)|g' \
	-e 's|@''CONF_DIR@|$(mcconfdir)|g' \
	-e 's|@''SYSCONF_DIR@|$(mcsysconfdir)|g' \
	-e 's|@''STATE_DIR@|$(mcstatedir)|g' \
	-e 's|@''RUN_DIR@|$(mcrundir)|g' \
	-e 's|@''DATA_DIR@|$(mcdatadir)|g'

noinst_DATA = conf.d/metacubed.conf $(SAMPLES)
CLEANFILES += conf.d/metacubed.conf $(SAMPLES)

conf.d/%.conf: conf.d/%.conf.in Makefile
	$(AM_V_GEN)$(MKDIR_P) conf.d && $(SAMPLE_FILL) $< > $@.tmp && \
		mv $@.tmp $@

# A program that was built for another machine cannot describe itself here.
if !CROSS_COMPILING
nodist_man_MANS += man/metacubed.conf.5 $(SAMPLE_MANS)
CLEANFILES += man/metacubed.conf.5 $(SAMPLE_MANS)
endif

# A build folder may be writable by a group; the loader minds.
DESCRIBE = if test -d modules/.libs; then \
		chmod go-w modules/.libs modules/.libs/*.so; fi; \
	$(MKDIR_P) man && : > man/none.conf && \
	./metacubed -c man/none.conf \
		--set metacubed.module_dir='$(abs_top_builddir)/modules/.libs' \
		--describe
CLEANFILES += man/none.conf

man/metacubed.conf.5: metacubed
	$(AM_V_GEN)$(DESCRIBE) metacubed --format=man > $@.tmp && \
		mv $@.tmp $@

man/metacube-%.5: modules/%.la metacubed
	$(AM_V_GEN)$(DESCRIBE) $* --format=man > $@.tmp && mv $@.tmp $@

update-samples: metacubed $(mcmodule_LTLIBRARIES)
	for name in metacubed $(SAMPLES:conf.d/%.conf=%); do \
		($(DESCRIBE) $$name --format=conf) > sample.tmp && \
		$(SAMPLE_OPEN) sample.tmp \
			> $(srcdir)/conf.d/$$name.conf.in || exit 1; \
	done; rm -f sample.tmp
.PHONY: update-samples

# What an operator has written stays: a sample is installed where there is
# none yet, and removed where it is as it was.  The folder for accounts and
# queue is made for whoever installs; it goes when it is empty.
install-data-local: conf.d/metacubed.conf $(SAMPLES)
	$(MKDIR_P) '$(DESTDIR)$(mcconfdir)'
	test -f '$(DESTDIR)$(mcsysconfdir)/metacubed.conf' || \
		$(INSTALL_DATA) conf.d/metacubed.conf \
			'$(DESTDIR)$(mcsysconfdir)/metacubed.conf'
	for file in $(SAMPLES); do \
		test -f '$(DESTDIR)$(mcsysconfdir)'/$$file || \
		$(INSTALL_DATA) $$file '$(DESTDIR)$(mcsysconfdir)'/$$file || \
		exit 1; \
	done
	test -d '$(DESTDIR)$(mcstatedir)' || \
		$(INSTALL) -d -m 700 '$(DESTDIR)$(mcstatedir)'

uninstall-local:
	for file in metacubed.conf $(SAMPLES); do \
		if cmp -s conf.d/$${file#conf.d/} \
			'$(DESTDIR)$(mcsysconfdir)'/$$file; then \
			rm -f '$(DESTDIR)$(mcsysconfdir)'/$$file; \
		fi; \
	done

# Only our own folders, and only when nothing of anybody else is in them.
uninstall-hook:
	for dir in '$(map_newbie_islanddir)' '$(map_harbour_towndir)' \
	    '$(map_old_forestdir)' '$(mcdatadir)/maps' '$(mcprotodir)' \
	    '$(acctservdir)' '$(mcdatadir)/systemd' '$(mclibexecdir)' \
	    '$(mcdatadir)' '$(mcprotoincludedir)' '$(mcincludedir)' \
	    '$(mcmoduledir)' '$(libdir)/metacube' '$(mcconfdir)' \
	    '$(mcsysconfdir)' '$(mcstatedir)'; do \
		rmdir "$(DESTDIR)$$dir" 2>/dev/null || :; \
	done
