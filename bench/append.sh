# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
#
# Durable appends of 200 bytes through the service, from 1 and from 64
# writers; the peer writes as many records, of the size that they have in the
# file, with each fdatasync.

host_conf queue
module_conf queue wmq_file "path = \"$net/queue/queue\";"
module_conf queue bench_append
start queue

# ours WRITERS - appends a second, and appends for each fdatasync
ours () {
	local syncs=$(counter queue wmq_file commits) row
	row=$(ctl queue bench append "$1" "$seconds" | tail -n 1)
	syncs=$(($(counter queue wmq_file commits) - syncs))
	awk -v syncs="$syncs" '$2 != 0 { exit 1 }
		{ printf "%.0f %.1f\n", $1 * 1000 / $3, $1 / syncs }' \
		<<<"$row" || bail "appends failed: $row"
}

measure () {			# WRITERS
	local round rate group bytes=264 peer
	: >"$net/ours" >"$net/peer"
	for ((round = 0; round < rounds; round++)); do
		read -r rate group <<<"$(ours "$1")"
		peer=$("$top_build/bench/append_peer" "$net/queue/peer" \
			"${group%.*}" "$bytes" "$seconds") || exit 1
		echo "$rate" >>"$net/ours"
		echo "$peer" >>"$net/peer"
		echo "  $1 writers: MetaCube $rate/s ($group for each" \
			"fdatasync), bare loop $peer/s"
	done
	awk -v name="append-$1" -v ours="$(median <"$net/ours")" \
		-v peer="$(median <"$net/peer")" 'BEGIN {
		printf "RESULT name=%s ours=%.0f peer=%.0f unit=appends/s " \
			"ratio=%.2f\n", name, ours, peer, ours / peer }'
}

measure 1
measure 64
