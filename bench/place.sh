# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
#
# Placements over the taskmaster's link with 1,000 worlds and 100,000 maps
# registered, beside seat reservations of a Colyseus matchmaker over kept HTTP
# connections.  Before that: how the cost grows with the number of worlds.

colyseus_start () {
	package npm nodejs npm
	mkdir -p "$top_build/colyseus"
	cp "$top_src"/bench/colyseus/* "$top_build/colyseus"
	(cd "$top_build/colyseus" && npm install --no-audit --no-fund \
		--ignore-scripts) >"$net/npm.log" 2>&1 ||
		bail "npm: $(tail -n 3 "$net/npm.log")"
	node "$top_build/colyseus/server.mjs" >"$net/colyseus.port" \
		2>"$net/colyseus.log" &
	peer_pid=$!
	peers+=("$peer_pid")
	until_true test -s "$net/colyseus.port" ||
		bail "Colyseus: $(cat "$net/colyseus.log")"
	peer_port=$(cat "$net/colyseus.port")
}

# taskmaster_anew - one that knows no world
taskmaster_anew () {
	[ -z "${pid_of[taskmaster]-}" ] || stop taskmaster
	taskmaster_conf
	module_conf taskmaster taskmaster 'listen = "127.0.0.1:0";' \
		'max_per_address = 1000000;' 'idle_timeout = "1h";' \
		'world_timeout = "1m";'
	start taskmaster
	taskmaster_port=$(port "$(address taskmaster taskmaster)")
}

place () {		# WORLDS PEER-PORT PEER-PID ROUNDS
	"$top_build/bench/place" "$taskmaster_port" "${pid_of[taskmaster]}" \
		"$net/pki" "$2" "$3" "$4" "$seconds" "$1" 100
}

certificates 0 || bail "no certificates"
for worlds in 10 100 1000; do
	taskmaster_anew
	place $worlds 0 0 3 >"$net/cost" || bail "$(cat "$net/cost")"
	echo "$worlds worlds, ${worlds}00 maps:" \
		"$(sed -n 's/^COST //p' "$net/cost") us of CPU for a placement"
done
taskmaster_anew
colyseus_start
place 1000 "$peer_port" "$peer_pid" "$rounds"
