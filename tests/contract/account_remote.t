#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The contract of changes of accounts, kept by account_remote as a gateway has
# it, with an account server at the other end of the line.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/../system/lib.sh"

settings[acctserv]='cost = 1;'
settings[mail_sendmail]='from = "metacube@example.com";'
mailbox
certificates 0 || bail "no certificates: $(cat "$net/pki.log")"
account_server_conf
start account

mkdir "$net/kit"
cat >"$net/kit/metacubed.conf" <<END
certificate = "$(certificate gateway)";
key = "$(key gateway)";
ca = "$(authority)";
END
cat >"$net/kit/account_remote.conf" <<END
module = "account_remote";
settings = { connect = "$(address account acctserv)"; };
END
CONTRACT_MAILBOX=$net/mailbox timeout 300 "$top_build/metacube-contract" \
	account "$modules/account_remote.so" "$net/kit/account_remote.conf" \
	"$net/kit/metacubed.conf" >"$net/kit.out" 2>&1
status=$?
while IFS= read -r line; do	# each promise is one line of this test
	case $line in
	'ok '*) check "${line#*- }" true ;;
	'not ok '*) check "${line#*- }" false ;;
	*) echo "# $line" ;;
	esac
done <"$net/kit.out"
check "the suite came to its end" test $status -eq 0
check "the account server stops" stop account
finish
