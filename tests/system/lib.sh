# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# lib.sh - what the system tests share: TAP, servers of their own, clients.
#
#	. "$(dirname "$0")/lib.sh"
#	network
#	check "Joe gets in" login joe
#	finish
#
# Every test has a folder of its own, ports from the kernel, and ends what it
# has started by its process id.  Nothing waits for a fixed time: until asks
# again until a condition holds or patience ($MC_PATIENCE seconds) is over.
#
# MC_BUILD is the build's folder (the current one, as in make check).
set -u

top_src=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
top_build=$(cd "${MC_BUILD:-.}" && pwd)
metacubed=$top_build/metacubed
metacubectl=$top_build/metacubectl
netshell=$top_build/metacube-netshell
hostile_program=$top_build/tests/system/hostile
modules=$top_build/modules/.libs
patience=${MC_PATIENCE:-20}

tmp=$(mktemp -d "${TMPDIR:-/tmp}/mc-XXXXXX")
declare -A pid_of=()		# servers, by name
declare -a helpers=()		# other processes in the background

# -- TAP -----------------------------------------------------------------------

tests=0 failures=0

verdict () {			# STATUS DESCRIPTION
	tests=$((tests + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tests - $2"
	else
		failures=$((failures + 1))
		echo "not ok $tests - $2"
	fi
}

# check DESCRIPTION COMMAND... - what it prints is kept in $tmp/out and shown
# when it fails.
check () {
	local what=$1 status
	shift
	"$@" >"$tmp/out" 2>&1
	status=$?
	verdict $status "$what"
	[ $status -eq 0 ] && return
	echo "# $*: status $status"
	tail -n 20 "$tmp/out" | sed 's/^/# /'
	return 1
}

skip () {			# DESCRIPTION REASON
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
}

bail () {
	echo "Bail out! $*"
	logs_show
	exit 99
}

finish () {
	servers_alive
	echo "1..$tests"
	[ $failures -eq 0 ] || logs_show
	exit 0
}

refute () { ! "$@"; }

# until COMMAND... - again and again, as long as patience lasts
until_true () {
	local deadline=$((SECONDS + patience))
	until "$@" >"$tmp/until" 2>&1; do
		if [ $SECONDS -ge $deadline ]; then
			echo "still not true after $patience s: $*"
			cat "$tmp/until"
			return 1
		fi
		sleep 0.05
	done
}

logs_show () {
	local log
	for log in "$tmp"/*/log; do
		[ -f "$log" ] || continue
		echo "# ---- the end of $log"
		tail -n 40 "$log" | sed 's/^/# /'
	done
}

# -- cleaning up ----------------------------------------------------------------

gone () { ! kill -0 "$1" 2>/dev/null; }

# end PID - politely, then not
end () {
	local deadline=$((SECONDS + patience))
	kill "$1" 2>/dev/null
	while ! gone "$1" && [ $SECONDS -lt $deadline ]; do
		sleep 0.02
	done
	kill -KILL "$1" 2>/dev/null
	wait "$1" 2>/dev/null
}

cleanup () {
	local pid
	for pid in "${helpers[@]}" "${pid_of[@]}"; do
		end "$pid"
	done
	mountpoint -q "$tmp/disk" && umount "$tmp/disk"
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

# -- certificates ------------------------------------------------------------

# issue ROLE NAME - a certificate under $tmp/pki; ROLE may be a list.
pki () { "$metacubectl" pki "$@" >>"$tmp/pki.log" 2>&1 || { cat "$tmp/pki.log"; return 1; }; }

# -- configuration ------------------------------------------------------------

# host_conf NAME [LINE...] - a server's folder and its metacubed.conf
host_conf () {
	local name=$1
	shift
	mkdir -p "$tmp/$name/conf.d"
	{
		echo "module_dir = \"$modules\";"
		echo "conf_dir = \"$tmp/$name/conf.d\";"
		echo "control = \"$tmp/$name/control\";"
		if [ -f "$tmp/pki/$name.pem" ]; then
			echo "certificate = \"$tmp/pki/$name.pem\";"
			echo "key = \"$tmp/pki/$name.key\";"
			echo "ca = \"$tmp/pki/ca.pem\";"
		fi
		[ $# -eq 0 ] || printf '%s\n' "$@"
	} >"$tmp/$name/metacubed.conf"
}

# module_conf NAME MODULE [SETTING...] - one instance of it
module_conf () {
	local file=$tmp/$1/conf.d/$2.conf module=$2
	shift 2
	{
		echo "module = \"$module\";"
		echo "settings: {"
		[ $# -eq 0 ] || printf '\t%s\n' "$@"
		echo "};"
	} >"$file"
}

# -- servers -------------------------------------------------------------------

ctl () {			# NAME COMMAND...
	local name=$1
	shift
	timeout "$patience" "$metacubectl" --socket "$tmp/$name/control" "$@"
}

answers () { ctl "$1" status; }

answers_or_dead () { gone "${pid_of[$1]}" || answers "$1"; }

# launch NAME [ARGUMENT...] - starts it, does not wait
launch () {
	local name=$1
	shift
	"$metacubed" -c "$tmp/$name/metacubed.conf" "$@" </dev/null \
		>>"$tmp/$name/log" 2>&1 &
	pid_of[$name]=$!
}

# start NAME [ARGUMENT...] - and waits until it answers
start () {
	launch "$@"
	until_true answers_or_dead "$1" && ! gone "${pid_of[$1]}" && return
	bail "$1 does not start: $(tail -n 3 "$tmp/$1/log")"
}

# stop NAME - SIGTERM; the exit status of the server
stop () {
	local pid=${pid_of[$1]} status
	unset "pid_of[$1]"
	kill -TERM "$pid"
	reap "$pid"
	status=$?
	return $status
}

# reap PID - its exit status; 124 and SIGKILL when that takes too long
reap () {
	local deadline=$((SECONDS + patience))
	while ! gone "$1" && [ $SECONDS -lt $deadline ]; do
		sleep 0.02
	done
	gone "$1" || { kill -KILL "$1"; wait "$1" 2>/dev/null; return 124; }
	wait "$1"
}

kill_hard () {			# NAME
	local pid=${pid_of[$1]}
	unset "pid_of[$1]"
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	true
}

# Every server that a test has not ended itself is still there.
servers_alive () {
	local name
	for name in "${!pid_of[@]}"; do
		check "$name has survived it all" kill -0 "${pid_of[$name]}"
	done
}

log_has () { grep -qE -- "$2" "$tmp/$1/log"; }

# wait_log NAME PATTERN
wait_log () { until_true log_has "$1" "$2"; }
