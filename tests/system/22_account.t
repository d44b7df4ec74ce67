#!/bin/bash
# SPDX-License-Identifier: MIT
#
# 22_account - accounts as people have them: everything that can be asked on
# the account server's socket, with the mails that belong to it.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

settings[acctserv]='account_free = 1000; account_mails = 1000;
	address_mails = 6; address_free = 4; delay_base = "1m";
	delay_max = "1m"; mail_interval = "1h"; cost = 1;
	link = "https://play.example/account/{page}?name={name}&code={code}";
	site_name = "Cube & Söhne";'
settings[mail_sendmail]='from = "noreply@play.example";'
mailbox
host_lines=("core_dumps = true;")
host_conf account
accounts_conf account
module_conf account mail_sendmail "command = \"$sendmail -t -i\";" \
	"spool = \"$net/account/mail\";"
start account

ask () {			# VERB NAME KEY=VALUE...
	timeout "$patience" "$top_build/tests/system/account_ask" \
		"$net/account/acctserv.sock" "$@"
}
answers () {			# RESULT VERB NAME KEY=VALUE...
	local wanted=$1
	shift
	ask "$@" >"$net/answer"
	cat "$net/answer"
	[ "$(head -n 1 "$net/answer" | cut -d' ' -f1)" = "$wanted" ]
}
ready () { ask check nobody password="$net/joe.pw" | grep -q ^WRONG; }
mailed () { code_for "$1" >"$net/code"; }
code () { until_true mailed "$1" >/dev/null; cat "$net/code"; }
forget_mails () { rm -f "$net"/mailbox/*; }
# Mails go out beside the answers
no_mail () { [ -z "$(find "$net/account/mail" -name '*.mail')" ]; }

echo "the password of joe" >"$net/joe.pw"
echo "another password" >"$net/new.pw"
echo "not the password" >"$net/wrong.pw"
check "the account server answers" until_true ready

# -- create and activate ---------------------------------------------------------

check "an account is created" answers DONE create Joe \
	password="$net/joe.pw" email=joe@example.com by=web
check "whose mail is there" until_true mailed joe@example.com
code=$(cat "$net/code")
check "to the right address, with its link" grep -q \
	"https://play.example/account/activate?name=joe&code=$code" \
	<(sed -z 's/=\n//g; s/=3D/=/g' "$net"/mailbox/*)
check "its subject is encoded" grep -rq '^Subject: =?UTF-8?Q?Cube' \
	"$net/mailbox"
check "it cannot be used yet" answers NOT_ACTIVATED check joe \
	password="$net/joe.pw"
check "which only its password learns" answers WRONG_PASSWORD check joe \
	password="$net/wrong.pw"
check "the same name is taken" answers NAME_TAKEN create JOE \
	password="$net/new.pw" email=amanda@example.com
check "and what looks like it" answers NAME_TAKEN create j0e \
	password="$net/new.pw" email=amanda@example.com
check "and a reserved one" answers NAME_TAKEN create adm1n \
	password="$net/new.pw" email=amanda@example.com
check "a bad name is one" answers BAD_NAME create 'jo e' \
	password="$net/new.pw" email=amanda@example.com
check "so is a bad address" answers BAD_EMAIL create amanda \
	password="$net/new.pw" email='amanda, x@example.com'
check "a line end in it is not even read" answers BAD_REQUEST create amanda \
	password="$net/new.pw" email='amanda@example.com
Bcc: x@example.com'
check "a wrong code" answers BAD_CODE activate joe password="$net/joe.pw" \
	code=AAAAAAAAAAAAAAAAAAAAAAAAAA
check "a code with a wrong password" answers WRONG_PASSWORD activate joe \
	password="$net/wrong.pw" code="$code"
check "the code, in small letters with hyphens" answers DONE activate joe \
	password="$net/joe.pw" code="$(sed 's/..../&-/g' <<<"${code,,}")"
codes=("$code")
check "is good once" answers ALREADY_ACTIVATED activate joe \
	password="$net/joe.pw" code="$code"
check "now the account is good" answers DONE check joe \
	password="$net/joe.pw"
check "nobody who does not know a password learns of a name" \
	answers WRONG_PASSWORD check nobody password="$net/joe.pw"
check "a password is missing" answers BAD_REQUEST check joe
check "one is too many" answers BAD_REQUEST check joe \
	password="$net/joe.pw" new="$net/new.pw"
check "no verb" answers BAD_REQUEST none joe

# -- password --------------------------------------------------------------------

check "a new password" answers DONE password joe password="$net/joe.pw" \
	new="$net/new.pw" playing=1
check "not with the old one" answers WRONG_PASSWORD password joe \
	password="$net/joe.pw" new="$net/new.pw"
check "the new one is good" answers DONE check joe password="$net/new.pw"

# -- e-mail ----------------------------------------------------------------------

forget_mails
check "another e-mail address" answers DONE email joe \
	password="$net/new.pw" email=joe@example.org private=1
check "which is not there before its code" \
	says 'joe@example\.com' ctl account account show joe
code=$(code joe@example.org)
check "the code is mailed once more" answers DONE resend joe \
	password="$net/new.pw"
old=$code
codes+=("$old")
renewed () { mailed joe@example.org && [ "$(cat "$net/code")" != "$old" ]; }
check "another one" until_true renewed
code=$(cat "$net/code")
codes+=("$code")
check "then the first is void" answers BAD_CODE validate joe \
	password="$net/new.pw" code="$old"
check "the second is good" answers DONE validate joe \
	password="$net/new.pw" code="$code"
check "and the address is the new one, and private" \
	says 'joe@example\.org \(private\)' ctl account account show joe
check "no code is awaited now" answers ALREADY_ACTIVATED resend joe \
	password="$net/new.pw"

# -- forgotten -------------------------------------------------------------------

forget_mails
check "a forgotten password" answers DONE forgotten joe \
	email=joe@example.org address=192.0.2.9
cut -d: -f2- "$net/answer" >"$net/fits"
check "a name that does not fit" answers DONE forgotten joe \
	email=joe@example.com address=192.0.2.9
check "has the same answer" cmp "$net/fits" <(cut -d: -f2- "$net/answer")
check "and one that is not there" answers DONE forgotten nobody \
	email=joe@example.org address=192.0.2.9
check "too" cmp "$net/fits" <(cut -d: -f2- "$net/answer")
code=$(code joe@example.org)
codes+=("$code")
check "one mail was sent" test "$(find "$net/mailbox" -type f | wc -l)" -eq 1
check "its code does not activate" answers ALREADY_ACTIVATED activate joe \
	password="$net/new.pw" code="$code"
check "it is good for nobody else" answers BAD_CODE reset nobody \
	code="$code" new="$net/joe.pw"
check "but for a new password" answers DONE reset joe code="$code" \
	new="$net/joe.pw"
check "once" answers BAD_CODE reset joe code="$code" new="$net/new.pw"
check "that is good" answers DONE check joe password="$net/joe.pw"
too_many () { answers TRY_LATER forgotten joe email=joe@example.org \
	address=192.0.2.9; }
check "so many mails for one address" until_true too_many
check "others are not concerned" answers DONE forgotten joe \
	email=joe@example.org address=192.0.2.10

# -- guessing --------------------------------------------------------------------

for i in {1..6}; do
	ask check "victim$i" password="$net/wrong.pw" \
		address=2001:db8::$i >>"$net/guesses"
done
check "guesses from one network are delayed" grep -q '^TRY_LATER.*retry=[1-9]' \
	"$net/guesses"
check "others are not" answers DONE check joe password="$net/joe.pw" \
	address=192.0.2.77

# The same bytes, and about the same time: a missing hash would be a tenth
check "an unknown name and a wrong password" answers WRONG_PASSWORD check joe \
	password="$net/wrong.pw"
cut -d: -f2- "$net/answer" >"$net/known"
check "have the same answer" answers WRONG_PASSWORD check zoe \
	password="$net/wrong.pw"
check "to the byte" cmp "$net/known" <(cut -d: -f2- "$net/answer")
time_of () { sed -n 's/.* us=\([0-9]*\).*/\1/p' "$net/answer"; }
median () { sort -n "$1" | sed -n 8p; }
for i in {1..15}; do
	answers WRONG_PASSWORD check joe password="$net/wrong.pw" times=8
	time_of >>"$net/known.us"
	answers WRONG_PASSWORD check zoe password="$net/wrong.pw" times=8
	time_of >>"$net/unknown.us"
done >/dev/null
known=$(median "$net/known.us") unknown=$(median "$net/unknown.us")
check "and take the same time ($known and $unknown us)" \
	test $((unknown * 2)) -gt "$known" -a $((known * 2)) -gt "$unknown"

# -- by operators ------------------------------------------------------------------

check "account lock" ctl account account lock joe
for verb in check email resend delete; do
	check "a locked account is told so: $verb" answers LOCKED $verb joe \
		password="$net/joe.pw" $([ $verb = email ] &&
		echo email=a@example.com)
done
check "but may see what is known of it" answers DONE export joe \
	password="$net/joe.pw"
check "as JSON" grep -q '"email": "joe@example.org"' "$net/answer"
check "account unlock" ctl account account unlock joe
check "account email" ctl account account email joe j@example.net
check "account administrator" ctl account account administrator joe on
check "both are shown" says 'administrator +yes' \
	ctl account account show joe
check "account create takes an address, and reserved names" \
	ctl account account create admin root@example.com \
	--password-file "$net/new.pw"
check "account activate has nothing to do" says 'activated already' \
	not ctl account account activate admin

check "an account deletes itself" answers DONE delete joe \
	password="$net/joe.pw"
check "and is unknown" answers WRONG_PASSWORD check joe \
	password="$net/joe.pw"
check "its name is free" answers DONE create joe \
	password="$net/joe.pw" email=joe@example.com
check "account erase" ctl account account erase joe

# -- the audit log -----------------------------------------------------------------

audited () { [ "$(ctl account account audit uid:1 | grep -cE "$1")" -eq 1 ]; }
check "the audit log has the deletion" until_true audited 'delete  *web|delete'
for what in create activate validate reset appoint unlock; do
	check "and once: $what" audited " $what "
done
check "with who it was" says 'lock +metacubectl ' \
	ctl account account audit uid:1
check "and whom the web front is" says 'create +web \([a-z]' \
	ctl account account audit uid:1
ctl account account lock nobody >/dev/null 2>&1
refused () { ctl account account audit | grep -q 'lock, refused: not found'; }
check "and what an operator was refused" until_true refused
check "metacube-wmqdump reads it" says 'tag=adt .*what=erase' \
	"$top_build/metacube-wmqdump" "$net/account/audit"
check "it names nobody" not grep -raiE 'joe|example\.(com|org|net)' \
	"$net/account/audit"
kill_hard account
start account
check "after a SIGKILL it goes on" until_true ready
check "without an entry twice" audited ' create '

# -- secrets -----------------------------------------------------------------------

forget_mails
check "one more account, for its code" answers DONE create amanda \
	password="$net/joe.pw" email=amanda@example.com
code=$(code amanda@example.com)
codes+=("$code")
check "which is used" answers DONE activate amanda password="$net/joe.pw" \
	code="$code"
check "all mails are gone from the spool" until_true no_mail
check "codes were mailed" test "${#codes[@]}" -ge 4
printf '%s\n' "${codes[@]}" >"$net/codes"
check "none is in a file of the server, or in its log" \
	not grep -raFf "$net/codes" "$net/account"
check "nor is a password" not grep -ra 'the password of joe' "$net/account"
if grep -q '^CFLAGS = .*-fsanitize=' "$top_build/Makefile"; then
	skip "nor in its memory" "sanitizers map terabytes"
elif ! gcore -o "$net/core" "${pid_of[account]}" >"$net/gcore" 2>&1; then
	skip "nor in its memory" "gcore: $(tail -n 1 "$net/gcore")"
else
	check "nor in its memory" not grep -aFf "$net/codes" "$net"/core.*
	rm -f "$net"/core.*
fi

# -- the network -------------------------------------------------------------------

check "it stops" stop account
certificates 1
rm "$net/account/conf.d/mail_sendmail.conf"
host_conf account
accounts_conf account 127.0.0.1:0
check "without mail it starts too" start account 2>"$net/err"
ready_again () { answers WRONG_PASSWORD check nobody \
	password="$net/joe.pw"; }
check "and is ready" until_true ready_again
check "but then nobody creates accounts" answers NOT_ALLOWED create zoe \
	password="$net/joe.pw" email=zoe@example.com

# -- the first start of a machine: /run is empty -----------------------------------

check "it stops once more" stop account
sed -i "s|$net/account/control|$net/run/control|" "$net/account/metacubed.conf"
sed -i "s|unix:$net/account/|unix:$net/run/|" "$net/account/conf.d/acctserv.conf"
launch account
check "it makes the folder of its sockets" \
	until_true test -S "$net/run/acctserv.sock"
check "and answers there" \
	until_true "$metacubectl" -s "$net/run/control" status
check "it stops at the end" stop account
finish
