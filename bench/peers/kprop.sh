# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
#
# kprop.sh - MIT Kerberos as a peer: its primary dumps the database, sends it
# to a replica, and that loads it.

kprop_install () {
	package krb5kdc krb5-kdc krb5-admin-server krb5-kpropd krb5-user
	PATH=$PATH:/usr/sbin
	krb=$net/krb5
	host=$(hostname)
}

kprop_conf () {			# SERVER
	cat <<-END
	[kdcdefaults]
		kdc_listen = 127.0.0.1:$kdc_port
		kdc_tcp_listen = 127.0.0.1:$kdc_port
	[realms]
		BENCH = {
			database_name = $krb/$1/principal
			key_stash_file = $krb/$1/stash
			acl_file = $krb/acl
		}
	END
}

# with SERVER COMMAND... - with that server's database
with () {
	local server=$1
	shift
	env KRB5_CONFIG="$krb/krb5.conf" \
		KRB5_KDC_PROFILE="$krb/$server/kdc.conf" "$@"
}

kprop_files () {
	local server
	kdc_port=$("$top_build/bench/free_port")
	kprop_port=$("$top_build/bench/free_port")
	mkdir -p "$krb"
	cat >"$krb/krb5.conf" <<-END
	[libdefaults]
		default_realm = BENCH
		dns_canonicalize_hostname = false
		rdns = false
		dns_lookup_kdc = false
		dns_lookup_realm = false
	[realms]
		BENCH = {
			kdc = 127.0.0.1:$kdc_port
		}
	[domain_realm]
		$host = BENCH
		localhost = BENCH
	END
	for server in primary replica; do
		mkdir -p "$krb/$server"
		kprop_conf "$server" >"$krb/$server/kdc.conf"
		with "$server" kdb5_util create -s -r BENCH -P bench
	done
	echo "host/$host@BENCH" >"$krb/acl"
}

# kprop_many COUNT - the dump, with one principal so many times
kprop_many () {
	with primary kdb5_util dump "$krb/small"
	awk -v count="$1" '
	/^princ/ && /u0@BENCH/ {
		for (n = 0; n < count; n++) {
			line = $0
			name = sprintf("u%07d@BENCH", n)
			gsub(/u0@BENCH/, name, line)
			# the third field is the length of the name
			split(line, field, "\t")
			sub("\t" field[3] "\t", "\t" length(name) "\t", line)
			print line
		}
		next
	}
	{ print }' "$krb/small" >"$krb/many"
	with primary kdb5_util load "$krb/many"
}

kprop_start () {
	{
		with primary kadmin.local -q "addprinc -randkey host/$host"
		with primary kadmin.local -q "ktadd -k $krb/keytab host/$host"
		with primary kadmin.local -q "addprinc -pw x u0"
	} || return
	kprop_many "$1" || return
	with primary krb5kdc -n -r BENCH >"$krb/kdc.log" 2>&1 &
	peers+=($!)
	with replica kpropd -D -P "$kprop_port" -r BENCH -s "$krb/keytab" \
		-f "$krb/received" -a "$krb/acl" >"$krb/kpropd.log" 2>&1 &
	peers+=($!)
	kpropd_pid=$!
	until_true kpropd_listens
}

kpropd_listens () {
	ss -Hltn "sport = :$kprop_port" | grep -q .
}

kprop_setup () {		# COUNT
	{ kprop_files && kprop_start "$1"; } >"$krb.log" 2>&1 ||
		bail "Kerberos: $(tail -n 3 "$krb.log")"
}

# kprop_run - dump, transfer, load
kprop_run () {
	{
		with primary kdb5_util dump "$krb/dump" &&
		with primary kprop -r BENCH -f "$krb/dump" -s "$krb/keytab" \
			-P "$kprop_port" "$host"
	} >"$krb.log" 2>&1 || bail "kprop: $(tail -n 3 "$krb.log")"
}
