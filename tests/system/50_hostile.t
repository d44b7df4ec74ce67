#!/bin/bash
# SPDX-License-Identifier: MIT
#
# 50_hostile - bad input of every kind, by those who are not friends.  Each
# ends in a clear answer for the one who sent it; everybody else goes on: a
# witness stays in a world through all of it, and Joe can log in after it.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

slow=$((patience / 4))s		# enough for an honest client
honest="handshake_timeout = \"$slow\"; login_timeout = \"$slow\";"
settings[gateway]="$honest"'
	max_per_address = 20000; max_connections = 20000; send_timeout = "3s";'
settings[auth_password]='account_free = 1000; address_free = 1000000;'
settings[world]="$honest"'
	send_timeout = "3s"; idle_timeout = "1h";'	# a witness is silent
# Time enough to show a ticket, also on a busy machine; but one has to expire.
settings[taskmaster]="$honest seat_slack = \"0s\";
	ticket_life = \"$((patience / 2))s\";"
more_conf () {			# a second listener, behind a load balancer
	[ "$1" = gateway ] || return 0
	cat >"$net/gateway/conf.d/proxied.conf" <<-END
		module = "gateway"; name = "proxied";
		settings: {
			listen = "127.0.0.1:0"; proxy_protocol = true;
			handshake_timeout = "$slow"; max_per_address = 2;
			idle_timeout = "1h";
		};
	END
}
network 2
account joe
account amanda
account witness
gateway=$(address gateway gateway)

# The witness enters a world and holds on to it.
exec {witness_in}> >(
	hostile "$gateway" tls name=witness password="$net/witness.pw" \
		map=newbie-island login until=reroute >"$net/witness.reroute"
	exec "$hostile_program" -t 600 \
		"$(field endpoint "$net/witness.reroute")" tls \
		enter="$(field ticket "$net/witness.reroute")" \
		until=entered hold say="still here" until=said,kicked,closed \
		>"$net/witness" 2>&1)
helpers+=($!)
witness_has () { grep -q "$1" "$net/witness"; }
check "a witness is in a world" until_true witness_has '^holding'
witness_pid=${helpers[-1]}

# said_no REASON... - what hostile printed is one of these refusals, or the
# connection was closed ("closed").
said_no () {
	local reason
	cat "$net/said"
	for reason in "$@"; do
		grep -qE "^(refused reason=$reason\b|$reason\b)" "$net/said" &&
			return 0
	done
	return 1
}

# no DESCRIPTION REASONS ADDRESS STEP... - the reasons with commas between
no () {
	local what=$1 reasons
	IFS=, read -ra reasons <<<"$2"
	shift 2
	hostile "$@" >"$net/said" 2>&1
	check "$what" said_no "${reasons[@]}"
}

repeat () {			# TEXT TIMES
	local out
	printf -v out '%*s' "$2" ''
	echo "${out// /$1}"
}

# -- bytes -----------------------------------------------------------------

# hurry HANDSHAKE LOGIN - the time that clients have for them from now on
hurry () {
	local where
	for where in gateway world-1 taskmaster; do
		sed -i -E "s/(handshake_timeout = )\"[^\"]*\"/\1\"$1\"/
			s/(login_timeout = )\"[^\"]*\"/\1\"$2\"/" \
			"$net/$where/conf.d/${where%%-*}.conf"
		ctl "$where" reload || return
	done
}
check "strangers have little time" hurry 2s 3s
for where in gateway world-1 taskmaster; do
	module=${where%%-*}
	at=$(address "$where" "$module")
	no "$where: random bytes instead of TLS" closed "$at" \
		random=5000 expect-closed
	no "$where: nothing at all instead of TLS" closed "$at" expect-closed
	no "$where: half a TLS record" closed "$at" hex=1603010200 \
		expect-closed
	no "$where: an HTTP request" closed "$at" \
		hex=474554202f20485454502f312e310d0a0d0a expect-closed
	no "$where: TLS 1.2" tls-failed -p NORMAL:-VERS-ALL:+VERS-TLS1.2 \
		"$at" tls
done

