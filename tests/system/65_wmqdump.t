#!/bin/bash
# SPDX-License-Identifier: MIT
#
# 65_wmqdump - metacube-wmqdump: what is in a queue, also while it is in use;
# no secrets; and no damage that it does not find.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

# shellcheck disable=SC2034 # of network.sh
settings[wmq_file]='segment_size = "4096"; server_tag = "joes";'
accounts_at=main
queue=$net/main/queue
dump () { timeout "$patience" "$top_build/metacube-wmqdump" "$@"; }

host_conf main
accounts_conf main
start main
account joe
for i in {1..20}; do
	account "friend-$i"
done
ctl main account email joe joe@example.org >"$net/email.out" ||
	bail "$(cat "$net/email.out")"
ctl main account lock amanda 2>"$net/none.out" && bail "amanda is there"
ctl main account lock friend-3 >"$net/lock.out" || bail "$(cat "$net/lock.out")"
ctl main account delete friend-4 >"$net/delete.out" ||
	bail "$(cat "$net/delete.out")"

# -- while it is in use ---------------------------------------------------------

check "a queue in use is whole" says '^[0-9]+ files, records 1 to 24: whole$' \
	dump --check "$queue"
check "there are several files" test "$(find "$queue" -name '*.wmq' |
	wc -l)" -gt 1
dump "$queue" >"$net/all"
status=$?
check "all of it can be shown" test "$status" -eq 0
check "each record is there once, in order" \
	diff <(grep -v '^#' "$net/all" | cut -d' ' -f1) <(seq 24)
check "who is created, with uid, name, time and server" grep -E \
	'^1 20[0-9-]+T[0-9:.]+Z server=joes tag=pwq verb=create uid=[0-9]+ name=joe flags=[a-z,-]* what=[a-z]+ by=' \
	"$net/all"
check "who is locked" grep -E \
	'verb=change uid=[0-9]+ name=friend-3 flags=[a-z,-]*locked' "$net/all"
check "who is deleted" grep -E 'verb=delete uid=[0-9]+ name=friend-4 ' \
	"$net/all"
check "no verifiers" not grep -F "\$y\$" "$net/all"
check "no e-mail addresses" not grep -F example.org "$net/all"
check "but when they are asked for" says 'name=joe .*email=joe@example.org' \
	dump --personal "$queue"
check "from one number to another" \
	diff <(dump --from 7 --to 9 "$queue" | grep -v '^#' | cut -d' ' -f1) \
	<(seq 7 9)
check "as JSON" says \
	'^\{"seq":"1",.*"tag":"pwq","verb":"create","uid":"[0-9]+","name":"joe",' \
	dump --json "$queue"

changes () {
	local i
	for i in {1..60}; do
		ctl main account lock joe && ctl main account unlock joe ||
			return
	done
}
changes >"$net/changes.out" 2>&1 &
changing=$!
whole=0 looks=0
while ! gone $changing; do
	looks=$((looks + 1))
	dump --check "$queue" >"$net/look" 2>&1 && whole=$((whole + 1))
done
wait $changing
status=$?
check "changes went on meanwhile" test "$status" -eq 0
check "and it was whole whenever it was looked at" \
	test $looks -gt 0 -a $whole -eq $looks
check "stopped in order" stop main

# -- damage -------------------------------------------------------------------

mapfile -t files < <(sed -n 's/^# \(.*\): epoch=.*/\1/p' "$net/all")
first=${files[0]} second=${files[1]}

# flip FILE BYTE - the lowest bit of it
flip () {
	local byte
	byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	printf %b "\\x$(printf %x $((byte ^ 1)))" |
		dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
damaged () {			# PATTERN [ARGUMENT...]
	local pattern=$1
	shift
	dump "$@" >"$net/said" 2>&1
	status=$?
	cat "$net/said"
	[ "$status" -eq 1 ] && grep -qE -- "$pattern" "$net/said"
}

flip "$first" 200
check "a flipped bit is found, by file and byte" \
	damaged "$(basename "$first"): byte 112: .*record 1" --check "$queue"
check "also when it is only shown" damaged "byte 112" "$first"
flip "$first" 200
check "flipped back it is whole" dump --check "$queue"
flip "$first" 33
check "a header is verified" damaged 'byte 0: .*header' --check "$queue"
flip "$first" 33
cp "$first" "$net/copy"
truncate -s -1 "$first"
check "a file that was cut short" damaged 'byte [0-9]+: ' --check "$queue"
cp "$net/copy" "$first"
mv "$second" "$net/away"
check "a file that is missing" damaged 'byte 32: .*the file before' \
	--check "$queue"
mv "$net/away" "$second"
check "one file alone" dump --check "$first"

# -- what is not a queue ------------------------------------------------------

fails () {			# PATTERN ARGUMENT...
	local pattern=$1
	shift
	dump "$@" >"$net/said" 2>&1
	status=$?
	cat "$net/said"
	[ "$status" -eq 2 ] && grep -qE -- "$pattern" "$net/said"
}
mkdir "$net/empty"
check "an empty folder" fails 'no queue files' "$net/empty"
check "nothing there" fails 'No such file' "$net/nowhere"
check "a wrong number" fails usage --from 12x "$queue"
check "no argument" fails usage
echo "not a queue file, and too short for one" >"$net/text"
check "another file" damaged 'is shorter|is not a queue' "$net/text"
finish
