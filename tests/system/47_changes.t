#!/bin/bash
# SPDX-License-Identifier: MIT
#
# 47_changes - accounts that change while people play: what they change
# themselves, and what others do to them; with the account server away, with
# the taskmaster away, and when whoever was to tell of it dies.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
patience=60

accounts_at=account
mailbox
settings[auth_password]='account_free = 1000; address_free = 1000000; cost = 1;'
settings[acctserv]='account_free = 1000; address_free = 1000000; cost = 1;'
settings[gateway]='change_rate = 1000;'
settings[world]='change_rate = 1000;'
network 2
account joe
account amanda

check "both accounts come to the gateway's replica" \
	until_true replica_has accounts 2

# says_in NAME PATTERN LINE - what NAME types, and what comes of it
says_in () {
	type_in "$1" "$3"
	until_true hears "$1" "$2" || { cat "$net/$1/log"; return 1; }
}
comes () { says_in "$1" 'You are on' "login $1 newbie-island --password-file $2"; }

# once NAME PASSWORD-FILE COMMANDS - a netshell that does that and ends
once () {
	timeout "$patience" "$netshell" \
		--gateway "$(address gateway gateway)" --ca "$(authority)" \
		--user "$1" --password-file "$2" -e "$3" </dev/null
}
admin () { ctl account account "$@"; }

person joe
person amanda
check "joe is on newbie-island" comes joe "$net/joe.pw"
check "amanda, too" comes amanda "$net/amanda.pw"

# -- the own password, while playing -----------------------------------------

echo 'a second password' >"$net/joe.new"
cp "$net/joe.pw" "$net/joe.old"
check "not without the old one" says_in joe 'Not changed: ' \
	"password --password-file $net/amanda.pw --new-password-file $net/joe.new"
echo sesame >"$net/short"
check "nor to one that is too short" says_in joe 'at least 8 characters' \
	"password --password-file $net/joe.pw --new-password-file $net/short"
check "joe changes his password on the map" \
	says_in joe 'Done: .*new password' \
	"password --password-file $net/joe.pw --new-password-file $net/joe.new"
# A world has no replica; the gateway's hears of it by itself.
check "soon the old one is refused" until_true says 'Login refused' \
	not once joe "$net/joe.old" 'login'
check "and the new one is right" says 'Logged in as joe' \
	once joe "$net/joe.new" 'login; maps'
check "he is still there" says_in joe 'You say: here' 'say here'
check "it was counted" test "$(counter world-1 world changes)$(
	counter world-2 world changes)" -gt 0
check "amanda changes hers at the gateway" says 'Done: .*new password' \
	once amanda "$net/amanda.pw" \
	"login; password --new-password-file $net/joe.new"
check "but on the map it is the old session" \
	says_in amanda 'You say: me too' 'say me too'
check "amanda changes it back" says 'Done: .*new password' \
	once amanda "$net/joe.new" \
	"login; password --new-password-file $net/amanda.pw"

# -- e-mail ----------------------------------------------------------------------

check "an address that is none" says_in joe 'Not changed: .*address' \
	"email nowhere --password-file $net/joe.new"
check "joe gives his address" says_in joe 'Done: .*type "validate' \
	"email joe@example.org --private --password-file $net/joe.new"
code_is_there () { code_for joe@example.org; }
check "a code is mailed there" until_true code_is_there
code=$(code_for joe@example.org)
check "a wrong code" says_in joe 'Not changed: the code' \
	"validate AAAAAAAAAAAAAAAAAAAAAAAAAA --password-file $net/joe.new"
check "the right one" says_in joe 'Done: .*new e-mail' \
	"validate $code --password-file $net/joe.new"
check "now it is his" says 'joe@example.org' admin show joe

# -- locked ------------------------------------------------------------------------

# The ticket of somebody who is on the way.
login joe map=old-forest login until=reroute >"$net/reroute" 2>&1
cp "$net/joe.new" "$net/joe.pw"
login joe map=old-forest login until=reroute >"$net/reroute" 2>&1
person waiting
says_in waiting 'Logged in' "login joe --password-file $net/joe.pw"
check "joe is locked" admin lock joe
check "he is disconnected from the world" \
	until_true hears joe 'Your visit is over: this account is locked'
check "and from the gateway" \
	until_true hears waiting 'Your visit is over: this account is locked'
check "amanda is not" says_in amanda 'You say: what happened' \
	'say what happened'
evicted () { [ "$(counter taskmaster taskmaster evictions)" -ge 1 ]; }
check "the taskmaster was asked for it" until_true evicted
check "his ticket is void" says 'BAD_TICKET' hostile \
	"$(field endpoint "$net/reroute")" tls \
	enter="$(field ticket "$net/reroute")" until=refused
