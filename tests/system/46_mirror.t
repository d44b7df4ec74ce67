#!/bin/bash
# SPDX-License-Identifier: MIT
#
# 46_mirror - queue and freeze on another machine, whatever happens on the
# way: connections that are cut, processes that are killed, a full disk, a
# damaged file, a server set back.  By metacube-antpclnt, which is the module,
# and by the module in a server.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

data=$top_build/tests/system/mirror_data
mirror=$net/mirror
pki init "$net/pki" && pki issue "$net/pki" account account 127.0.0.1 &&
	pki issue "$net/pki" account middle 127.0.0.1 &&
	pki issue "$net/pki" gateway gateway 127.0.0.1 &&
	pki issue "$net/pki" web web-1 || bail "no certificates"

# A queue of 12 MB and a freeze of 12 MB
"$data" queue "$net/queue" 1 20000 600 || bail "no queue"
"$data" freeze "$net/dbfile" 1 1000 12000000 || bail "no freeze"
freeze=01010101-1000.freeze
serve () {			# [QUEUE] - starts the account server
	host_conf account
	module_conf account wmq_file "path = \"${1-$net/queue}\";" \
		'segment_size = "2MiB";'
	module_conf account antpserv 'listen = "127.0.0.1:0";' \
		"dbfile = \"$net/dbfile\";" \
		"state_file = \"$net/account/replicas\";"
	start account
	address account antpserv >"$net/target.new"
	mv "$net/target.new" "$net/target"
}
serve

# The proxy's port stays, wherever the server is
echo 0 0 >"$net/cut"
"$data" proxy "$net/port" "$net/target" "$net/cut" >"$net/cuts" &
proxy=$!
helpers+=($proxy)
until_true test -s "$net/port" || bail "no proxy"
url=antp://127.0.0.1:$(cat "$net/port")/

# client [OPTION...] - runs until it ends
client () {
	timeout 300 "$top_build/metacube-antpclnt" --modules "$modules" \
		--cert "$(certificate gateway)" --key "$(key gateway)" \
		--ca "$(authority)" "$@"
}
once () { client --once "$@" "$url" "$mirror"; }
status_is () {			# STATUS COMMAND...
	local wanted=$1 status
	shift
	"$@"
	status=$?
	echo "status $status"
	[ $status -eq "$wanted" ]
}

