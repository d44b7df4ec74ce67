# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
#
# From the answer to a durable change to the login at a replica that sees it,
# everything over TLS: an account gets another password, and whoever knows it
# tries until it is let in.  MetaCube: a login at a gateway whose replica
# mirrors the account server.  Beside slapd with delta-syncrepl: a bind at the
# consumer; printed as well: PostgreSQL's streaming replication, a row that is
# read at the standby.

changes=1000			# in all, over the rounds
each=$((changes / rounds))

# shellcheck source=bench/peers/slapd.sh
. "$top_src/bench/peers/slapd.sh"
# shellcheck source=bench/peers/postgres.sh
. "$top_src/bench/peers/postgres.sh"
trap 'postgres_stop; cleanup' EXIT

pki init "$net/pki" || bail "no certificates"
for server in account gateway provider consumer; do
	mkdir -p "$net/$server"
	role=gateway
	[ "$server" != account ] || role=account
	pki issue "$net/pki" "$role" "$server" localhost 127.0.0.1 ||
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
	module_conf account antpserv 'listen = "127.0.0.1:0";' \
		"state_file = \"$net/account/replicas\";"
	"$top_build/bench/people" "$changes" "$net/account/queue" ||
		bail "no accounts"
	start account
	account_port=$(port "$(address account acctserv)")
}

gateway_start () {
	metacubectl_key
	host_conf gateway
	module_conf gateway tcapw_gdbm \
		"path = \"$net/gateway/accounts.gdbm\";"
	module_conf gateway antpclnt \
		"server = \"antp://$(address account antpserv)/\";" \
		"path = \"$net/gateway/mirror\";" 'mirror_freeze = false;'
	module_conf gateway servpw "key_files = \"$net/freeze.key\";"
	module_conf gateway auth_plain
	module_conf gateway taskmaster 'listen = "127.0.0.1:0";'
	module_conf gateway gateway 'listen = "127.0.0.1:0";' \
		'max_per_address = 100000;' 'log_rate = 0;'
	start gateway
	gateway_port=$(port "$(address gateway gateway)")
	until_true caught_up || bail "the replica does not catch up"
}

metacubectl_key () {
	"$top_build/metacube-wmqmaint" keygen "$net/freeze.key" >/dev/null ||
		bail "no key"
}

caught_up () {
	ctl gateway replica status | grep -qw "$changes"
}

slapd_pair_start () {
	slapd_install
	ldap_build
	slapd_port[provider]=$("$top_build/bench/free_port")
	slapd_provider_conf provider
	slapd_load provider "$changes"
	slapd_start provider
	slapd_ready provider
	slapd_consumer_conf consumer "${slapd_port[provider]}"
	slapd_start consumer
	slapd_ready consumer
	ldap count "ldaps://127.0.0.1:${slapd_port[consumer]}" "$changes"
}

# seen NAME COMMAND... - COMMAND prints p50 and p99
seen () {
	local name=$1 row
	shift
	row=$("$@") || bail "$name: $row"
	echo "$row" >>"$net/seen-$name"
	echo "  $name: p50 ${row% *} us, p99 ${row#* } us"
}

middle () { awk -v column="$2" '{ print $column }' "$net/seen-$1" | median; }

account_start
gateway_start
slapd_pair_start
postgres_install
postgres_primary "$changes"
postgres_copy
postgres_standby
for ((round = 0; round < rounds; round++)); do
	seen MetaCube "$top_build/bench/accounts" seen "$account_port" \
		"$gateway_port" "$net/pki" $((round * each)) "$each"
	seen slapd ldap seen "ldaps://127.0.0.1:${slapd_port[provider]}" \
		"ldaps://127.0.0.1:${slapd_port[consumer]}" "$changes" "$each"
	seen PostgreSQL "$top_build/bench/postgres" "$pg_uri" \
		"$pg_standby_uri" "$each"
done
echo "p99: MetaCube $(middle MetaCube 2) us, slapd $(middle slapd 2) us," \
	"PostgreSQL $(middle PostgreSQL 2) us (p50 $(middle PostgreSQL 1) us)"
awk -v ours="$(middle MetaCube 1)" -v peer="$(middle slapd 1)" 'BEGIN {
	printf "RESULT name=replicate ours=%.0f peer=%.0f unit=us-p50 " \
		"ratio=%.2f\n", ours, peer, peer / ours }'