check "he cannot log in" says_in joe 'Login refused: this account is locked' \
	"login joe --password-file $net/joe.pw"
check "joe is unlocked" admin unlock joe
back () { once joe "$net/joe.pw" login; }
check "and can log in" until_true back

# -- another password, from elsewhere -----------------------------------------------

check "joe is back on the map" comes joe "$net/joe.pw"
echo 'a third password' >"$net/joe.third"
other_password () {
	admin password joe --password-fd 3 3<"$net/joe.third"
}
check "his password is changed elsewhere" other_password
check "that ends his session" until_true hears joe \
	'Your visit is over: this account has changed'
check "the old password is refused" says 'Login refused' \
	not once joe "$net/joe.pw" login
cp "$net/joe.third" "$net/joe.pw"
check "joe is back with the new one" comes joe "$net/joe.pw"

# -- the taskmaster is away ------------------------------------------------------------

where=$(address taskmaster taskmaster)
kill_hard taskmaster
check "joe is locked while the taskmaster is away" admin lock joe
gateway_waits () { [ "$(counter gateway gateway evictions_waiting)" = 1 ]; }
check "the gateway keeps it in mind" until_true gateway_waits
check "joe is still there" says_in joe 'You say: still here' 'say still here'
module_conf taskmaster taskmaster "listen = \"$where\";"
start taskmaster
check "the taskmaster is back: now he has to go" \
	until_true hears joe 'Your visit is over: this account is locked'
nothing_waits () { [ "$(counter gateway gateway evictions_waiting)" = 0 ]; }
check "and nothing is kept in mind" until_true nothing_waits
check "joe is unlocked again" admin unlock joe
check "and can log in again" until_true back
registered_both () { registered world-1 && registered world-2; }
check "the worlds are back, too" until_true registered_both
comes_back () { once joe "$net/joe.pw" 'login joe newbie-island'; }
check "and there is a place" until_true comes_back

# -- the gateway ends before the taskmaster has heard of it -----------------------------

check "joe is on the map for a while" comes joe "$net/joe.pw"
stay_put gateway gateway
kill_hard taskmaster
check "he is locked" admin lock joe
check "which only the gateway has in mind" until_true gateway_waits
# Killed, it would build its store from the queue: all of that is news again.
check "the gateway stops" stop gateway
start taskmaster
check "now nobody has" until_true registered_both
check "joe plays on" says_in joe 'You say: nobody knows' 'say nobody knows'
start gateway
check "a gateway that starts looks who is there: he has to go" \
	until_true hears joe 'Your visit is over: this account is locked'
check "and only he" says_in amanda 'You say: he is gone' 'say he is gone'
reviewed_out () { [ "$(counter gateway gateway reviewed_out)" = "$1" ]; }
check "that was no news to it" reviewed_out 1
check "joe is unlocked once more" admin unlock joe
check "and can log in once more" until_true back

# -- a world is away, and the taskmaster forgets what it has to tell it -------------------

check "joe is on the map, and not for long" comes joe "$net/joe.pw"
is_placed () { row taskmaster players "$(has player joe)" >/dev/null; }
check "the taskmaster knows where" until_true is_placed
home=world-1
row taskmaster players "$(has player joe)" "$(has world world-2)" && home=world-2
kill -STOP "${pid_of[$home]}"
is_lost () { ! registered $home; }
check "his world says nothing any more" until_true is_lost
check "he is locked again" admin lock joe
told_taskmaster () { [ "$(counter taskmaster taskmaster evictions)" = 2 ]; }
check "the taskmaster is to tell his world" until_true told_taskmaster
check "the gateway has nothing to do with it any more" \
	until_true nothing_waits
kill_hard taskmaster
kill -CONT "${pid_of[$home]}"
start taskmaster
check "his world is back: he has to go" until_true hears joe \
	'Your visit is over: this account is locked'
check "since the gateway has looked again" reviewed_out 2
check "joe is unlocked for the last time" admin unlock joe
check "and can log in as ever" until_true back
check "both worlds are there" until_true registered_both
check "and there is a place again" until_true comes_back

# -- the account server is away -----------------------------------------------------------

check "joe is on the map once more" comes joe "$net/joe.pw"
stay_put account acctserv antpserv
check "the account server stops" stop account
connected () { [ "$(counter "$1" account_remote connected)" = "$2" ]; }
# What is asked before they know may have been done, for all they know.
for server in gateway world-1 world-2; do
	check "$server knows" until_true connected $server 0
