#!/bin/bash
# SPDX-License-Identifier: MIT
#
# 10_start - one server by itself: it starts, says how it is, reloads, stops.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

mcd () { "$metacubed" -c "$net/one/metacubed.conf" "$@"; }

check "--version names version and ABI" \
	says '^metacubed .*ABI [0-9]+\.[0-9]+' "$metacubed" --version
check "an unknown option is a usage error" not "$metacubed" --no-such-option

host_conf one
module_conf one tcapw_mem
check "--check accepts a good configuration" mcd --check
check "--list names instance, module and service" \
	says 'tcapw_mem.*tcapw' mcd --list
check "--graph draws it" says 'digraph' mcd --graph
check "--describe shows every setting" says 'path' mcd --describe tcapw_gdbm
check "--describe of a module that is not there" \
	says 'no_such_module' not mcd --describe no_such_module
check "--check of a file that is not there" \
	says "$net/none.conf" not "$metacubed" -c "$net/none.conf" --check
check "--set of an unknown setting" says 'no_such' not \
	mcd --set tcapw_mem.no_such=1 --check
check "--set of an unknown instance" says 'nobody' not \
	mcd --set nobody.path=1 --check
check "--set of the host's own setting" not \
	mcd --set metacubed.log_level=shout --check
check "--check of a certificate that is not there" \
	says "certificate $net/none.pem" not \
	mcd --set metacubed.certificate="$net/none.pem" \
	--set metacubed.key="$net/none.key" --check
check "certificates are made" pki init "$net/pki"
check "for a server" pki issue "$net/pki" world one localhost
with_certificate () {
	mcd --set metacubed.certificate="$(certificate one)" \
		--set metacubed.key="$(key one)" "$@"
}
check "--check of a key that is our own says nothing" \
	not says 'others may read' with_certificate --check
chmod 644 "$(key one)"
check "--check of a key that others may read warns" \
	says "$(key one): others may read" with_certificate --check

start one
check "status says that it runs" says 'tcapw_mem|running|up' ctl one status
check "status as JSON" says '^[[{]' ctl one --json status
check "modules lists the instance" says '^tcapw_mem' ctl one modules
check "an unknown command is refused in words" \
	says 'no-such-command' not ctl one no-such-command
check "metacubectl without a server says so" \
	says "$net/nobody" not "$metacubectl" --socket "$net/nobody" status
check "a second server does not take over the socket" \
	says 'control' not mcd

check "reload with the same files" ctl one reload
# One good setting and a bad one: debug would be seen by the next command.
printf 'log_level = "debug";\nno_such_setting = 1;\n' \
	>>"$net/one/metacubed.conf"
check "reload of a bad file is refused" says 'reload has failed' \
	not ctl one reload
check "the log says why" log_has one 'metacubed.conf:[0-9]+: .*no_such_setting'
check "the server goes on" ctl one status
check "what was good in that file was not taken" \
	not log_has one 'command status'
sed -i '$d' "$net/one/metacubed.conf"
echo 'nonsense' >"$net/one/conf.d/broken.conf"
check "nor is it for a bad file elsewhere" not ctl one reload
check "the log names that file" log_has one 'broken.conf:[0-9]+: '
check "and the server goes on" ctl one status
check "as before" not log_has one 'command status'
rm "$net/one/conf.d/broken.conf"
kill -HUP "${pid_of[one]}"
# The log has "reloaded" from the command above: only this is new.
taken () { ctl one status && log_has one 'DEBUG .*command status'; }
check "SIGHUP reloads, too: now it is taken, as the log shows" \
	until_true taken

check "SIGTERM stops it with status 0" stop one
check "its control socket is gone" not test -e "$net/one/control"

start one
check "metacubectl stop" ctl one stop
check "ends it with status 0" reap "${pid_of[one]}"
unset "pid_of[one]"

# sd_notify: a datagram socket as systemd offers it, read by a helper
notified () { grep -q "$1" "$net/notified"; }
"$top_build/tests/system/notified" "$net/notify" >"$net/notified" 2>&1 &
helpers+=($!)
check "somebody listens for notifications" until_true test -S "$net/notify"
NOTIFY_SOCKET=$net/notify launch one
check "READY=1 is sent when it is ready" until_true notified '^READY=1'
kill -HUP "${pid_of[one]}"
check "RELOADING=1 when it reloads" until_true notified '^RELOADING=1'
check "SIGTERM stops it" stop one
check "STOPPING=1 when it stops" until_true notified '^STOPPING=1'

# A dead server's socket is in nobody's way.
start one
kill_hard one
check "the socket of a killed server is left" test -S "$net/one/control"
start one
check "and in nobody's way" ctl one status

# JSON log
check "it stops again" stop one
host_conf one 'log_format = "json";'
: >"$net/one/log"
start one
check "log_format json: each line is an object" \
	not grep -vqE '^\{"time":"[^"]*","level":"[a-z]*",.*"\}$' \
	"$net/one/log"
finish
