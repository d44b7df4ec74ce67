#!/bin/bash
# SPDX-License-Identifier: MIT
#
# 25_netshell - the people's client: in scripts, and at a terminal where
# others talk while one is typing.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

settings[auth_password]='account_free = 1000; address_free = 1000000;'
accounts_at=account		# players can have theirs changed
network 1
account joe
account amanda
until_true replica_has accounts 2 || bail "the replica has no accounts"
gateway=$(address gateway gateway)

status () {			# STATUS COMMAND...
	local expected=$1 got
	shift
	timeout "$patience" "$@" </dev/null
	got=$?
	echo "# status $got"
	[ $got -eq "$expected" ]
}
here=(--gateway "$gateway" --ca "$(authority)")
# joe STATUS LISTS... - what Joe has done, by a script
joe () {
	local expected=$1 lists=()
	shift
	for list; do lists+=(-e "$list"); done
	status "$expected" "$netshell" "${here[@]}" --user joe \
		--password-file "$net/joe.pw" "${lists[@]}"
}

# -- arguments ----------------------------------------------------------------

check "--version" status 0 "$netshell" --version
check "--help" status 0 "$netshell" --help
check "an unknown option is refused" status 2 "$netshell" --password secret
check "so is an argument" status 2 "$netshell" secret
check "and a descriptor that is none" status 2 "$netshell" --password-fd x

# -- scripts --------------------------------------------------------------------

check "login, maps, join, look, who, move, say" joe 0 \
	'login; maps; join newbie-island; look; who' 'move n 1; say hello'
check "the picture has oneself" joe 0 'login joe newbie-island; look; expect @'
check "a semicolon can be said" says 'You say: one; two' joe 0 \
	'login joe newbie-island; say one\; two'
check "the first failure ends it" not says 'people' joe 1 \
	'login joe; nonsense; help who'
check "what is not said is not heard" says 'nothing with "hello"' joe 1 \
	'login joe newbie-island; expect hello 0.2'
check "nobody walks off the map" says 'not on the map' joe 1 \
	'login joe newbie-island; move 100000 100000'
check "nor without a map" says 'in no world' joe 1 'login; move n 1'
check "a map that is none" says 'no such map' joe 1 'login; join nowhere'
check "a key that is none" says 'not the key of a map' joe 1 \
	'login; join ../etc'
check "two logins" says 'logged in already' joe 1 'login; login'
check "a password from a descriptor" says 'Logged in as joe' \
	status 0 "$netshell" "${here[@]}" -e 'login joe' \
	--password-fd 3 3<"$net/joe.pw"
check "nobody is there to be asked for one" says 'nobody to ask' \
	status 1 "$netshell" "${here[@]}" -e 'login joe'
check "a password file that is not there" says 'cannot be read' \
	status 1 "$netshell" "${here[@]}" -e "login joe --password-file $net/none"
check "lines from a pipe, one after the other" says 'Newbie Island' \
	timeout "$patience" "$netshell" "${here[@]}" <<<"login joe --password-file $net/joe.pw
maps
quit"

# -- whom it believes ------------------------------------------------------------

login_at () {			# GATEWAY CA [OPTION...]
	local at=$1 ca=$2
	shift 2
	timeout 60 "$netshell" --gateway "$at" --ca "$ca" "$@" \
		-e "login joe --password-file $net/joe.pw" </dev/null
}
"$metacubectl" pki init "$net/other" >"$net/pki.log" 2>&1 || bail "no second CA"
check "another CA" says 'was issued by' \
	not login_at "$gateway" "$net/other/ca.pem"
check "another name" says 'not made out for "gate.example"' not \
	login_at "$gateway" "$(authority)" --server-name gate.example
check "a world is no gateway" says 'should be a gateway' not \
	login_at "$(address world-1 world)" "$(authority)"
check "nobody at the first gateway, but at the second" says 'Logged in' \
	login_at "127.0.0.1:1,$gateway" "$(authority)"

# -- at a terminal ------------------------------------------------------------------

mkdir "$net/home" "$net/tty"
mkfifo "$net/tty/in"
HOME=$net/home TERM=xterm script -qfc \
	"$netshell ${here[*]}" "$net/tty/log" \
	<"$net/tty/in" >/dev/null 2>&1 &
