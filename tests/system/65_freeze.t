#!/bin/bash
# SPDX-License-Identifier: MIT
#
# 65_freeze - the account server freezes and prunes, is killed at every step
# of it, and gets a new epoch after a backup was restored.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

accounts_at=account
maint=$top_build/metacube-wmqmaint
freeze=$net/account/freeze

host_conf account
accounts_conf account
module_conf account acctserv 'listen = "";' 'listen_unix = "";' \
	"audit = \"$net/account/audit\";" "cost = 1;"
module_conf account wmqmaint "path = \"$freeze\";" \
	"key_files = \"$net/key\";" 'freeze_every = "0s";' \
	'memory = "64KiB";'
module_conf account wmq_file "path = \"$net/account/queue\";" \
	'segment_size = "4KiB";'

offline () {
	timeout "$patience" "$maint" "$@" --key "$net/key"
}
maintain () {
	timeout "$patience" "$maint" -s "$net/account/control" "$@"
}
said () {			# KEY - what verify has printed
	sed -n "s/^$1  *//p" "$net/verify"
}
intact () {
	local status
	offline verify "$freeze" >"$net/verify" 2>&1
	status=$?
	cat "$net/verify"
	return $status
}
# The store may come from freeze and queue; until then nothing is changed.
level () { not says 'brought level' ctl account account show nobody; }
up () {
	start account
	until_true level || bail "the account server does not get level"
}
files () { find "$net/account/queue" -maxdepth 1 -name '*.wmq' | wc -l; }
people () {			# FROM TO
	local n
	for ((n = $1; n <= $2; n++)); do
		account "joe$n"
	done
}

# -- without a server ---------------------------------------------------------

check "a key is made" offline keygen "$net/key"
check "and is nobody else's" test "$(stat -c %a "$net/key")" = 600
check "it is not made over another one" not offline keygen "$net/key"
check "no server: said, with status 3" says 'no server is running' \
	maintain freeze
maintain freeze 2>/dev/null
check "status 3" test $? -eq 3

# -- with one -----------------------------------------------------------------

up
check "no freeze: nothing is pruned" says 'no freeze yet' maintain prune
people 1 30
before=$(files)
check "the first freeze" says '30 accounts frozen at change 30' \
	maintain freeze
check "it is intact" intact
check "all are in it" test "$(said accounts)" = 30
check "it says where the queue goes on" test "$(said 'goes on at')" != '0 0'
check "there is something to prune" test "$before" -gt 1
check "the queue is pruned" maintain prune
check "but for its last file" test "$(files)" -eq 1
check "again is fine" maintain prune
check "nothing has changed" says 'nothing has changed' maintain run
check "the status says it" says '\baccounts +30' maintain status

people 31 40
ctl account account delete joe7 >/dev/null
ctl account account lock joe8 >/dev/null
check "the next one goes on from the first" says \
	'39 accounts frozen at change 42' maintain run
ctl account account show joe8 >"$net/joe8"

# -- killed at every step -----------------------------------------------------

change=42
for point in freeze.begun freeze.chunk freeze.written freeze.synced \
	freeze.verified freeze.renamed freeze.folder_synced \
	wmqmaint.prune wmq.unlinked freeze.pass; do
	some=30
	[ $point != freeze.pass ] || some=400	# more than fit in memory
	stop account >/dev/null
	METACUBE_CRASH_AT=$point launch account
	until_true answers_or_dead account >/dev/null
	until_true level >/dev/null
	people $((change + 1)) $((change + some))
	change=$((change + some))
	maintain run >"$net/run" 2>&1
	if until_true gone "${pid_of[account]}" >/dev/null; then
		reap "${pid_of[account]}"
		unset "pid_of[account]"
	fi
	check "$point: it was killed there" test -z "${pid_of[account]-}"
	check "$point: the freeze is the old one or the new one" intact
	up
	check "$point: nothing is left over" test ! -e "$freeze.new" \
		-a ! -e "$freeze.part"
	check "$point: and it is made again" maintain run
	check "$point: everything is in it" intact
	check "$point: at the last change" test "$(said change)" = $change
done

# -- a freeze that is damaged -------------------------------------------------

cp "$freeze" "$net/good"
printf x | dd of="$freeze" bs=1 seek=200 conv=notrunc 2>/dev/null
check "damaged: seen without a server" not intact
people 1001 1002
check "damaged: no new one is made of it" not maintain freeze
cp "$net/good" "$freeze"
check "put in place again, it is good" maintain freeze

# -- another key --------------------------------------------------------------

check "a new key" offline keygen "$net/key2"
module_conf account wmqmaint "path = \"$freeze\";" \
	"key_files = \"$net/key2, $net/key\";" 'freeze_every = "0s";'
check "is taken" ctl account reload
people 1003 1003
check "and used" maintain freeze
check "the old one reads it no more" not intact
check "the new one does" "$maint" verify "$freeze" --key "$net/key2"

# -- a backup is restored -----------------------------------------------------

both="$net/key2, $net/key"
new_epoch () {
	timeout "$patience" "$maint" new-epoch --queue "$net/account/queue" \
		--freeze "$freeze" --key "$both"
}
verified () {
	"$maint" verify "$freeze" --key "$both" >"$net/verify" 2>&1
}
stop account
verified
epoch=$(said epoch) uid=$(said 'highest uid') accounts=$(said accounts)
cp -a "$net/account/queue" "$net/queue.bak"
cp -a "$freeze" "$net/freeze.bak"
for point in '' epoch.marked wmq.renamed wmq.synced epoch.begun \
	freeze.verified:2 freeze.folder_synced:2; do
	rm -rf "$net/account/queue" "$freeze"* "$net/account/accounts.gdbm"*
	cp -a "$net/queue.bak" "$net/account/queue"
	cp -a "$net/freeze.bak" "$freeze"
	if [ -n "$point" ]; then
		METACUBE_CRASH_AT=$point new_epoch >/dev/null 2>&1
		check "$point: new-epoch is killed there" test $? -eq 137
	fi
	check "$point: new-epoch" new_epoch
	check "$point: the freeze is intact" verified
	check "$point: in another epoch" test "$(said epoch)" != "$epoch"
	check "$point: with the same accounts" test "$(said accounts)" = \
		"$accounts"
	check "$point: no uid is given again" test "$(said 'highest uid')" \
		-gt $((uid + (1 << 40)))
	check "$point: nothing is left over" test ! -e "$freeze.epoch"
	check "$point: a folder has the old queue" ls -d \
		"$net/account/queue/old-${epoch:0:8}"
	up
	check "$point: the store is made from the freeze" says joe1003 \
		ctl account account show joe1003
	account "new${point//[^a-z]/}"
	check "$point: and the next freeze is like any other" maintain freeze
	stop account
done

finish
