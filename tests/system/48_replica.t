#!/bin/bash
# SPDX-License-Identifier: MIT
#
# 48_replica - a replica of the accounts over TLS, with nothing but the real
# modules: it begins, goes on, is killed, loses its files, is asked whether it
# is equal, and follows the account server into a new epoch.
. "$(dirname "$0")/lib.sh"

accounts_at=account
patience=60
settings[wmqmaint]='freeze_every = "0s";'	# none but those asked for
wmqmaint () { "$top_build/metacube-wmqmaint" "$@"; }
state () { row gateway "replica status" "$(has what state)" "$(has value "$1")"; }
equal () { ctl gateway replica verify; }
seq_of () { row gateway "replica status" "$(has what seq)" | cell value; }
people () {			# FIRST LAST
	local n
	for ((n = $1; n <= $2; n++)); do account "joe-$n"; done
}
uid_of () {
	ctl account account show "$1" | awk '$1 == "uid" { print $2 }'
}
loads () { grep -c 'was loaded from the freeze' "$net/gateway/log"; }

certificates 0 || bail "no certificates: $(cat "$net/pki.log")"
account_server_conf
start account
stay_put account antpserv acctserv
people 1 5
host_conf gateway
replica_conf gateway

# -- the beginning --------------------------------------------------------------

start gateway
check "a replica comes level" until_true state level
check "and is what the server is" says 'equal at 5: 5 accounts' equal
check "which knows how far it is" until_true row account replicas \
	"$(has name gateway)" '5'
people 6 20
check "what is changed arrives" until_true says 'equal at 20: 20 accounts' \
	equal
check "and was not loaded, but followed" [ "$(loads)" -eq 0 ]

# -- its files are lost -----------------------------------------------------------

check "the server makes a freeze" wmqmaint -s "$net/account/control" freeze
people 21 23
stop gateway
rm -rf "$net/gateway/mirror" "$net"/gateway/accounts.gdbm*
start gateway
check "a replica without files comes level" until_true state level
check "from the freeze" until_true log_has gateway \
	'was loaded from the freeze at 20: 20 accounts'
check "with all that came later" until_true \
	says 'equal at 23: 23 accounts' equal

# -- killed -----------------------------------------------------------------------

kill_hard gateway
people 24 25
start gateway
check "a replica that was killed comes level" until_true state level
check "and is equal again" until_true says 'equal at 25: 25 accounts' equal
loads=$(loads)
stop gateway
start gateway
check "one that was stopped goes on where it was" until_true state level
check "without a load" [ "$(loads)" -eq "$loads" ]
check "people may have it loaded" says '20 accounts' ctl gateway replica resync
check "after which it is level" until_true says 'equal at 25' equal

# -- the account server is away ------------------------------------------------------

stop account
check "without the server nothing can be verified" not equal
check "but the replica stays what it is" [ "$(seq_of)" -eq 25 ]

# -- another epoch ----------------------------------------------------------------------

before=$(wmqmaint new-epoch --queue "$net/account/queue" \
	--freeze "$net/account/freeze" --key "$(freeze_key)" 2>&1) ||
	bail "no new epoch: $before"
start account
people 26 26
check "a new epoch is followed" until_true says '26 accounts' equal
check "loudly" log_has gateway 'ERROR.*(epoch|another queue)'
check "and the replica is level" until_true state level
check "the new account has a uid that was never used" \
	[ "$(uid_of joe-26)" -gt 1000000 ]
finish