helpers+=($!)
exec 9>"$net/tty/in"
shows () { grep -qaF -- "$1" "$net/tty/log"; }
keys () { printf '%b' "$1" >&9; }

check "there is a prompt" until_true shows 'metacube> '
edited=no
! grep -q '^#define HAVE_LIBEDIT 1' "$top_build/config.h" || edited=yes
if [ $edited = yes ]; then
	keys 'logi\tjoe newbie-island\r'
else
	keys 'login joe newbie-island\r'
fi
check "the password is asked for (TAB completes: $edited)" until_true shows \
	'Password of joe: '
cat "$net/joe.pw" >&9
check "joe is in" until_true shows 'You are on Newbie Island'
keys 'say half a l'
check "joe begins a sentence" until_true shows 'half a l'
check "amanda interrupts him" timeout 60 "$netshell" "${here[@]}" \
	-e "login amanda newbie-island --password-file $net/amanda.pw" \
	-e 'shout excuse me' </dev/null
check "he sees it" until_true shows 'amanda shouts: excuse me'
keys 'ine\r'
check "and ends his sentence" until_true shows 'You say: half a line'

# Changes of the account: nothing of it is seen.
asked () {			# COUNT QUESTION - so often until now
	[ "$(grep -aoF -- "$2" "$net/tty/log" | wc -l)" -ge "$1" ]
}
echo 'a quite new password' >"$net/joe.new"
keys 'password\r'
check "the password is asked for once more" until_true asked 2 'Password of joe: '
cat "$net/joe.pw" >&9
check "and a new one" until_true asked 1 'New password: '
cat "$net/joe.new" >&9
check "twice" until_true asked 1 'The same once more: '
cat "$net/joe.new" >&9
check "joe has a new password" until_true shows 'Done: '
keys 'password\r'
check "and another one" until_true asked 3 'Password of joe: '
cat "$net/joe.new" >&9
check "which is mistyped" until_true asked 2 'New password: '
cat "$net/joe.pw" >&9
until_true asked 2 'The same once more: '
cat "$net/joe.new" >&9
check "is none" until_true shows 'two different passwords'
keys 'delete-account\r'
check "to delete the account he has to say his name" until_true shows \
	'Type your name, joe, '
keys 'yes\n'
check "which he has not" until_true shows 'Nothing was deleted'
keys 'delete-account\r'
check "he is asked again" until_true asked 2 'Type your name, joe, '
keys 'no\nsay still here\n'
check "what is typed behind an answer is the next command" \
	until_true shows 'You say: still here'
keys 'quit\r'
check "quit ends it" until_true gone "${helpers[0]}"
exec 9>&-
check "the password was not shown" not grep -qaFf "$net/joe.pw" "$net/tty/log"
check "nor the new one" not grep -qaFf "$net/joe.new" "$net/tty/log"
# It was changed on the map: the gateway's replica hears of it by itself.
check "the old password is void" until_true says 'Login refused' \
	joe 1 'login joe'
check "passwords from a descriptor, one after the other" says 'Done: ' \
	status 0 "$netshell" "${here[@]}" -e 'login joe; password' \
	--password-fd 3 3<<<"$(cat "$net/joe.new" "$net/joe.new" "$net/joe.pw")"
check "until there is none" says 'no \(further\) password' \
	status 1 "$netshell" "${here[@]}" -e 'login joe; password' \
	--password-fd 3 3<"$net/joe.pw"
check "nothing is changed before the login" says 'Log in before' joe 1 password
check "delete-account wants the name" says 'Nothing was deleted' joe 1 \
	'login; delete-account'
check "what is not understood is not done" says 'help email' joe 1 \
	'login; email joe@example.org --public'
check "joe deletes his account" says 'Done: .*deleted' joe 0 \
	'login; delete-account joe'
check "and cannot log in any more" says 'Login refused' joe 1 login
if [ $edited = yes ]; then
	history=$net/home/.metacube-netshell_history
	check "the history has the sentence" grep -q 'half' "$history"
	check "and no password" not grep -qFf "$net/joe.pw" "$history"
	check "and is its owner's" test "$(stat -c %a "$history")" = 600
fi
finish