for where in gateway world-1; do
	at=$(address "$where" "${where%%-*}")
	no "$where: random bytes inside TLS" closed "$at" tls random=5000 \
		expect-closed
	no "$where: half a frame, then silence" closed,TRY_LATER,BAD_REQUEST \
		"$at" tls length=100 zero=10 expect-closed
	no "$where: half a length, then silence" closed,BAD_REQUEST "$at" \
		tls hex=0000 expect-closed
	no "$where: a frame of 2 GiB" closed,BAD_REQUEST "$at" tls \
		length=0x7fffffff expect-closed
	no "$where: a frame of 4 GiB" closed,BAD_REQUEST "$at" tls \
		length=0xffffffff expect-closed
	no "$where: more than 4 KiB before the login" closed,BAD_REQUEST \
		"$at" tls length=4097 expect-closed
	no "$where: an empty frame" closed,BAD_REQUEST "$at" tls frame= \
		until=refused,closed
	no "$where: a message that nobody knows" closed,BAD_REQUEST "$at" \
		tls frame=827d00 until=refused,closed
	no "$where: what is no message" closed,BAD_REQUEST "$at" tls \
		frame=ffffffffffffffffffff until=refused,closed
	no "$where: one message 2,000 times in one" \
		closed,BAD_REQUEST,BAD_CREDENTIALS,BAD_TICKET "$at" tls \
		frame="$(repeat 5200 2000)" until=refused,closed
done
check "and more again, for who is honest and slow" hurry "$slow" "$slow"

# -- messages in the wrong state ---------------------------------------------

world=$(address world-1 world)
no "gateway: ENTER" closed,BAD_REQUEST "$gateway" tls enter=00 \
	until=refused,closed
no "gateway: SAY before the login" closed,BAD_REQUEST "$gateway" tls \
	say=hello until=refused,closed
no "gateway: JOIN before the login" closed,BAD_REQUEST "$gateway" tls \
	join=newbie-island until=refused,closed
no "gateway: REGISTER by a client" closed,BAD_REQUEST "$gateway" tls \
	register=world-1 until=refused,closed
no "gateway: LOGIN twice" closed,BAD_REQUEST "$gateway" tls name=joe \
	password="$net/joe.pw" login until=logged_in login until=refused,closed
no "world: LOGIN" closed,BAD_REQUEST "$world" tls name=joe \
	password="$net/joe.pw" login until=refused,closed
no "world: SAY before ENTER" closed,BAD_REQUEST "$world" tls say=hello \
	until=refused,closed
no "world: REGISTER by a client" closed,BAD_REQUEST "$world" tls \
	register=world-1 until=refused,closed

# -- what a login says -----------------------------------------------------

bad=BAD_REQUEST,BAD_CREDENTIALS
no "a name that is not UTF-8" $bad,closed "$gateway" tls name-hex=ff80c1 \
	proof-size=32 login until=refused,closed
no "a name of 10,000 characters" $bad,closed "$gateway" tls name-size=10000 \
	proof-size=32 login until=refused,closed
no "a name of 3,000 characters" $bad "$gateway" tls name-size=3000 \
	proof-size=32 login until=refused,closed
no "no name" $bad "$gateway" tls name= proof-size=32 login \
	until=refused,closed
no "a name with a control character" $bad "$gateway" tls name-hex=6a6f650a41 \
	proof-size=32 login until=refused,closed
no "a Cyrillic look-alike of joe" $bad "$gateway" tls name-hex=6ad0be65 \
	proof-size=32 login until=refused,closed
no "a full-width look-alike of joe" $bad "$gateway" tls \
	name-hex=efbd8aefbd8fefbd85 proof-size=32 login until=refused,closed
for size in 0 31 33 3000; do
	no "a proof of $size bytes" $bad "$gateway" tls name=joe \
		proof-size=$size login until=refused,closed
done
no "another version" WRONG_VERSION "$gateway" tls name=joe version=2 \
	password="$net/joe.pw" login until=refused,closed
no "a mechanism that nobody knows" $bad "$gateway" tls name=joe \
	mechanism=guess password="$net/joe.pw" login until=refused,closed
hostile "$gateway" tls name=JoE password="$net/joe.pw" login \
	until=logged_in,refused >"$net/said" 2>&1
check "JoE is joe" grep -q '^logged_in .*display=joe$' "$net/said"

for map in ../newbie-island /etc/passwd a/b .. . 'newbie-island/' \
	NEWBIE-ISLAND "$(repeat m 64)" "$(repeat m 3000)" no-such-map; do
	no "LOGIN to the map '${map:0:20}'" NO_SUCH_MAP,BAD_REQUEST \
		"$gateway" tls name=joe password="$net/joe.pw" map="$map" \
		login until=refused,reroute,closed
	no "JOIN to the map '${map:0:20}'" NO_SUCH_MAP,BAD_REQUEST \
		"$gateway" tls name=joe password="$net/joe.pw" login \
		until=logged_in join="$map" until=refused,reroute,closed
done

# -- tickets -----------------------------------------------------------------

