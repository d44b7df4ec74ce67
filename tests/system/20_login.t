#!/bin/bash
# SPDX-License-Identifier: MIT
#
# 20_login - Joe logs in at the gateway; others do not.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

settings[auth_password]='account_free = 2; address_free = 1000;
	delay_base = "5s"; delay_max = "5s";'
network 1
gateway=$(address gateway gateway)

# -- accounts ----------------------------------------------------------------

account joe
account amanda
account nina
check "a name that is taken is refused, whatever its case" \
	says 'already' not ctl gateway account create Joe \
	--password-fd 3 3<"$net/joe.pw"
for name in 'jo e' '../joe' 'jöe' x "$(printf 'a%.0s' {1..40})" '.joe'; do
	check "'$name' is no name" not ctl gateway account create "$name" \
		--password-fd 3 3<"$net/joe.pw"
done
: >"$net/empty"
check "an empty password is refused" not ctl gateway account create zoe \
	--password-fd 3 3<"$net/empty"
echo 'sesame' >"$net/short"
check "and one that is too short" says 'at least 8 characters' \
	not ctl gateway account create zoe --password-fd 3 3<"$net/short"
check "account list has them all" says '^nina' ctl gateway account list
check "account show knows Joe" says 'joe' ctl gateway account show joe
check "and shows no verifier" not says '\$y\$' ctl gateway account show joe

# -- the right one -------------------------------------------------------------

check "joe logs in" login joe login until=logged_in
check "joe is rerouted to world-1 with a ticket" \
	says '^reroute world=world-1 map=newbie-island .*ticket=[0-9a-f]{100}' \
	login joe map=newbie-island login until=reroute
check "without a map he may choose one" \
	says '^reroute .*map=newbie-island' \
	login joe login until=logged_in join=newbie-island until=reroute

# The people's client says the same
shell () {			# COMMANDS
	timeout "$patience" "$netshell" --gateway "$gateway" \
		--ca "$(authority)" -e "$1" </dev/null
}
check "metacube-netshell logs in and lists the maps" shell \
	"login joe --password-file $net/joe.pw; maps; expect Newbie Island"
check "and says in words why it cannot" \
	says 'Login refused' not shell \
	"login amanda --password-file $net/joe.pw"
check "a server of another CA is not trusted" \
	says 'CA|certificate|trusted' not timeout "$patience" "$netshell" \
	--gateway "$gateway" -e "login joe --password-file $net/joe.pw"
check "nor one with another name" \
	says 'name|certificate' not timeout "$patience" "$netshell" \
	--gateway "$gateway" --ca "$(authority)" --server-name other.example \
	-e "login joe --password-file $net/joe.pw"

# -- the wrong ones: the same bytes ------------------------------------------

echo "not the password" >"$net/wrong.pw"
wrong () {			# NAME
	hostile -x "$gateway" tls name="$1" password="$net/wrong.pw" login \
		until=refused,logged_in
}
wrong amanda >"$net/of-amanda" 2>&1
wrong nobody >"$net/of-nobody" 2>&1
check "a wrong password is refused" grep -q BAD_CREDENTIALS "$net/of-amanda"
check "an unknown name gets the same bytes" cmp "$net/of-amanda" \
	"$net/of-nobody"

# Time: that of an unknown name lies among those of wrong passwords.  They take
# turns, so that a busy moment hits both; each is the median of some, and twice
# is a lot: a missing hash would be a tenth.
tenths_ms () {			# NAME
	local began=${EPOCHREALTIME/./}
	wrong "$1" >>"$net/timed"
	echo $(((${EPOCHREALTIME/./} - began) / 100))
}
median () { sort -n "$1" | sed -n 5p; }
for i in {1..9}; do
	account "known$i"
done
for i in {1..9}; do
	tenths_ms "known$i" >>"$net/known.ms"
	tenths_ms "stranger$i" >>"$net/unknown.ms"
done
known=$(median "$net/known.ms") unknown=$(median "$net/unknown.ms")
check "and takes the same time ($known and $unknown tenths of a ms)" \
	test $((unknown * 2)) -gt "$known" -a $((known * 2)) -gt "$unknown"

# -- too many of them ----------------------------------------------------------

refused_later () { wrong amanda >"$net/later"; grep TRY_LATER "$net/later"; }
check "after some failures there is a delay" until_true refused_later
# Asked once more it may be over.
check "it says for how long" grep 'retry=[1-9]' "$net/later"
check "Joe is not delayed by that" login joe login until=logged_in
amanda_in () { login amanda login until=logged_in,refused |
	grep -q ^logged_in; }
check "Amanda gets in when the delay is over" until_true amanda_in

# -- locked, changed, deleted ----------------------------------------------

check "account lock" ctl gateway account lock nina
check "a locked account is told so, with the right password" \
	says 'ACCOUNT_LOCKED' login nina login until=refused,logged_in
check "with a wrong one it is not" says 'BAD_CREDENTIALS' wrong nina
check "account unlock" ctl gateway account unlock nina
check "and it may log in again" login nina login until=logged_in
echo "another password" >"$net/new.pw"
check "account password" ctl gateway account password nina \
	--password-fd 3 3<"$net/new.pw"
check "the old one is refused" says BAD_CREDENTIALS login nina login \
	until=refused,logged_in
cp "$net/new.pw" "$net/nina.pw"
check "the new one is good" login nina login until=logged_in
uid_of () { login "$1" login until=logged_in | sed -n 's/.*uid=\([0-9]*\).*/\1/p'; }
old_uid=$(uid_of nina)
check "account delete" ctl gateway account delete nina
check "the deleted one is unknown" says BAD_CREDENTIALS login nina login \
	until=refused,logged_in
account nina
new_uid=$(uid_of nina)
check "a new nina is another user ($old_uid, $new_uid)" \
	test "${new_uid:-0}" -gt "${old_uid:-0}" -a -n "$old_uid"

# -- a restart ------------------------------------------------------------------

check "the gateway stops" stop gateway
start gateway
check "joe is still known afterwards" login joe login until=logged_in
kill_hard gateway
start gateway
check "and after a SIGKILL" login joe login until=logged_in
check "as is the new nina, by the same uid" test "$(uid_of nina)" = "$new_uid"

# -- a higher cost ----------------------------------------------------------------

gateway=$(address gateway gateway)
renewed () { [ "$(counter gateway auth_password renewed)" -eq "$1" ]; }
sed -i 's|^};|cost = 6;\n};|' "$net/gateway/conf.d/acctserv.conf" \
	"$net/gateway/conf.d/auth_password.conf"
check "the cost grows" ctl gateway reload
check "a wrong password renews nothing" says BAD_CREDENTIALS wrong joe
check "joe logs in with his verifier of the lower cost" \
	login joe login until=logged_in
check "and has another one for it" until_true \
	log_has gateway 'account joe has a new verifier'
check "which is counted" until_true renewed 1
check "he logs in with that" login joe login until=logged_in
kill_hard gateway
start gateway
check "also after a SIGKILL" login joe login until=logged_in
check "it was renewed once" renewed 0
check "nina's turn comes when she logs in" login nina login until=logged_in
check "and not before" until_true renewed 1
finish
