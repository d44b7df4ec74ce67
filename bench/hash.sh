# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
#
# Logins with real passwords: what remains for them of what all cores can
# hash.  The loop must not have stalled meanwhile.
accounts=16
password='correct horse'

pages=/sys/kernel/mm/transparent_hugepage/enabled
[ ! -r $pages ] ||
	echo "transparent huge pages: $(sed 's/.*\[\(.*\)].*/\1/' $pages)"
certificates 0 || bail "no certificates"
taskmaster_conf
start taskmaster
gateway_conf
module_conf gateway gateway 'listen = "127.0.0.1:0";' \
	'max_per_address = 1000000;' 'log_rate = 0;'
start gateway
echo "$password" >"$net/password"
for ((n = 0; n < accounts; n++)); do
	ctl gateway account create "bench-$n" --password-file "$net/password" \
		>"$net/account.log" 2>&1 || bail "$(cat "$net/account.log")"
done
"$top_build/bench/hash" "$(port "$(address gateway gateway)")" \
	"${pid_of[gateway]}" "$accounts" "$password" "$rounds" "$seconds" \
	| tee "$net/result" | grep -v '^RESULT'
[ "${PIPESTATUS[0]}" -eq 0 ] || exit 1
stalls=0
for instance in $(ctl gateway counters | awk '$2 == "stalls" { print $3 }'); do
	stalls=$((stalls + instance))
done
echo "callbacks that held the loop longer than 50 ms: $stalls"
[ "$stalls" -eq 0 ] || bail "the loop was stalled"
grep '^RESULT' "$net/result"
