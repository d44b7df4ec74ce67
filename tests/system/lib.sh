# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# lib.sh - what the system tests share: TAP, a network of their own, clients.
#
#	. "$(dirname "$0")/lib.sh"
#	network 1
#	account joe
#	check "Joe gets in" ...
#	finish
#
# Every test has a folder of its own, ports from the kernel, and ends what it
# has started by its process id.  Nothing waits for a fixed time: until_true
# asks again until something holds or patience ($MC_PATIENCE seconds) ends.
# MC_BUILD is the build's folder (the current one, as in make check).
set -u
umask 022			# modules that others may write are refused

top_src=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
top_build=$(cd "${MC_BUILD:-.}" && pwd)
patience=${MC_PATIENCE:-20}
net=$(mktemp -d "${TMPDIR:-/tmp}/mc-XXXXXX")
# shellcheck source=tools/lib/network.sh
. "$top_src/tools/lib/network.sh"
hostile_program=$top_build/tests/system/hostile

declare -a helpers=()		# what else runs in the background

# -- TAP ----------------------------------------------------------------------

tests=0 failures=0

# check DESCRIPTION COMMAND... - what the command prints is in $net/out, and
# is shown when it fails.
check () {
	local what=$1 status
	shift
	"$@" >"$net/out" 2>&1
	status=$?
	tests=$((tests + 1))
	if [ $status -eq 0 ]; then
		echo "ok $tests - $what"
		return
	fi
	failures=$((failures + 1))
	echo "not ok $tests - $what"
	echo "# $*: status $status"
	tail -n 20 "$net/out" | sed 's/^/# /'
	return 1
}

skip () {			# DESCRIPTION REASON
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
}

# not COMMAND... - it must fail, and not by a signal
not () {
	"$@"
	local status=$?
	[ $status -ne 0 ] && [ $status -lt 124 ]
}

# says PATTERN COMMAND... - whatever its status
says () {
	local pattern=$1
	shift
	"$@" >"$net/says" 2>&1
	cat "$net/says"
	grep -qE -- "$pattern" "$net/says"
}

bail () {
	echo "Bail out! $*"
	logs_show
	exit 99
}

# Last line of every test: who was not ended on purpose is still there, ends
# as it should, and no sanitizer had anything to say.
finish () {
	local name
	for name in $(printf '%s\n' "${!pid_of[@]}" | sort -r); do
		check "$name is still there" kill -0 "${pid_of[$name]}"
		check "$name stops when it is asked to" stop "$name"
	done
	check "no sanitizer has complained" not grep -l 'Sanitizer' \
		"$net"/*/log
	echo "1..$tests"
	[ $failures -eq 0 ] || logs_show
	exit 0
}

logs_show () {
	local log
	for log in "$net"/*/log; do
		[ -f "$log" ] || continue
		echo "# ---- the end of $log"
		tail -n 40 "$log" | sed 's/^/# /'
	done
}

cleanup () {
	trap '' INT TERM HUP
	end_all "${helpers[@]}" "${pid_of[@]}"
	rm -rf "$net"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

log_has () { grep -qE -- "$2" "$net/$1/log"; }	# NAME PATTERN

# -- people ----------------------------------------------------------------------

# account NAME [PASSWORD] - with the password in $net/NAME.pw
account () {
	local name=$1
	echo "${2-the password of $1}" >"$net/$name.pw"
	ctl $accounts_at account create "$name" --password-fd 3 3<"$net/$name.pw" \
		>"$net/account.out" 2>&1 ||
		bail "account $name: $(cat "$net/account.out")"
}

hostile () { timeout 300 "$hostile_program" -t "$patience" "$@"; }

# field KEY FILE - the last key=value that hostile has printed
field () { sed -n "s/^.*\b$1=\([^ ]*\).*$/\1/p" "$2" | tail -n 1; }

# login NAME [STEP...] - as far as the gateway lets one get
login () {
	local name=$1
	shift
	hostile "$(address gateway gateway)" tls name="$name" \
		password="$net/$name.pw" "$@"
}
