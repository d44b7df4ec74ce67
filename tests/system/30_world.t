#!/bin/bash
# SPDX-License-Identifier: MIT
#
# 30_world - Joe and Amanda on Newbie Island: they see each other come, move,
# talk and go; one comes back after a drop; an empty map is unloaded.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

settings[world]='idle_unload = "1s"; resume_window = "3s";'
settings[auth_password]='account_free = 1000; address_free = 1000000;'
network 1
account joe
account amanda

map_runs () { ctl world-1 maps | grep -E '^newbie-island\b.*running'; }
map_rests () { ctl world-1 maps >"$net/maps" && ! map_runs; }
check "no map runs before anybody comes" map_rests

# -- they meet, in the people's client ----------------------------------------

person joe
person amanda
type_in joe "login joe --password-file $net/joe.pw"
check "joe is logged in" until_true hears joe 'joe'
type_in joe "join newbie-island"
check "joe is on the island" until_true hears joe 'Newbie Island|newbie-island'
check "the world runs it" until_true map_runs
type_in amanda "login amanda --password-file $net/amanda.pw"
check "amanda is logged in" until_true hears amanda 'amanda'
type_in amanda "join newbie-island"
check "amanda is there, too" until_true hears amanda \
	'Newbie Island|newbie-island'
check "joe sees her come" until_true hears joe 'amanda'
type_in joe "who"
check "joe's list has her" until_true hears joe 'amanda'
type_in amanda "say Hello Joe, over here"
check "joe hears her" until_true hears joe 'amanda.*Hello Joe, over here'
type_in joe "say Hello Amanda"
check "amanda hears him" until_true hears amanda 'joe.*Hello Amanda'
type_in joe "look"
both_are_there () {
	ctl world-1 players >"$net/players"
	grep -q joe "$net/players" && grep -q amanda "$net/players"
}
check "metacubectl players has both" both_are_there
check "metacubectl maps counts them" says 'newbie-island.* 2\b' \
	ctl world-1 maps
type_in joe "quit"
check "amanda sees him go" until_true hears amanda 'joe'
type_in amanda "quit"
check "an empty map is unloaded" until_true map_rests
no_copy () { ! ctl taskmaster maps | grep -E '^newbie-island\b.* 1\b'; }
check "and the taskmaster knows" until_true no_copy

# -- a dropped connection -----------------------------------------------------

# enter NAME - goes in by hand; prints what came
enter () {
	login "$1" map=newbie-island login until=reroute >"$net/reroute" &&
		hostile "$(field endpoint "$net/reroute")" tls \
			enter="$(field ticket "$net/reroute")" until=entered
}
# resume FILE - comes back with what ENTERED has said there
resume () {
	hostile "$(address world-1 world)" tls \
		resume="$(field session "$1"):$(field secret "$1")" \
		until=entered,refused
}
enter joe >"$net/entered"
check "joe is in, and drops" grep -q ^entered "$net/entered"
player () { ctl world-1 players | grep -q "$1"; }
check "his place is kept" player joe
check "a wrong secret is refused" says '^refused' hostile \
	"$(address world-1 world)" tls \
	resume="$(field session "$net/entered"):00112233445566778899" \
	until=entered,refused
resume "$net/entered" >"$net/resumed" 2>&1
check "he resumes" grep -q ^entered "$net/resumed"
check "as the same avatar" test "$(field avatar "$net/resumed")" = \
	"$(field avatar "$net/entered")"
joe_gone () { ! player joe; }
check "when he does not come back his place is free" until_true joe_gone
check "and then it is too late" says '^refused' resume "$net/resumed"

# -- twice at the same time -----------------------------------------------------

login joe map=newbie-island login until=reroute >"$net/reroute"
"$hostile_program" -t 120 "$(field endpoint "$net/reroute")" tls \
	enter="$(field ticket "$net/reroute")" until=entered \
	until=kicked,closed >"$net/first" 2>&1 &
helpers+=($!)
check "joe is in at one place" until_true grep -q ^entered "$net/first"
enter joe >"$net/second"
check "and in at another" grep -q ^entered "$net/second"
check "the first is told so" until_true grep -q LOGGED_IN_ELSEWHERE \
	"$net/first"
finish
