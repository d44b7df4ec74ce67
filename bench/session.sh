# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
#
# Memory of the servers for each player who is in a world and does nothing,
# 10,000 of them on 200 maps, beside a server with as many bare TLS sessions.
sessions=10000 nmaps=200

bench_maps $nmaps 100
certificates 1 || bail "no certificates"
taskmaster_conf
start taskmaster
gateway_any_conf
start gateway
world_conf world-1 "$net/maps" 'capacity = 20000;' 'idle_unload = "1h";' \
	'idle_timeout = "1h";' 'max_per_address = 1000000;'
start world-1
until_true registered world-1 || bail "world-1 does not register"
mkfifo "$net/peer.in"
"$top_build/bench/session_peer" "$(certificate gateway)" "$(key gateway)" \
	<"$net/peer.in" >"$net/peer.port" &
peer_pid=$!
peers+=("$peer_pid")
exec 9>"$net/peer.in"
until_true test -s "$net/peer.port" || bail "the peer does not start"
"$top_build/bench/session" "$(port "$(address gateway gateway)")" \
	gateway,taskmaster,world-1 \
	"${pid_of[gateway]},${pid_of[taskmaster]},${pid_of[world-1]}" \
	"$(cat "$net/peer.port")" "$peer_pid" $sessions $nmaps
