#!/bin/bash
# SPDX-License-Identifier: MIT
#
# 23_mail - mails go out through the sendmail interface: whatever the command
# does, no mail is lost and nobody waits for it.  At the end a real mail system
# delivers one into a mailbox.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

settings[acctserv]='account_free = 1000; account_mails = 1000;
	address_mails = 1000; cost = 1; site_name = "Söhne";'
settings[mail_sendmail]='from = "noreply@play.example"; parallel = 2;
	retry_base = "50ms"; retry_max = "100ms";
	from_name = "Söhne, \"Cube\"";'"timeout = \"$((patience / 4))s\";"
mailbox
# The command does as $net/how says, and takes the mail when that is nothing.
cat >"$net/does" <<END
#!/bin/sh
how=\$(cat "$net/how")
echo "\$@" >>"$net/arguments"
case \$how in
"") exec "$sendmail" "\$@" ;;
hang) echo \$\$ >>"$net/hanging"; exec sleep $patience ;;
die) kill -KILL \$\$ ;;
loud) yes | head -c 1000000; exec "$sendmail" ;;
deaf) exit 0 ;;
*) echo "told to end with \$how" >&2; exit "\$how" ;;
esac
END
chmod 755 "$net/does"
: >"$net/how"
host_conf account
accounts_conf account
module_conf account mail_sendmail "command = \"$net/does -t -i\";" \
	"spool = \"$net/account/mail\";"
start account
echo "the password" >"$net/pw"

ask () {			# VERB NAME KEY=VALUE...
	timeout "$patience" "$top_build/tests/system/account_ask" \
		"$net/account/acctserv.sock" "$@"
}
ready () { ask check nobody password="$net/pw" | grep -q ^WRONG; }
create () { ask create "$1" password="$net/pw" email="$1@example.com"; }
spooled () { find "$net/account/mail" -maxdepth 1 -name '*.mail' | wc -l; }
spool_empty () { [ "$(spooled)" -eq 0 ]; }
counted () { [ "$(counter account mail_sendmail "$1")" -ge "$2" ]; }
attempts () { [ "$(wc -l <"$net/arguments")" -ge "$1" ]; }
failed () { find "$net/account/mail/failed" -type f; }
mailed () { code_for "$1@example.com"; }
check "the server is ready" until_true ready

# -- the message -----------------------------------------------------------------

