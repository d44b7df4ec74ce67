#!/bin/bash
# SPDX-License-Identifier: MIT
#
# 30_world - Joe and Amanda on Newbie Island: they see each other come, move,
# talk and go; one comes back after a drop; an empty map is unloaded.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

settings[world]='idle_unload = "1s"; resume_window = "60s";'
settings[auth_password]='account_free = 1000; address_free = 1000000;'
# The same island, for people in a hurry
mkdir "$net/maps" && cp -r "$top_src/maps"/*/ "$net/maps"
sed -i 's/^speed = .*/speed = 20.0;/' "$net/maps/newbie-island/map.conf"
maps_of () { echo "$net/maps"; }
network 1
account joe
account amanda

map_runs () {
	row world-1 'world maps' "$(has map newbie-island)" \
		"$(has state running)"
}
map_rests () { ctl world-1 world maps >"$net/running" && ! map_runs; }
check "no map runs before anybody comes" map_rests

# -- they meet, in the people's client ----------------------------------------

person joe
person amanda
type_in joe "login joe newbie-island --password-file $net/joe.pw"
check "joe is rerouted" until_true hears joe 'Rerouted to world-1'
check "joe is on the island, alone" until_true hears joe \
	'You are on Newbie Island .* world-1; 1 person is here'
check "the world runs it" map_runs
type_in amanda "login amanda --password-file $net/amanda.pw"
check "amanda is logged in" until_true hears amanda 'Logged in as amanda'
check "the taskmaster has heard of joe" until_true \
	row taskmaster maps "$(has map newbie-island)" "$(has users 1)"
type_in amanda "maps"
check "the list says that somebody is there" until_true hears amanda \
	'newbie-island +Newbie Island +1 +1'
type_in amanda "join newbie-island"
check "amanda is there, too" until_true hears amanda \
	'You are on Newbie Island .* world-1; 2 people are here'
check "joe sees her come" until_true hears joe 'amanda appears'
type_in joe "who"
check "joe's list has her" until_true hears joe '^.*NOTE   *amanda .* m '
type_in joe "watch amanda"
check "joe watches her" until_true hears joe 'keep an eye on amanda'
type_in amanda "move north 2"
check "joe sees her walk" until_true hears joe 'amanda walks'
check "she arrives" until_true hears amanda 'You stand at'
type_in amanda "move 0 0"
check "terrain stops her: the sea is no way" until_true hears amanda \
	'no way on'
# She may rest on her way for longer than a netshell waits.
stands_there () {
	hears amanda 'You stand at 128\.0 100\.0' && return
	hears amanda 'You stand at' && type_in amanda "move 128 100"
	return 1
}
type_in amanda "move 128 100"
check "she comes back" until_true stands_there
type_in amanda "say Hello Joe, over here"
check "joe hears her" until_true hears joe 'amanda says: Hello Joe, over here'
type_in joe "say Hello Amanda"
check "amanda hears him" until_true hears amanda 'joe says: Hello Amanda'
player () { row world-1 'world players' "$(has player "$1")"; }
both_are_there () { player joe && player amanda; }
check "the world's list of players has both" both_are_there
check "the taskmaster counts them" until_true \
	row taskmaster maps "$(has map newbie-island)" "$(has users 2)"
check "and knows where joe is" row taskmaster players "$(has player joe)" \
	"$(has world world-1)" "$(has map newbie-island)"
type_in joe "quit"
check "amanda sees him go" until_true hears amanda 'joe is gone'
type_in amanda "quit"
check "an empty map is unloaded" until_true map_rests
no_copy () { ! row taskmaster maps "$(has map newbie-island)"; }
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
check "his place is kept" player joe
check "a wrong secret is refused" says '^refused' hostile \
	"$(address world-1 world)" tls \
	resume="$(field session "$net/entered"):00112233445566778899" \
	until=entered,refused
# Long enough for all of this; from the next drop on soon over.
sed -i 's/resume_window = "60s"/resume_window = "1s"/' \
	"$net/world-1/conf.d/world.conf"
check "the window becomes short" ctl world-1 reload
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