done
check "a change has to wait" \
	says_in joe 'Not changed: .*try later; nothing was changed' \
	"password --password-file $net/joe.pw --new-password-file $net/joe.new"
check "also at the gateway" says 'Not changed: .*try later' \
	not once amanda "$net/amanda.pw" \
	"login; password --new-password-file $net/joe.new"
check "but amanda can log in" says 'Logged in' \
	once amanda "$net/amanda.pw" login
start account
for server in gateway world-1 world-2; do
	check "$server has found it again" until_true connected $server 1
done
check "now it works" says_in joe 'Done: .*new password' \
	"password --password-file $net/joe.pw --new-password-file $net/joe.new"
account late
check "an account that was made after it" \
	until_true replica_has accounts 3

# -- what only others may do ------------------------------------------------------------

check "whoever a client names, it is its own account" says 'result=DONE' \
	login amanda login until=logged_in account=PASSWORD:joe \
	until=account_answer
check "joe's password is what it was" once joe "$net/joe.new" login
check "nor for a verb that is not its own" says 'NOT_ALLOWED' \
	login amanda login until=logged_in account=CREATE:joe \
	until=account_answer
check "nor without having logged in" says 'BAD_REQUEST' \
	hostile "$(address gateway gateway)" tls account=PASSWORD:joe \
	until=refused
sed -i 's|change_rate = 1000|change_rate = 2|' \
	"$net/gateway/conf.d/gateway.conf"
check "so often in a minute" ctl gateway reload
# In a minute that ends just now there are three more.
wrong="password --password-file $net/joe.new --new-password-file $net/joe.new"
check "and no more" says_in waiting 'Not changed: too many changes' \
	"login amanda --password-file $net/amanda.pw
$wrong
$wrong
$wrong
$wrong
$wrong
$wrong"

# -- the end of an account --------------------------------------------------------------

check "joe has to say his name" says_in joe 'Nothing was deleted' \
	"delete-account jo --password-file $net/joe.new"
check "and his password" says_in joe 'Not changed' \
	"delete-account joe --password-file $net/amanda.pw"
check "amanda is there, too" says_in amanda 'You say: farewell' 'say farewell'
check "joe deletes his account" says_in joe 'Done: .*deleted' \
	"delete-account joe --password-file $net/joe.new"
check "that is the end of his visit" until_true hears joe 'Your visit is over'
check "nobody knows him any more" until_true says 'Login refused' \
	not once joe "$net/joe.new" login
check "amanda sees him go" until_true hears amanda 'joe is gone'
check "the account server does not know him" not admin show joe

# -- stronger verifiers, from far --------------------------------------------------------

sed -i 's/cost = 1/cost = 2/' "$net/gateway/conf.d/auth_password.conf"
check "the gateway wants stronger verifiers" ctl gateway reload
check "amanda logs in" once amanda "$net/amanda.pw" login
renewed () { [ "$(counter gateway auth_password renewed)" = 1 ]; }
check "her verifier is renewed over the network" until_true renewed
check "no session ended because of that" \
	says_in amanda 'You say: good night' 'say good night'
check "she can still log in" once amanda "$net/amanda.pw" login

check "the queue tells all of it: it makes the same store" \
	ctl account wmqmaint freeze
check "which the gateway has, too" says '^equal' ctl gateway replica verify

# -- the whole store is loaded anew ----------------------------------------------------

once late "$net/late.pw" login >"$net/out" 2>&1
renewed_both () { [ "$(counter gateway auth_password renewed)" = 2 ]; }
check "another verifier is renewed" until_true renewed_both
check "here, too" says '^equal' ctl gateway replica verify
person late
check "another one is on the map" comes late "$net/late.pw"
check "and somebody at the gateway" says_in waiting 'Logged in as late' \
	"leave
login late --password-file $net/late.pw"
before=$(counter gateway gateway reviews)
check "the replica is loaded from the freeze" ctl gateway replica resync
check "who is at the gateway logs in again" until_true hears waiting \
	'Your visit is over: this account has changed'
looked () { [ "$(counter gateway gateway reviews)" -gt "$before" ]; }
check "who is on worlds is looked up" until_true looked
# She has changed it herself; then it was hashed anew.
check "amanda may stay, whose verifier is not what it was" \
	says_in amanda 'You say: I am still I' 'say I am still I'
check "and so may everybody else" says_in late 'You say: and I' 'say and I'

for secret in "$net"/joe.new "$net"/joe.third "$net"/amanda.pw; do
	check "no password in a log (${secret##*/})" \
		not grep -rqaFf "$secret" "$net"/account/log "$net"/gateway/log \
		"$net"/world-1/log "$net"/world-2/log "$net"/taskmaster/log
done
finish