# same [QUEUE] - the folder is what the server has; only what follows the
# last record there may differ
same () {
	local file name n=0
	for file in "$mirror"/*.wmq; do
		name=${file##*/} n=$((n + 1))
		cmp -n "$(stat -c %s "$file")" "$file" \
			"${1-$net/queue}/$name" || return
	done
	[ "$n" -ge "${2-5}" ] && cmp "$mirror/$freeze" "$net/dbfile"
}
left () { ls "$mirror"/*.part 2>/dev/null; }

# -- undisturbed ----------------------------------------------------------------

check "everything, once" says 'record 20000 of 20000' once
check "is the same, byte for byte" same
check "nothing is left of the transfer" not left
before=$(counter account antpserv bytes)
check "once more" once --quiet
check "costs nearly nothing" test \
	$(($(counter account antpserv bytes) - before)) -lt 1000
check "arguments that are missing" status_is 2 client "$url"
check "no certificate and no --plain" status_is 2 \
	"$top_build/metacube-antpclnt" "$url" "$mirror"
check "a URL that is none" status_is 1 client --once http://x/ "$mirror"
check "a server that is not there" status_is 3 client --once --patience 1 \
	antp://127.0.0.1:1/ "$net/nowhere"
check "a server in another role is not believed" status_is 3 client --once \
	--patience 1 --role taskmaster "$url" "$net/nowhere"
check "the next one in the list is asked" client --once --patience 60 \
	"antp://127.0.0.1:1/,$url" "$net/second"

# -- disturbed ----------------------------------------------------------------------

rm -rf "$mirror"
echo 1 1500000 >"$net/cut"
before=$(counter account antpserv bytes)
check "connections that are cut anywhere" once
check "the same, all the same" same
all=$(du -cb "$mirror"/*.wmq "$mirror"/*.freeze | awk 'END { print $1 }')
moved=$(($(counter account antpserv bytes) - before))
# What was under way when it was cut is sent again
check "it goes on where it was ($moved bytes for $all)" \
	test $moved -lt $((all * 4))
echo 0 0 >"$net/cut"

rm -rf "$mirror"
moments=0
progress () { du -sb "$mirror" 2>/dev/null | awk '{ print $1 + 0 }'; }
for ((size = 1000000; size < 22000000; size += 2600000)); do
	"$top_build/metacube-antpclnt" --modules "$modules" --quiet \
		--cert "$(certificate gateway)" --key "$(key gateway)" \
		--ca "$(authority)" "$url" "$mirror" >>"$net/killed" 2>&1 &
	pid=$!
	helpers+=($pid)
	until_true eval '[ "$(progress)" -gt $size ]' ||
		bail "it does not go on: $(cat "$net/killed" "$net/until")"
	kill -KILL $pid
	wait $pid 2>/dev/null
	moments=$((moments + 1))
done
check "killed $moments times, it goes on" once
check "the same again" same

rm -rf "$mirror"
once --quiet --patience 60 >"$net/through" 2>&1 &
pid=$!
helpers+=($pid)
for ((i = 0; i < 3; i++)); do
	size=$((3000000 + i * 6000000))
	until_true eval '[ "$(progress)" -gt $size ]' || bail "it stands still"
	kill_hard account
	serve
done
check "the server is killed, and it goes on" wait $pid
check "the same once more" same

# -- the disk --------------------------------------------------------------------------

rm -rf "$mirror"
(
	trap '' XFSZ
	ulimit -f 4096
	exec timeout 60 "$top_build/metacube-antpclnt" --modules "$modules" \
		--once --cert "$(certificate gateway)" \
		--key "$(key gateway)" --ca "$(authority)" "$url" "$mirror"
) >"$net/full" 2>&1 &
pid=$!
helpers+=($pid)
check "a full disk is said" until_true grep -q 'nothing is fetched until' \
	"$net/full"
kill -TERM $pid
wait $pid
check "and the end in between, too" test $? -eq 4
check "there is space again" once
check "and all of it" same

# Older files are looked at when they are read: test_antpclnt
file=$(printf '%s\n' "$mirror"/*-*.wmq | tail -n 1)
"$data" flip "$file" 900
check "a damaged file" not same
check "is seen" says 'damaged|fetched again' once
check "and fetched again" same

# -- another queue ---------------------------------------------------------------------------

stop account
"$data" queue "$net/other" 2 5000 600 || bail "no queue"
"$data" freeze "$net/dbfile" 2 20 1000000 || bail "no freeze"
freeze=02020202-20.freeze
serve "$net/other"
check "a queue with another epoch: loudly" \
	says 'another epoch|no such file.*anew' once
check "everything anew" same "$net/other" 1
stop account
rm -rf "$net/other"
"$data" queue "$net/other" 2 500 400 || bail "no queue"
serve "$net/other"
check "a server set back: loudly" says 'fetched anew' once
check "and like it" same "$net/other" 1

# -- in a server -------------------------------------------------------------------------------

# middle mirrors the account server and serves what it has
host_conf middle
module_conf middle antpclnt "path = \"$net/middle/mirror\";" \
	"server = \"$url\";"
module_conf middle antpserv 'listen = "127.0.0.1:0";' \
	"state_file = \"$net/middle/replicas\";"
start middle
is_level () { row "$1" mirror "$(has what state)" "$(has value level)"; }
check "a server mirrors" until_true is_level middle
check "says how far it is" row middle mirror "$(has what fetched)" \
	"$(has value 500)"
check "without a lag" row middle mirror "$(has what lag)" "$(has value 0)"
rm -rf "$mirror"
check "and serves what it has" client --once \
	"antp://$(address middle antpserv)/" "$mirror"
check "byte for byte" same "$net/other" 1
stop account
check "the account server is away: it knows" until_true \
	row middle mirror "$(has what state)" "$(has value 'not connected')"
rm -rf "$mirror"
check "and serves on" client --once "antp://$(address middle antpserv)/" \
	"$mirror"
check "the same" same "$net/other" 1
serve "$net/other"
check "the account server is back" until_true is_level middle
check "a reload is taken" ctl middle reload

kill -TERM $proxy
wait $proxy
check "connections were cut ($(cat "$net/cuts"))" test \
	"$(cat "$net/cuts")" -ge 10
finish
