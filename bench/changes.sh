# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
#
# Durable changes of accounts over TLS, from 64 clients that each wait for
# their answer: an account gets another verifier.  Beside slapd, which modifies
# an entry's password in a durable mdb over ldaps, and beside Redis, which only
# appends as many bytes to a stream with appendfsync always, without TLS.

clients=64
accounts=640			# of each round
payload=200			# bytes that Redis gets; a change has about so many

# shellcheck source=bench/peers/slapd.sh
. "$top_src/bench/peers/slapd.sh"

pki init "$net/pki" || bail "no certificates"
for server in account provider; do
	mkdir -p "$net/$server"
	pki issue "$net/pki" account "$server" localhost 127.0.0.1 ||
		bail "no certificates"
done

account_start () {
	host_conf account
	module_conf account wmq_file "path = \"$net/account/queue\";"
	module_conf account tcapw_gdbm \
		"path = \"$net/account/accounts.gdbm\";"
	module_conf account acctserv 'listen = "127.0.0.1:0";' \
		"listen_unix = \"unix:$net/account/web\";" \
		"audit = \"$net/account/audit\";"
	"$top_build/bench/people" $((accounts * rounds)) \
		"$net/account/queue" || bail "no accounts"
	start account
	account_port=$(port "$(address account acctserv)")
}

provider_start () {
	slapd_install
	ldap_build
	slapd_provider_conf provider
	slapd_load provider "$accounts"
	slapd_start provider
	slapd_ready provider
}

redis_start () {
	package redis-server redis-server
	redis_port=$("$top_build/bench/free_port")
	mkdir -p "$net/redis"
	redis-server --port "$redis_port" --bind 127.0.0.1 --save '' \
		--appendonly yes --appendfsync always --dir "$net/redis" \
		>"$net/redis/log" 2>&1 &
	peers+=($!)
	redis_pid=$!
	until_true redis-cli -p "$redis_port" ping ||
		bail "Redis: $(tail -n 3 "$net/redis/log")"
}

# cpu_us PID - of all its threads, so far
cpu_us () {
	awk -v hz="$(getconf CLK_TCK)" \
		'{ printf "%.0f\n", ($14 + $15) * 1000000 / hz }' \
		"/proc/$1/stat"
}

# measured NAME PID COMMAND... - COMMAND prints changes, seconds, p50, p99;
# adds a line to $net/NAME: rate, microseconds of CPU for one, p50, p99
measured () {
	local name=$1 pid=$2 cpu row
	shift 2
	cpu=$(cpu_us "$pid")
	row=$("$@") || bail "$name: $row"
	cpu=$(($(cpu_us "$pid") - cpu))
	awk -v cpu="$cpu" '{ printf "%.0f %.1f %d %d\n", $1 / $2, cpu / $1,
		$3, $4 }' <<<"$row" >>"$net/$name"
	awk -v name="$name" '{ row = $0 } END { split(row, v, " ")
		printf "  %-9s %7d/s  %6.1f us of CPU each  p50 %d us  " \
			"p99 %d us\n", name, v[1], v[2], v[3], v[4] }' \
		"$net/$name"
}

redis_run () {
	local count=$((seconds * 20000))
	redis-benchmark -p "$redis_port" -c "$clients" -n "$count" --csv \
		XADD changes '*' change "$(head -c "$payload" /dev/zero |
			tr '\0' x)" | awk -F'[",]+' -v count="$count" \
		'NR == 2 { print count, count / $3, $6 * 1000, $8 * 1000 }'
}

# middle NAME COLUMN - the median over the rounds
middle () { awk -v column="$2" '{ print $column }' "$net/$1" | median; }

account_start
provider_start
redis_start
for ((round = 0; round < rounds; round++)); do
	measured MetaCube "${pid_of[account]}" "$top_build/bench/accounts" \
		changes "$account_port" "$net/pki" $((round * accounts)) \
		"$accounts" "$clients" "$seconds"
	measured slapd "${slapd_pid[provider]}" ldap changes \
		"ldaps://127.0.0.1:${slapd_port[provider]}" "$accounts" \
		"$clients" "$seconds"
	measured Redis "$redis_pid" redis_run
done
echo "p99 of a change: MetaCube $(middle MetaCube 4) us," \
	"slapd $(middle slapd 4) us"
awk -v ours="$(middle MetaCube 1)" -v peer="$(middle Redis 1)" 'BEGIN {
	printf "RESULT name=changes-redis ours=%.0f peer=%.0f " \
		"unit=changes/s ratio=%.2f\n", ours, peer, ours / peer }'
awk -v ours="$(middle MetaCube 2)" -v peer="$(middle slapd 2)" 'BEGIN {
	printf "RESULT name=changes ours=%.1f peer=%.1f " \
		"unit=us-of-CPU/change ratio=%.2f\n", ours, peer,
		peer / ours }'
