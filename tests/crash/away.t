#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A replica is away for longer than the queue is kept: it comes back, finds its
# records gone, loads the freeze and is level.
#
#	away.t [--rounds N]
#
# The control takes the freeze away: then the replica cannot come back.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/../system/lib.sh"
# shellcheck source=tests/crash/lib.sh
. "$(dirname "$0")/lib.sh"
campaign away 3 "$@"
patience=$((3 * patience))		# attempts to load get rare

accounts_at=account
settings[wmqmaint]='freeze_every = "0s"; replica_grace = "1s";'
settings[wmq_file]='segment_size = "4KiB";'
settings[acctserv]='cost = 1; account_mails = 1000;'

same () { ctl gateway replica verify 10; }

# The queue no longer has what the replica needs.
pruned () {
	ctl account wmqmaint freeze >/dev/null || return
	ctl account wmqmaint prune >/dev/null || return
	! compgen -G "$net/account/queue/$oldest" >/dev/null
}

oldest_file () { find "$net/account/queue" -name '*.wmq' -printf '%f\n' | sort | head -n 1; }

absence () {
	local n
	oldest=$(oldest_file)
	for ((n = 1; n <= 40; n++)); do
		ctl account account lock first-1 >/dev/null &&
			ctl account account unlock first-1 >/dev/null || return
	done
	until_true pruned
}

network 0
names first 3
check "a replica has what was made" until_true same
for ((round = 1; round <= rounds; round++)); do
	stop gateway || violation "the replica does not stop"
	names "while-away-$round" 2
	absence || violation "nothing was pruned"
	start gateway
	until_true same || violation "the replica does not come back"
	progress
done
check "the replica has loaded the freeze" log_has gateway "loaded from the freeze"

stop gateway
absence
mv "$net/account/freeze" "$net/kept"
start gateway
until_true log_has gateway "ERROR servpw .*cannot follow.*no longer" &&
	not same && noticed=yes
campaign_end "who was away for too long comes back" "no freeze is there"