check "a mail is sent" create joe
check "and comes" until_true mailed joe
mail=$(echo "$net"/mailbox/*)
check "with the arguments of the interface, and its sender" \
	grep -qx -- '-t -i -f noreply@play.example' "$net/arguments"
check "one recipient" test "$(grep -c '^To: joe@example.com$' "$mail")" -eq 1
check "a date" grep -qE '^Date: [A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} 20[0-9]{2} [0-9:]{8} \+0000$' \
	"$mail"
check "an id" grep -qE '^Message-ID: <[0-9a-f-]+@play.example>$' "$mail"
check "a name that cannot be mistaken for more" \
	grep -q '^From: =?UTF-8?Q?S=C3=B6hne=2C=20=22Cube=22?= <noreply@play.example>$' \
	"$mail"
check "a subject that is encoded" grep -q '^Subject: =?UTF-8?Q?S=C3=B6hne' \
	"$mail"
check "nothing but ASCII" not grep -qP '[^\x09\x0a\x20-\x7e]' "$mail"
check "no line that is too long" not grep -qE '.{79}' "$mail"
check "the spool is empty" until_true spool_empty

# -- what the command may do -------------------------------------------------------

# Everything but these three may be mended by somebody, some day
for status in 64 66 69 70 71 72 73 74 75 76 77 78 1 127 die hang loud; do
	name=user-$status
	echo $status >"$net/how"
	: >"$net/arguments"
	check "$status: the answer does not wait" create "$name"
	if [ $status != loud ]; then
		check "$status: it is tried again" until_true attempts 2
		check "$status: and kept" test "$(spooled)" -eq 1
	else
		check "$status: it is tried" until_true attempts 1
	fi
	: >"$net/how"
	check "$status: until it is taken" until_true mailed "$name"
	check "$status: then it is gone" until_true spool_empty
done
check "what hung was killed" not kill -0 $(cat "$net/hanging")
for status in 65 67 68; do
	echo $status >"$net/how"
	before=$(failed | wc -l)
	check "$status: the answer is the same" create "bad-$status"
	given_up () { [ "$(failed | wc -l)" -gt "$before" ]; }
	check "$status: it is given up" until_true given_up
	: >"$net/how"
done
check "what was given up is kept, with the reason" \
	grep -rq 'Given up: .*told to end with 65' "$net/account/mail/failed"
check "but not its code" not grep -rqE '[A-Z2-7]{26}' \
	"$net/account/mail/failed"
check "and the log has it" log_has account 'is given up after 1 attempt'

# -- beside each other, and over a restart -----------------------------------------

echo hang >"$net/how"
: >"$net/arguments"
check "a command hangs" create slow-one
check "it was begun" until_true attempts 1
: >"$net/how"
check "others overtake it" create quick-one
check "at once" until_true mailed quick-one
echo 75 >"$net/how"
check "mails wait" create waits-one
check "for a while" create waits-two
kill_hard account
: >"$net/how"
start account
check "the server was killed, and is ready again" until_true ready
for name in waits-one waits-two slow-one; do
	check "$name gets the mail" until_true mailed $name
done
check "the spool is empty again" until_true spool_empty
check "it is nobody else's" test \
	"$(stat -c %a "$net/account/mail")" -eq 700
check "stop" stop account
old=$(failed | head -n 1)
touch -d '31 days ago' "$old"
kept=$(failed | wc -l)
settings[mail_sendmail]+=' give_up = "0s"; spool_max = 1;'
module_conf account mail_sendmail "command = \"$net/not-there\";" \
	"spool = \"$net/account/mail\";"
start account
check "it starts without its command" until_true ready
forgotten () { [ ! -e "$old" ] && [ "$(failed | wc -l)" -eq $((kept - 1)) ]; }
check "what was given up a month ago is removed" until_true forgotten
check "a mail for which there is none" create none-there
check "is given up when its time is over" until_true counted failed 1
check "stop" stop account

# -- a real one ----------------------------------------------------------------------

exim=$(command -v exim4 || echo /usr/sbin/exim4)
if [ ! -x "$exim" ] || [ "$(id -u)" -ne 0 ]; then
	skip "a real mail system delivers" \
		"needs exim4-daemon-light (tools/setup check), and root"
	finish
fi
# Its own configuration, spool, log and mailbox; nothing of the machine's
mkdir -p "$net/exim/spool" "$net/exim/log" "$net/exim/box"
chown -R Debian-exim "$net/exim/spool" "$net/exim/log" "$net/exim/box"
chmod 755 "$net" "$net/exim"
cat >"$net/exim/conf" <<END
primary_hostname = mail.play.example
spool_directory = $net/exim/spool
log_file_path = $net/exim/log/%slog
keep_environment =
never_users = root
deliver_drop_privilege = true
begin routers
everybody:
  driver = accept
  transport = box
begin transports
box:
  driver = appendfile
  file = $net/exim/box/mbox
  user = Debian-exim
END
settings[mail_sendmail]='from = "noreply@play.example";
	from_name = "Söhne";'
module_conf account mail_sendmail \
	"command = \"$exim -C $net/exim/conf -t -i\";" \
	"spool = \"$net/account/mail\";"
start account
check "the server is ready, with exim" until_true ready
check "an account is created" create zoe
# When its log says so, all of it is in the file.
delivered () {
	grep -q ' Completed' "$net/exim/log/mainlog" &&
		grep -q '^Envelope-to\|^To: zoe@example.com' \
			"$net/exim/box/mbox"
}
check "its mail is delivered" until_true delivered
box=$net/exim/box/mbox
check "from the right sender" grep -q '^From noreply@play.example ' "$box"
check "once" test "$(grep -c '^From ' "$box")" -eq 1
check "taken over by exim" grep -q '^Received: from .*root' "$box"
code=$(sed -z 's/=\n//g' "$box" | grep -oE '^ +[A-Z2-7]{26}$' | tr -d ' ')
check "and its code activates" ask activate zoe password="$net/pw" \
	code="$code"
check "the spool is empty at the end" until_true spool_empty
tail -n 3 "$net/exim/log/mainlog" | sed 's/^/# /'
finish
