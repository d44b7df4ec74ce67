# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
#
# Random lookups among a million accounts through the service, 64 of them
# outstanding; the limit is a bare loop of gdbm_fetch over the same file.

accounts=1000000
ticks_a_second=$(getconf CLK_TCK)

host_conf store
module_conf store tcapw_gdbm "path = \"$net/store/accounts.gdbm\";"
module_conf store bench_lookup
start store
row=$(ctl store bench fill "$accounts" | tail -n 1)
awk -v n="$accounts" '$1 != n { exit 1 }
	{ printf "  %d accounts loaded in %.2f s: %.2f us each\n", $1,
		$2 / 1000, $2 * 1000 / $1 }' <<<"$row" ||
	bail "cannot fill the store: $row"

# cpu_ticks - what the server has used so far, all threads
cpu_ticks () { awk '{ print $14 + $15 }' "/proc/${pid_of[store]}/stat"; }

# ours - lookups a second, and microseconds of CPU for one
ours () {
	local ticks row
	ticks=$(cpu_ticks)
	row=$(ctl store bench lookup 64 "$seconds" | tail -n 1)
	ticks=$(($(cpu_ticks) - ticks))
	awk -v us="$((ticks * 1000000 / ticks_a_second))" '$2 != 0 { exit 1 }
		{ printf "%.0f %.2f\n", $1 * 1000 / $3, us / $1 }' \
		<<<"$row" || bail "lookups failed: $row"
}

for ((round = 0; round < rounds; round++)); do
	read -r rate cpu <<<"$(ours)"
	peer=$("$top_build/bench/lookup_peer" "$net/store/accounts.gdbm" \
		"$accounts" "$seconds")
	[ -n "$rate" ] && [ -n "$peer" ] || exit 1
	echo "$rate" >>"$net/ours"
	echo "$peer" >>"$net/peer"
	echo "  MetaCube $rate lookups/s ($cpu us of CPU for one)," \
		"bare gdbm_fetch $peer/s"
done
awk -v ours="$(median <"$net/ours")" -v peer="$(median <"$net/peer")" 'BEGIN {
	printf "RESULT name=lookup ours=%.0f peer=%.0f unit=lookups/s " \
		"ratio=%.2f\n", ours, peer, ours / peer }'
