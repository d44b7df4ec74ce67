#!/bin/bash
# SPDX-License-Identifier: MIT
#
# 40_place - where people are sent: by each policy, when a world is full, when
# one is lost, and when the taskmaster has forgotten everything.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

settings[auth_password]='account_free = 1000; address_free = 1000000;'
settings[world]='idle_timeout = "1h";'	# who stays says nothing
network 2
for name in joe amanda nina; do
	account $name
done

# sent NAME [MAP] - the world that the gateway names; $ticket, $endpoint
sent () {
	login "$1" map="${2-newbie-island}" login until=reroute \
		>"$net/$1.reroute" 2>&1 || { cat "$net/$1.reroute" >&2; return 1; }
	field world "$net/$1.reroute"
}

# stay NAME - goes there, and stays in the background; ends with leave NAME
declare -A stays=()
stay () {
	local name=$1
	sent "$name" >/dev/null || return 1
	mkfifo "$net/$name.in"
	rm -f "$net/$name.there"	# of the visit before
	"$hostile_program" -t 600 "$(field endpoint "$net/$name.reroute")" tls \
		enter="$(field ticket "$net/$name.reroute")" until=entered \
		hold leave expect-closed \
		<"$net/$name.in" >"$net/$name.there" 2>&1 &
	stays[$name]=$!
	helpers+=($!)
	exec {fd}>"$net/$name.in"
	in_of[$name]=$fd
	until_true grep -q ^holding "$net/$name.there"
}
leave () {
	local fd=${in_of[$1]}
	echo >&"$fd"
	reap "${stays[$1]}"
	local status=$?
	exec {fd}>&-
	rm "$net/$1.in"
	return $status
}
stay_where () { sed -n 's/^entered .*world=\([^ ]*\).*/\1/p' "$net/$1.there"; }

# users WORLD COUNT - what the taskmaster has in its table
users () { row taskmaster worlds "$(has world "$1")" "$(has users "$2")"; }

# policy NAME [SETTING] - the taskmaster takes a new one at run time
policy () {
	module_conf taskmaster taskmaster \
		"listen = \"127.0.0.1:0\"; policy = \"$1\"; ${2-}"
	ctl taskmaster reload
}

# -- the policies ------------------------------------------------------------

# Joe is there; where does Amanda go?
check "policy combined" policy combined
check "joe stays on newbie-island" stay joe
first=$(stay_where joe)
second=world-$((3 - ${first#world-}))
check "the taskmaster has one user on $first" until_true users "$first" 1
check "combined: amanda is sent to the copy that is open" \
	test "$(sent amanda)" = "$first"
check "policy map-affinity" policy map-affinity
check "map-affinity: so she is" test "$(sent amanda)" = "$first"
check "policy least-users" policy least-users
check "least-users: she is sent to the world with fewer" \
	test "$(sent amanda)" = "$second"
check "least-users: her ticket counts as a user, nina goes to either" \
	test -n "$(sent nina)"
sed -i "s|^};|load_base = 500;\n};|" "$net/$first/conf.d/world.conf"
check "$first says that it is half loaded" ctl "$first" reload
check "policy least-load" policy least-load
least_load () { [ "$(sent amanda)" = "$second" ]; }
check "least-load: she is sent to the other" until_true least_load
sed -i '/load_base = 500/d' "$net/$first/conf.d/world.conf"
check "the load goes down" ctl "$first" reload
sed -i "s|^};|load_base = 500;\n};|" "$net/$second/conf.d/world.conf"
check "and that of $second goes up" ctl "$second" reload
other_load () { [ "$(sent amanda)" = "$first" ]; }
check "least-load: now she is sent to the first" until_true other_load
check "a policy that nobody knows is refused" not policy guess
check "policy combined again" policy combined
check "joe leaves" leave joe
check "nobody is left on $first" until_true users "$first" 0

# -- a map that only one has, and one that nobody has -------------------------

no_map () { login joe map=atlantis login until=refused,reroute; }
check "a map that no world has" says NO_SUCH_MAP no_map

# -- a world is lost -----------------------------------------------------------

check "joe stays again" stay joe
first=$(stay_where joe)
second=world-$((3 - ${first#world-}))
check "the tables have his map and him" until_true row taskmaster players \
	"$(has player joe)" "$(has world "$first")"
kill_hard "$first"
lost () { ! registered "$first"; }
check "the loss of $first is known at once" until_true lost
# Known together: what is asked after it cannot be a late success.
check "its maps are gone with it" not row taskmaster maps "$(has world "$first")"
check "and so are its users" not row taskmaster players "$(has world "$first")"
check "which the log says" \
	log_has taskmaster "$first is lost: 1 maps? and 1 users? with it"
check "joe's next login is sent to $second" test "$(sent joe)" = "$second"
leave joe >/dev/null
check "joe stays there" stay joe
check "on $second" test "$(stay_where joe)" = "$second"
start "$first"
check "$first comes back" until_true registered "$first"
kill_hard "$first"
kill_hard "$second"
leave joe >/dev/null
no_world () { login joe map=newbie-island login until=refused,reroute; }
neither () { ! registered world-1 && ! registered world-2; }
check "both are lost" until_true neither
check "no world at all: refused in words" \
	says 'NO_WORLD|NO_SUCH_MAP|TRY_LATER' no_world
start world-1
start world-2
check "world-1 comes back" until_true registered world-1
check "world-2 comes back" until_true registered world-2

# -- all of them are full ------------------------------------------------------

for world in world-1 world-2; do
	sed -i "s|^};|capacity = 1;\n};|" "$net/$world/conf.d/world.conf"
	check "$world stops" stop $world
	start $world
	# The row of the one that has stopped may still be there.
	check "$world is back, with one seat" until_true \
		row taskmaster worlds "$(has world $world)" "$(has capacity 1)"
done
check "joe takes one seat" stay joe
check "amanda takes the other" stay amanda
check "not the same one" test "$(stay_where joe)" != "$(stay_where amanda)"
check "nina is told that there is none" says 'NO_WORLD|TRY_LATER' \
	login nina map=newbie-island login until=refused,reroute
check "amanda leaves" leave amanda
nina_gets_in () { sent nina; }
check "nina gets her seat" until_true nina_gets_in

# -- the taskmaster forgets ------------------------------------------------------

# At the same address; the worlds and the gateway dial again.
where=$(address taskmaster taskmaster)
kill_hard taskmaster
check "joe is not disturbed" kill -0 "${stays[joe]}"
module_conf taskmaster taskmaster "listen = \"$where\";"
start taskmaster
check "world-1 registers again" until_true registered world-1
check "world-2 registers again" until_true registered world-2
check "with joe on his map" until_true users "$(stay_where joe)" 1
map_runs () {
	row taskmaster maps "$(has map newbie-island)" "$(has state running)"
}
check "the map is in the table" map_runs
back () { sent amanda; }
check "amanda is sent to where a seat is left" until_true back
check "which is not joe's world" \
	test "$(field world "$net/amanda.reroute")" != "$(stay_where joe)"
check "joe leaves as always" leave joe
finish
