# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
#
# Durable appends of 200 bytes through the service, from 1 and from 64
# writers; the peer writes as many records, of the size that they have in the
# file, with each fdatasync, into a file prepared in the same way.
#
# append-N-handed compares with what is possible at all where the loop does not
# block and records are chained by their hashes: see append_peer.c.

record=260			# bytes in the file: RECORD_EXTRA + 200
ticks_a_second=$(getconf CLK_TCK)

host_conf queue
module_conf queue wmq_file "path = \"$net/queue/queue\";"
module_conf queue bench_append
start queue

# cpu_ticks - what the server has used so far, all threads
cpu_ticks () { awk '{ print $14 + $15 }' "/proc/${pid_of[queue]}/stat"; }

# ours WRITERS - appends a second, appends for each fdatasync, and
# microseconds of CPU for one
ours () {
	local syncs ticks row
	syncs=$(counter queue wmq_file commits)
	ticks=$(cpu_ticks)
	row=$(ctl queue bench append "$1" "$seconds" | tail -n 1)
	ticks=$(($(cpu_ticks) - ticks))
	syncs=$(($(counter queue wmq_file commits) - syncs))
	awk -v syncs="$syncs" -v us="$((ticks * 1000000 / ticks_a_second))" \
		'$2 != 0 { exit 1 }
		{ printf "%.0f %.1f %.2f\n", $1 * 1000 / $3, $1 / syncs,
			us / $1 }' <<<"$row" || bail "appends failed: $row"
}

# bare GROUP [handed] - the peer: records a second, microseconds of CPU
bare () {
	"$top_build/bench/append_peer" "$net/queue/peer" "$(printf %.0f "$1")" \
		"$record" "$seconds" "${@:2}" || bail "the peer failed"
}

result () {			# NAME PEER
	awk -v name="$1" -v ours="$(median <"$net/ours")" \
		-v peer="$(median <"$net/$2")" 'BEGIN {
		printf "RESULT name=%s ours=%.0f peer=%.0f unit=appends/s " \
			"ratio=%.2f\n", name, ours, peer, ours / peer }'
}

measure () {			# WRITERS
	local round rate group cpu peer peer_cpu handed handed_cpu
	rm -f "$net/ours" "$net/peer" "$net/handed"
	for ((round = 0; round < rounds; round++)); do
		read -r rate group cpu <<<"$(ours "$1")"
		read -r peer peer_cpu <<<"$(bare "$group")"
		read -r handed handed_cpu <<<"$(bare "$group" handed)"
		[ -n "$rate" ] && [ -n "$peer" ] && [ -n "$handed" ] || exit 1
		echo "$rate" >>"$net/ours"
		echo "$peer" >>"$net/peer"
		echo "$handed" >>"$net/handed"
		echo "  $1 writers: MetaCube $rate/s ($group for each" \
			"fdatasync, $cpu us of CPU for one), bare loop" \
			"$peer/s ($peer_cpu us), handed to a thread and" \
			"back $handed/s ($handed_cpu us)"
	done
	result "append-$1" peer
	result "append-$1-handed" handed
}

measure 1
measure 64
