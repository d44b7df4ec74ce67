#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A backup of the account server is restored: what came after it is lost, and
# everybody gets to know.  The replica loads anew and says so; no uid is ever
# given a second time.
#
#	restore.t [--rounds N]
#
# The control leaves out the new epoch: then the replica must refuse to follow.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/../system/lib.sh"
# shellcheck source=tests/crash/lib.sh
. "$(dirname "$0")/lib.sh"
campaign restore 3 "$@"
patience=$((3 * patience))		# attempts to load get rare

accounts_at=account
settings[wmqmaint]='freeze_every = "0s"; prune = false;'
# so many epochs within an hour are a fault, anywhere else
settings[antpclnt]='anew_max = 1000;'
settings[acctserv]='cost = 1; account_mails = 1000;'
wmqmaint=$top_build/metacube-wmqmaint

data="queue audit accounts.gdbm accounts.gdbm.clean freeze"

backup () {
	local name
	stop account || return
	rm -rf "$net/backup"
	mkdir "$net/backup"
	for name in $data; do
		[ ! -e "$net/account/$name" ] ||
			cp -r "$net/account/$name" "$net/backup/" || return
	done
	start_again
}

# The same addresses as before, or nobody would find it.
start_again () {
	start account "${account_at[@]}"
}

restore () {
	local name
	kill_hard account
	for name in $data; do
		rm -rf "${net:?}/account/$name"
		[ ! -e "$net/backup/$name" ] ||
			cp -r "$net/backup/$name" "$net/account/" || return
	done
}

new_epoch () {
	"$wmqmaint" new-epoch --queue "$net/account/queue" \
		--freeze "$net/account/freeze" --key "$net/freeze.key" || return
	rm -f "$net"/account/accounts.gdbm*
}

anew () { ctl gateway replica resync >/dev/null; same; }

# What was given until now, for ever.
uids_note () { uids account >>"$net/uids" && sort -u -o "$net/uids" "$net/uids"; }

network 0
account_at=(--set "acctserv.listen=$(address account acctserv)"
	--set "antpserv.listen=$(address account antpserv)")
names first 30
check "a replica has what was made" until_true same

for ((round = 1; round <= rounds; round++)); do
	check "a freeze is made" ctl account wmqmaint freeze
	check "a backup is taken" backup
	until_true same || violation "no longer level after a restart"
	names "lost-$round" 3
	until_true same || violation "the replica does not come along"
	uids_note
	check "the backup is restored" restore
	check "a new epoch begins" new_epoch
	start_again
	names "later-$round" 3
	uids account | sort -u >"$net/now"
	comm -12 "$net/now" "$net/uids" >"$net/again"
	ctl account --json account list | grep "later-$round-" |
		sed -n 's/.*"uid":"\([0-9]*\)".*/\1/p' | sort -u >"$net/new"
	[ "$(wc -l <"$net/new")" -eq 3 ] || violation "no new accounts"
	[ -z "$(comm -12 "$net/new" "$net/uids")" ] ||
		violation "a uid was given twice"
	until_true log_has gateway "ERROR servpw .*cannot follow" ||
		violation "the replica does not notice"
	# it would do that by itself, after a pause that grows from time to time
	until_true anew || violation "the replica does not load anew"
	: >"$net/gateway/log"
	uids_note
	row gateway "replica status" "level" >/dev/null ||
		violation "the replica is not level"
	progress
done

backup
names control 3
until_true same || violation "the replica does not come along"
: >"$net/gateway/log"
restore
start_again
until_true log_has gateway "ERROR servpw .*cannot follow.*(missing|does not know)" &&
	not same && noticed=yes
campaign_end "a restored backup is noticed everywhere, no uid comes twice" \
	"a backup without a new epoch"