# ticket_for NAME - $ticket and $world, as Reroute said
ticket_for () {
	hostile "$gateway" tls name="$1" password="$net/$1.pw" \
		map=newbie-island login until=reroute >"$net/reroute" 2>&1 ||
		bail "no ticket for $1: $(cat "$net/reroute")"
	ticket=$(field ticket "$net/reroute")
	world=$(field endpoint "$net/reroute")
	world_name=$(field world "$net/reroute")
}

no "a ticket that is none" BAD_TICKET,BAD_REQUEST "$world" tls \
	enter=00010203 until=refused,entered,closed
no "an empty ticket" BAD_TICKET,BAD_REQUEST "$world" tls enter= \
	until=refused,entered,closed
ticket_for joe
no "a ticket of one's own making" BAD_TICKET "$world" tls \
	forge="$world_name:newbie-island" until=refused,entered,closed

# Each byte that may be altered by a thief: key id, name, seal.
for at in 4 40 80 $((${#ticket} - 2)); do
	ticket_for joe
	was=${ticket:at:2}
	printf -v other '%02x' $((0x$was ^ 1))
	no "a ticket with byte $((at / 2)) altered" BAD_TICKET "$world" tls \
		enter="${ticket:0:at}$other${ticket:at + 2}" \
		until=refused,entered,closed
done

ticket_for joe
hostile "$world" tls enter="$ticket" until=entered leave >"$net/said" 2>&1
check "a ticket is good once" grep -q '^entered ' "$net/said"
no "and not twice" BAD_TICKET "$world" tls enter="$ticket" \
	until=refused,entered,closed

other_world () {
	local name
	for name in world-1 world-2; do
		[ "$name" = "$1" ] || address "$name" world
	done
}
ticket_for joe
no "a ticket for another world" BAD_TICKET "$(other_world "$world_name")" \
	tls enter="$ticket" until=refused,entered,closed

# Tried again and again with a fresh one would be a new ticket: this one is
# shown only when the taskmaster says that its seat is free again.
ticket_for joe
seat_is_free () {
	[ "$(row taskmaster worlds "$(has seats 0)" | wc -l)" -eq 2 ]
}
check "a seat that nobody took is free again" until_true seat_is_free
no "an expired ticket" BAD_TICKET "$world" tls enter="$ticket" \
	until=refused,entered,closed

# Each was refused for what was wrong with it, and not for something else.  A
# ticket for another world is under a key that this one has never seen.
faults () {			# COUNTER - of both worlds
	echo $(($(counter world-1 world "$1") + $(counter world-2 world "$1")))
}
for fault in malformed unknown_key forged used expired; do
	check "tickets_$fault is counted" test "$(faults "tickets_$fault")" -gt 0
done
check "nobody was refused for a copy that is gone" \
	test "$(faults tickets_other_epoch)" -eq 0

no "resuming a session that never was" \
	BAD_TICKET,BAD_REQUEST,BAD_CREDENTIALS,NOT_ALLOWED "$world" tls \
	resume="12345:$(repeat 00 32)" until=refused,entered,closed

# -- links between servers ---------------------------------------------------

tm=$(address taskmaster taskmaster)
no "taskmaster: no certificate" closed,tls-failed "$tm" tls \
	register=world-1 until=refused,registered,closed
pki init "$net/foreign" && pki issue "$net/foreign" world world-1 127.0.0.1 ||
	bail "no certificates"
no "taskmaster: a certificate of another CA" closed,tls-failed \
	-c "$net/foreign/world-1.pem" -k "$net/foreign/world-1.key" "$tm" tls \
	register=world-1 until=refused,registered,closed
pki issue "$net/pki" taskmaster nobody || bail "pki"
no "taskmaster: a role that has no business there" \
	closed,tls-failed,NOT_ALLOWED \
	-c "$(certificate nobody)" -k "$(key nobody)" "$tm" tls \
	register=nobody until=refused,registered,closed
no "taskmaster: a gateway that says it is a world" NOT_ALLOWED,BAD_REQUEST \
	-c "$(certificate gateway)" -k "$(key gateway)" "$tm" tls \
	register=gateway until=refused,registered,closed
no "taskmaster: a world that uses another's name" NOT_ALLOWED \
	-c "$(certificate world-2)" -k "$(key world-2)" "$tm" tls \
	register=world-1 until=refused,registered,closed
no "taskmaster: a world whose name is a path" NOT_ALLOWED,BAD_REQUEST \
	-c "$(certificate world-2)" -k "$(key world-2)" "$tm" tls \
	register=../world-2 until=refused,registered,closed
no "taskmaster: a 2 GiB frame from a world" closed,BAD_REQUEST \
	-c "$(certificate world-2)" -k "$(key world-2)" "$tm" tls \
	length=0x7fffffff expect-closed
# What the operator of the taskmaster reads of these
while read -r why; do
	check "its log: $why" until_true log_has taskmaster "WARN +taskmaster .*$why"
done <<'END'
it does not speak TLS 1.3
it shows no certificate
its certificate was not issued by our CA
needs a certificate for world,gateway,account, and yours is for taskmaster "nobody"
gateway \(gateway\) .*not of the world server that it says it is
world-2 \(world\) .*not of the world server that it says it is
its name is not valid
world-2.*a message is longer than 16777216 bytes
END
# And who dials with the wrong certificate, of that
world_conf stranger "$top_src/maps"
cat >>"$net/stranger/metacubed.conf" <<END
certificate = "$net/foreign/world-1.pem";
key = "$net/foreign/world-1.key";
ca = "$(authority)";
END
start stranger
check "a world with a certificate of another CA says that it is refused" \
	until_true log_has stranger "WARN +world .*$tm"
check "and goes on" ctl stranger status
check "until it is stopped" stop stranger
both_worlds () { registered world-1 && registered world-2; }
check "both worlds are still registered" both_worlds

# -- PROXY headers -----------------------------------------------------------

proxied=$(address gateway proxied)
signature=0d0a0d0a000d0a515549540a
# proxy A.B.C.D in hex - a header that says who connects
proxy () { echo "${signature}2111000c${1}7f00000104d21e3c"; }
no "PROXY: none" closed,tls-failed "$proxied" tls expect-closed
no "PROXY: only half of one" closed "$proxied" hex=$signature expect-closed
no "PROXY: another version" closed "$proxied" hex=${signature}3111000c \
	expect-closed
no "PROXY: one of 64 KiB" closed "$proxied" hex=${signature}2111ffff \
	zero=65535 expect-closed
no "PROXY: not to be sent where none is wanted" closed "$gateway" \
	hex="$(proxy c0000207)" expect-closed
check "PROXY: a good one" hostile "$proxied" hex="$(proxy c0000207)" tls \
	name=joe password="$net/joe.pw" login until=logged_in
check "PROXY: the log says where joe really is" \
	until_true log_has gateway 'joe from 192\.0\.2\.7'
for n in 1 2; do
	mkfifo "$net/held-$n.in"
	"$hostile_program" "$proxied" hex="$(proxy c0000209)" tls \
		name=joe password="$net/joe.pw" login until=logged_in hold \
		<"$net/held-$n.in" >"$net/held-$n" 2>&1 &
	helpers+=($!)
	exec {held}>"$net/held-$n.in"
	check "connection $n from one address" \
		until_true grep -q ^holding "$net/held-$n"
done
no "a third from there is one too many" closed,tls-failed,TRY_LATER \
	"$proxied" hex="$(proxy c0000209)" tls expect-closed
check "one from elsewhere is not" hostile "$proxied" \
	hex="$(proxy c000020a)" tls name=joe password="$net/joe.pw" login \
	until=logged_in

# -- crowds ------------------------------------------------------------------

hostile -r 8192 "$gateway" tls name=joe password="$net/joe.pw" login \
	until=logged_in flood >"$net/said" 2>&1
check "a client that asks and never reads is cut off" said_no 'flood ended'

ticket_for joe
hostile -r 8192 "$world" tls enter="$ticket" until=entered flood \
	>"$net/said" 2>&1
check "nor does a world bear with one" said_no 'flood ended'

crowd=10000 limit=$(ulimit -Hn)
if [ "$limit" != unlimited ] && [ "$limit" -lt 11000 ]; then
	skip "10,000 silent connections" "only $limit descriptors permitted"
	crowd=$((limit / 2))
fi
(
	ulimit -n "$(ulimit -Hn)"
	exec "$hostile_program" -t 600 "$gateway" crowd=$crowd \
		>"$net/crowd" 2>&1
) &
helpers+=($!)
crowd_pid=$!
crowd_is () { grep -q "$1" "$net/crowd"; }
check "$crowd connections that say nothing are there" \
	until_true crowd_is "^crowd $crowd"
hostile "$gateway" tls name=joe password="$net/joe.pw" login until=logged_in \
	>"$net/said" 2>&1
check "Joe logs in among them" grep -q '^logged_in' "$net/said"
check "all of them are closed in time" until_true crowd_is '^all closed'
reap $crowd_pid

# -- and everybody else goes on ----------------------------------------------

check "Amanda logs in and gets her ticket" hostile "$gateway" tls \
	name=amanda password="$net/amanda.pw" map=newbie-island login \
	until=reroute
echo >&"$witness_in"
check "the witness speaks, and is heard" until_true witness_has \
	'^said by=witness text=still here'
check "the witness's connection was never lost" reap "$witness_pid"
finish
