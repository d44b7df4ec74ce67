# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
#
# A new replica takes over all accounts over TLS: from its start until it is
# level.  MetaCube with tcapw_mem and with tcapw_gdbm, from the freeze that the
# account server offers; beside slapd's first synchronisation in its fastest
# setting (a consumer that syncs nothing to its disk).  Printed as well: krb5's
# kprop and PostgreSQL's pg_basebackup with fewer accounts, and nginx sending
# the same bytes over TLS to a client that stores them.
#
# ACCOUNTS (1,000,000) and the number of rounds (--rounds) may be smaller.

accounts=${ACCOUNTS-1000000}
fewer=100000

# shellcheck source=bench/peers/slapd.sh
. "$top_src/bench/peers/slapd.sh"
# shellcheck source=bench/peers/postgres.sh
. "$top_src/bench/peers/postgres.sh"
# shellcheck source=bench/peers/kprop.sh
. "$top_src/bench/peers/kprop.sh"
trap 'postgres_stop; cleanup' EXIT

pki init "$net/pki" || bail "no certificates"
for server in account gateway provider consumer; do
	mkdir -p "$net/$server"
	role=gateway
	[ "$server" != account ] || role=account
	pki issue "$net/pki" "$role" "$server" localhost 127.0.0.1 ||
		bail "no certificates"
done

# seconds_now - with fractions
seconds_now () { awk '{ print $1 }' /proc/uptime; }

# cpu_seconds PID... - of all their threads, so far
cpu_seconds () {
	local pid
	for pid; do
		cat "/proc/$pid/stat"
	done | awk -v hz="$(getconf CLK_TCK)" \
		'{ sum += ($14 + $15) / hz } END { print sum }'
}

# note NAME COUNT SECONDS CPU - adds microseconds for one account to $net/NAME
note () {
	awk -v name="$1" -v count="$2" -v took="$3" -v cpu="$4" 'BEGIN {
		printf "  %-22s %8d accounts in %6.2f s, %8.0f/s, %s us of " \
			"CPU each\n", name, count, took, count / took,
			cpu == "-" ? "-" : sprintf("%.2f",
			    cpu * 1000000 / count)
		print took * 1000000 / count >"/dev/stderr" }' \
		2>>"$net/took-$1"
}

account_start () {
	"$top_build/metacube-wmqmaint" keygen "$net/freeze.key" >/dev/null ||
		bail "no key"
	host_conf account
	module_conf account wmq_file "path = \"$net/account/queue\";"
	module_conf account tcapw_mem \
		"max_accounts = $((accounts + 1000));"
	module_conf account acctserv 'listen = "127.0.0.1:0";' \
		"listen_unix = \"unix:$net/account/web\";" \
		"audit = \"$net/account/audit\";" 'look_alikes = false;'
	module_conf account wmqmaint "path = \"$net/account/freeze\";" \
		"key_files = \"$net/freeze.key\";" 'prune = false;'
	module_conf account antpserv 'listen = "127.0.0.1:0";' \
		"state_file = \"$net/account/replicas\";"
	"$top_build/bench/people" "$accounts" "$net/account/queue" ||
		bail "no accounts"
	start account
	patience=600 until_true frozen || bail "no freeze"
	ls -l "$net/account/freeze"
}

frozen () {
	ctl account wmqmaint freeze | grep -q "^$accounts accounts frozen"
}

# replica_run STORE [SETTING...] - from its start until it is level
replica_run () {
	local store=$1 began
	shift
	rm -rf "${net:?}/gateway"
	host_conf gateway
	module_conf gateway "$store" "$@"
	module_conf gateway antpclnt "path = \"$net/gateway/mirror\";" \
		"server = \"antp://$(address account antpserv)/\";"
	module_conf gateway servpw "key_files = \"$net/freeze.key\";"
	began=$(seconds_now)
	launch gateway
	patience=600 until_true replica_level || bail "the replica does not" \
		"come: $(tail -n 3 "$net/gateway/log")"
	note "$store" "$accounts" \
		"$(awk -v b="$began" -v e="$(seconds_now)" \
			'BEGIN { print e - b }')" \
		"$(cpu_seconds "${pid_of[gateway]}")"
	stop gateway
}

