#!/bin/bash
# SPDX-License-Identifier: MIT
#
# 49_prune - wmqmaint beside a replica: it makes no freeze there, and deletes
# mirrored queue files once the mirrored freeze and the replica's own store are
# past them, by hand and by schedule.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

accounts_at=account
patience=60
settings[wmq_file]='segment_size = "4KiB";'
settings[acctserv]='cost = 1;'
settings[wmqmaint]='freeze_every = "0s";'

equal () { ctl gateway replica verify; }
files () { find "$net/$1" -maxdepth 1 -name '*.wmq' | wc -l; }
people () {			# FIRST LAST
	local n
	for ((n = $1; n <= $2; n++)); do account "joe-$n"; done
}
freeze_here () {		# SEQ - the mirror has the freeze at that change
	compgen -G "$net/gateway/mirror/*-$1.freeze" >/dev/null
}
at_most () { [ "$(files gateway/mirror)" -le "$1" ]; }

certificates 0 || bail "no certificates: $(cat "$net/pki.log")"
account_server_conf
start account
stay_put account antpserv acctserv
host_conf gateway
replica_conf gateway
start gateway

# -- by hand --------------------------------------------------------------------

people 1 30
check "a replica follows" until_true says 'equal at 30: 30 accounts' equal
many=$(files gateway/mirror)
check "through several files ($many)" test "$many" -gt 1
check "no freeze is mirrored: nothing is pruned" \
	says 'nothing pruned' ctl gateway wmqmaint prune
check "and every file is there" test "$(files gateway/mirror)" -eq "$many"
check "the account server freezes" ctl account wmqmaint freeze
# A replica looks for a new one every few minutes, and when it starts.
stop gateway
start gateway
check "the freeze is mirrored" until_true freeze_here 30
check "what it covers is pruned" until_true says 'pruned, up to change 30' \
	ctl gateway wmqmaint prune
check "but for the last file" test "$(files gateway/mirror)" -eq 1
check "the account server's files are its own" \
	test "$(files account/queue)" -eq "$many"
check "no freeze is made here" test ! -e "$net/gateway/freeze"
check "the replica is what it was" says 'equal at 30: 30 accounts' equal
people 31 60
check "and goes on" until_true says 'equal at 60: 60 accounts' equal
many=$(files gateway/mirror)
check "what comes after the freeze stays" ctl gateway wmqmaint prune
check "all of it" test "$(files gateway/mirror)" -eq "$many"

# -- a store that is lost ------------------------------------------------------------

stop gateway
rm -f "$net"/gateway/accounts.gdbm*
start gateway
check "a store that is lost comes from the freeze that is here" until_true \
	says 'equal at 60: 60 accounts' equal
check "since its first files are pruned" log_has gateway \
	'was loaded from the freeze at 30'

# -- by schedule ----------------------------------------------------------------------

check "the next freeze" ctl account wmqmaint freeze
stop gateway
settings[wmqmaint]='freeze_every = "1s"; settle = "0s";'
replica_conf gateway
start gateway
check "is mirrored" until_true freeze_here 60
check "and the schedule prunes, too" until_true at_most 1
check "the replica is equal all the same" until_true \
	says 'equal at 60: 60 accounts' equal
finish
