#!/bin/bash
# SPDX-License-Identifier: MIT
#
# 70_secrets - a password that is easy to recognise is used in every way it
# can be; afterwards neither it nor its proof, in any form, is to be found in
# the logs, the counters, the files, or the memory of the living processes.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

settings[auth_password]='account_free = 1000; address_free = 1000000;'
host_lines=('core_dumps = true;' 'log_level = "debug";')
network 1

# proof NAME PASSWORD - as 64 hex digits
proof () {
	printf 'metacube-login-1\0%s\0%s' "$1" "$2" | sha256sum | cut -c1-64
}
escaped () { sed 's/../\\x&/g' <<<"$1"; }

# A password none of whose proofs has a line's end in it: grep reads lines.
one_line () {
	local proofs
	proofs="$(proof joe "$1") $(proof amanda "$1") $(proof stranger "$1")"
	proofs+=" $(proof joe "x$1")"
	! sed 's/[^ ][^ ]/& /g' <<<"$proofs" | grep -qw 0a
}
until
	canary=Canary-$(head -c 9 /dev/urandom | base64 | tr '+/' 'ab')-Bird
	one_line "$canary"
do
	:
done
account joe "$canary"
account amanda "something else"
echo "x$canary" >"$net/wrong.pw"

# Every way a password takes
check "joe logs in with it" login joe map=newbie-island login until=reroute
check "joe is refused with another" says BAD_CREDENTIALS \
	hostile "$(address gateway gateway)" tls name=joe \
	password="$net/wrong.pw" login until=refused,logged_in
check "a stranger is refused with it" says BAD_CREDENTIALS \
	hostile "$(address gateway gateway)" tls name=stranger \
	password="$net/joe.pw" login until=refused,logged_in
check "amanda's becomes the same" ctl gateway account password amanda \
	--password-fd 3 3<"$net/joe.pw"
cp "$net/joe.pw" "$net/amanda.pw"
check "she logs in with it" login amanda login until=logged_in
sed -i 's|^};|cost = 6;\n};|' "$net/gateway/conf.d/acctserv.conf" \
	"$net/gateway/conf.d/auth_password.conf"
check "the gateway is told to reload, with a higher cost" ctl gateway reload
check "joe logs in with it" login joe login until=logged_in
check "and has a new verifier" until_true \
	log_has gateway 'account joe has a new verifier'
hostile "$(address gateway gateway)" tls name=joe password="$net/joe.pw" \
	login until=logged_in hold <<<'' >"$net/said" 2>&1
check "a connection is dropped after it" grep -q ^holding "$net/said"

declare -A secrets=(
	[password]=$canary
	[wrong password]="x$canary"
)
for name in joe amanda stranger; do
	hex=$(proof $name "$canary")
	secrets["proof of $name, hex"]=$hex
	secrets["proof of $name, HEX"]=${hex^^}
	secrets["proof of $name, bytes"]=$(escaped "$hex")
	secrets["proof of $name, base64"]=\\Q$(printf '%b' "$(escaped "$hex")" |
		base64 -w0 | cut -c1-42)\\E
done
hex=$(proof joe "x$canary")
secrets["the wrong proof, hex"]=$hex
secrets["the wrong proof, bytes"]=$(escaped "$hex")

# found FILE... - prints which secrets are in there; status 0 when any is
found () {
	local what status=1
	for what in "${!secrets[@]}"; do
		LC_ALL=C grep -aqsP -- "${secrets[$what]}" "$@"
		case $? in
		1) continue ;;
		2) bail "cannot be searched for: $what" ;;
		esac
		LC_ALL=C grep -alP -- "${secrets[$what]}" "$@" |
			sed "s/^/$what: /"
		status=0
	done
	return $status
}

# The search itself is able to find them
joe=$(escaped "$(proof joe "$canary")")
{
	printf '%s%b' "$canary" "$joe"
	printf '%b' "$joe" | base64 -w0
} >"$net/bait"
check "the search finds a bait" \
	test "$(found "$net/bait" | wc -l)" -eq 3

ctl gateway counters >"$net/counters" 2>&1
ctl gateway status >>"$net/counters" 2>&1
ctl gateway account show joe >>"$net/counters" 2>&1
ctl gateway account list >>"$net/counters" 2>&1
check "not in counters, status or the list of accounts" \
	not found "$net/counters"
check "not in any log" not found "$net"/*/log
mapfile -t files < <(find "$net/gateway" "$net/world-1" "$net/taskmaster" \
	-type f)
check "not in any file of the servers (${#files[@]})" not found "${files[@]}"
check "the account store is among them" \
	grep -q accounts.gdbm <<<"${files[*]}"
check "the queue is among them" grep -q '\.wmq' <<<"${files[*]}"

for name in gateway taskmaster world-1; do
	if grep -q '^CFLAGS = .*-fsanitize=' "$top_build/Makefile"; then
		skip "memory of $name" "sanitizers map terabytes"
		continue
	fi
	if ! gcore -o "$net/core" "${pid_of[$name]}" >"$net/gcore" 2>&1; then
		skip "memory of $name" "gcore: $(tail -n 1 "$net/gcore")"
		continue
	fi
	core=$net/core.${pid_of[$name]}
	check "not in the memory of $name ($(($(stat -c %s "$core") >> 20)) MiB)" \
		not found "$core"
	rm -f "$core"
done
finish