replica_level () {
	ctl gateway replica status >"$net/status" &&
		grep -qE '^state +level' "$net/status" &&
		grep -qE "^seq +$accounts\$" "$net/status"
}

provider_start () {
	slapd_install
	ldap_build
	slapd_port[provider]=$("$top_build/bench/free_port")
	slapd_provider_conf provider
	slapd_load provider "$accounts"
	slapd_start provider
	slapd_ready provider
	slapd_consumer_conf consumer "${slapd_port[provider]}" dbnosync \
		"envflags nosync writemap nometasync"
}

consumer_run () {
	local began
	rm -rf "${net:?}/consumer/data"
	mkdir -p "$net/consumer/data"
	began=$(seconds_now)
	slapd_start consumer
	slapd_ready consumer
	ldap count "ldaps://127.0.0.1:${slapd_port[consumer]}" "$accounts" ||
		bail "slapd does not come"
	note slapd "$accounts" \
		"$(awk -v b="$began" -v e="$(seconds_now)" \
			'BEGIN { print e - b }')" \
		"$(cpu_seconds "${slapd_pid[consumer]}")"
	slapd_stop consumer
}

# timed NAME COUNT COMMAND... - a peer that is only printed
timed () {
	local name=$1 count=$2 began
	shift 2
	began=$(seconds_now)
	"$@"
	note "$name" "$count" "$(awk -v b="$began" -v e="$(seconds_now)" \
		'BEGIN { print e - b }')" -
}

nginx_copy () {
	curl -s --cacert "$(authority)" -o "$net/copied" \
		"https://localhost:$nginx_port/freeze" ||
		bail "curl cannot fetch from nginx"
}

nginx_start () {
	package nginx nginx-light
	package curl curl
	nginx_port=$("$top_build/bench/free_port")
	cat >"$net/nginx.conf" <<-END
	daemon off;
	master_process off;
	user root;
	pid $net/nginx.pid;
	error_log $net/nginx.log;
	events { worker_connections 64; }
	http {
		access_log off;
		sendfile on;
		server {
			listen 127.0.0.1:$nginx_port ssl;
			ssl_certificate $(certificate provider);
			ssl_certificate_key $(key provider);
			ssl_protocols TLSv1.3;
			root $net/account;
		}
	}
	END
	nginx -c "$net/nginx.conf" 2>"$net/nginx.err" &
	peers+=($!)
	until_true curl -s --cacert "$(authority)" -I \
		"https://localhost:$nginx_port/" ||
		bail "$(cat "$net/nginx.err")"
}

middle () { median <"$net/took-$1"; }

# result STORE - beside slapd
result () {
	awk -v name="sync-${1#tcapw_}" -v ours="$(middle "$1")" \
		-v peer="$(middle slapd)" 'BEGIN {
		printf "RESULT name=%s ours=%.2f peer=%.2f unit=us/account " \
			"ratio=%.2f\n", name, ours, peer, peer / ours }'
}

account_start
provider_start
nginx_start
for ((round = 0; round < rounds; round++)); do
	replica_run tcapw_mem "max_accounts = $((accounts + 1000));"
	replica_run tcapw_gdbm "path = \"$net/gateway/accounts.gdbm\";"
	consumer_run
	timed nginx "$accounts" nginx_copy
done
stop account
slapd_stop provider
kprop_install
kprop_setup "$fewer"
timed kprop "$fewer" kprop_run
postgres_install
postgres_primary "$fewer"
timed pg_basebackup "$fewer" postgres_copy
result tcapw_mem
result tcapw_gdbm
