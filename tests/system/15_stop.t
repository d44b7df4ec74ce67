#!/bin/bash
# SPDX-License-Identifier: MIT
#
# 15_stop - how a server ends: what was begun is finished, what does not end is
# left behind, and who fails to begin takes the others along in order.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

# shellcheck disable=SC2034 # used by host_conf
modules=$top_build/tests/fakes/.libs

# world_of BEHAVIOUR DELAY STOP_MS [SETTING] - an asker and what it asks
world_of () {
	host_conf one "stop_limit = \"$3\";"
	module_conf one tcapw_fake "behaviour = \"$1\";" "delay = \"$2\";"
	module_conf one asker "${4-}"
	: >"$net/one/log"
}

# ask - in the background; what comes of it is in $net/asked
ask () {
	ctl one ask joe >"$net/asked" 2>&1 &
	asking=$!
	until_true log_has one 'asker.* asks'
}

# ended STATUS - the server ends with it.  What it does not wait for takes far
# longer than the test is patient.
never=600s
ended () {
	local pid=${pid_of[one]} status
	unset "pid_of[one]"
	reap "$pid"
	status=$?
	echo "status $status"
	[ $status -eq "$1" ]
}

# insists - asks it to stop until it does so at once
insists () {
	kill -TERM "${pid_of[one]}" 2>/dev/null
	log_has one 'stopping at once'
}

in_order () {			# PATTERN PATTERN - first lines with them
	local first second
	first=$(grep -nE -- "$1" "$net/one/log" | head -n 1 | cut -d: -f1)
	second=$(grep -nE -- "$2" "$net/one/log" | head -n 1 | cut -d: -f1)
	[ -n "$first" ] && [ -n "$second" ] && [ "$first" -lt "$second" ]
}

# Who fails to begin.
world_of answers 0ms 5s 'fails = "init";'
launch one
check "a failing init ends the server with status 1" ended 1
check "the message names instance and file" \
	log_has one 'ERROR.*asker .*conf.d/asker.conf.* initialised'
check "nothing was started" not log_has one 'asker.* (start|stop|fini)$'

world_of answers 0ms 5s 'fails = "start";'
launch one
check "a failing start ends the server with status 1" ended 1
check "the message names the instance" \
	log_has one 'ERROR.*asker .*asker.conf.* started'
check "what was initialised is finished" log_has one 'asker fini$'
check "what was not started is not stopped" not log_has one 'asker stop$'

# A graceful stop.
world_of thread 1s 20s
start one
check "somebody asks" ask
kill -TERM "${pid_of[one]}"
check "a stop waits for what is being answered" ended 0
wait $asking
check "and the answer arrives" grep -q 'answered: done' "$net/asked"
check "stop, then fini" in_order 'asker stop$' 'asker fini$'

# A provider that never answers.
world_of silent 0ms 2s
start one
check "somebody asks" ask
kill -TERM "${pid_of[one]}"
check "a question that nobody answers holds it up to the limit" ended 0
wait $asking
check "who asked is told" grep -q 'asker has stopped' "$net/asked"
check "fini has run" log_has one 'asker fini$'

# A job that does not end.
world_of thread $never 2s
start one
check "somebody asks" ask
kill -TERM "${pid_of[one]}"
check "a job that does not end is left behind, status 1" ended 1
wait $asking
check "the log names its instance" \
	log_has one 'tcapw_fake has not finished its work'

world_of thread $never $never
start one
check "somebody asks" ask
kill -TERM "${pid_of[one]}" "${pid_of[one]}"
check "it is stopping" until_true log_has one 'metacubed stopping'
check "two signals at the same time are one" \
	not log_has one 'stopping at once'
check "a second SIGTERM is another one" until_true insists
check "and ends it at once, status 1" ended 1
wait $asking

# A module that holds the loop for a while.
world_of holds 80ms 5s
start one
check "a store holds the loop" ctl one ask joe
held='WARN +asker #[0-9]+ ask held the loop for ([89][0-9]|[0-9]{3,}) ms'
asked='after asking tcapw_fake \(tcapw\.lookup\)'
check "the log says who, in what, how long, and whom it asked" \
	log_has one "$held \(limit 50 ms\), $asked\$"
# On a busy machine there may be more of them than this one.
check "it is counted" test "$(counter one asker stalls)" -eq \
	"$(grep -c 'asker .* held the loop' "$net/one/log")"
check "and everything goes on" ctl one status
check "it stops" stop one
world_of holds 80ms 5s
host_conf one 'stall_limit = "10s";'
start one
check "it does so again, within the limit" ctl one ask joe
check "of which nobody speaks" not log_has one 'held the loop'
check "it stops" stop one

# A module that holds the loop for ever.
world_of answers 0ms 100ms
start one
ctl one hang >"$net/asked" 2>&1 &
asking=$!
check "a module hangs" until_true log_has one 'asker.* hangs'
kill -TERM "${pid_of[one]}"
check "a server whose loop is held ends all the same" ended 1
check "the log says who held it" log_has one 'ERROR.*held by asker \(hang\)'
wait $asking

# Crash points.
world_of answers 0ms 5s
export METACUBE_CRASH_AT=asker.pass:2
start one
unset METACUBE_CRASH_AT
check "a crash point is passed" ctl one pass
check "until its turn comes" not ctl one pass
check "then the process is killed" ended 137
check "the log has said so" log_has one 'METACUBE_CRASH_AT'

# What needs a restart is said.
start one
rm "$net/one/conf.d/asker.conf"
check "a reload without one of the instances" ctl one reload
check "says that this needs a restart" log_has one 'WARN.*needs a restart'
check "and the instance goes on" ctl one ask joe
check "it stops" stop one

# A log file that is renamed.
host_conf one "log_file = \"$net/one/file\";"
start one
mv "$net/one/file" "$net/one/file.1"
kill -HUP "${pid_of[one]}"
check "SIGHUP opens the log file anew" \
	until_true grep -q 'reloaded' "$net/one/file"
check "the old one has the lines before" grep -q 'ready' "$net/one/file.1"
check "it stops" stop one

# Another user.
if [ "$(id -u)" -eq 0 ] && id nobody >"$net/out" 2>&1; then
	chmod 755 "$net"
	host_conf one 'user = "nobody";' "control = \"$net/run/control\";"
	sed -i "/one\/control/d" "$net/one/metacubed.conf"
	launch one
	check "it makes the folder of its socket" \
		until_true test -S "$net/run/control"
	check "it answers" until_true "$metacubectl" -s "$net/run/control" status
	check "it runs as the user, in every respect" \
		says "^Uid:(\s+$(id -u nobody)){4}$" \
		grep '^Uid' "/proc/${pid_of[one]}/status"
	check "without root's groups" not grep -qE '^Groups:.*\b0\b' \
		"/proc/${pid_of[one]}/status"
	check "without capabilities" \
		grep -q '^CapEff:\s*0*$' "/proc/${pid_of[one]}/status"
	check "the socket is the user's alone" \
		says '^nobody 600' stat -c '%U %a' "$net/run/control"
	check "it leaves no core file" says ' 0 +0 ' \
		grep 'core file' "/proc/${pid_of[one]}/limits"
	check "it stops" stop one
else
	skip "becoming another user" "only root can"
fi
finish
