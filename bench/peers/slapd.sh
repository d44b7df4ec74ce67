# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
#
# slapd.sh - OpenLDAP as a peer: a provider with durable mdb, ldaps and
# delta-syncrepl, and consumers of it.  Entries are accounts as MetaCube's:
# a name, a verifier, an e-mail address.

slapd_install () {
	package slapd slapd ldap-utils
	slapd=$(PATH=$PATH:/usr/sbin command -v slapd)
	slapadd=$(PATH=$PATH:/usr/sbin command -v slapadd)
}

slapd_tls () {			# SERVER
	cat <<-END
	TLSCACertificateFile $(authority)
	TLSCertificateFile $(certificate "$1")
	TLSCertificateKeyFile $(key "$1")
	TLSVerifyClient never
	END
}

slapd_head () {			# SERVER
	cat <<-END
	include /etc/ldap/schema/core.schema
	include /etc/ldap/schema/cosine.schema
	include /etc/ldap/schema/inetorgperson.schema
	pidfile $net/$1/slapd.pid
	modulepath /usr/lib/ldap
	moduleload back_mdb
	moduleload syncprov
	moduleload accesslog
	sizelimit unlimited
	loglevel none
	$(slapd_tls "$1")
	END
}

slapd_database () {		# SERVER [LINE...]
	local server=$1
	shift
	mkdir -p "$net/$server/data"
	cat <<-END
	database mdb
	suffix "dc=bench"
	rootdn "cn=admin,dc=bench"
	rootpw secret
	directory $net/$server/data
	maxsize 8589934592
	index objectClass,uid,entryCSN,entryUUID eq
	limits dn.exact="cn=admin,dc=bench" size=unlimited time=unlimited
	END
	[ $# -eq 0 ] || printf '%s\n' "$@"
}

# slapd_provider_conf SERVER - with a log of changes for delta-syncrepl
slapd_provider_conf () {
	mkdir -p "$net/$1/log-data"
	{
		slapd_head "$1"
		cat <<-END
		database mdb
		suffix "cn=accesslog"
		rootdn "cn=admin,dc=bench"
		directory $net/$1/log-data
		maxsize 8589934592
		index default eq
		index entryCSN,objectClass,reqEnd,reqResult,reqStart
		overlay syncprov
		syncprov-nopresent TRUE
		syncprov-reloadhint TRUE
		limits dn.exact="cn=admin,dc=bench" size=unlimited time=unlimited
		END
		slapd_database "$1" "overlay syncprov" \
			"overlay accesslog" "logdb cn=accesslog" \
			"logops writes" "logsuccess TRUE"
	} >"$net/$1/slapd.conf"
}

# slapd_consumer_conf SERVER PROVIDER-PORT [LINE...] - durable, unless a line
# says dbnosync
slapd_consumer_conf () {
	local server=$1 port=$2
	shift 2
	mkdir -p "$net/$server"
	{
		slapd_head "$server"
		slapd_database "$server" "$@"
		echo "syncrepl rid=1 provider=ldaps://127.0.0.1:$port" \
			"type=refreshAndPersist searchbase=\"dc=bench\"" \
			"bindmethod=simple binddn=\"cn=admin,dc=bench\"" \
			"credentials=secret schemachecking=off" \
			"tls_cacert=$(authority) tls_reqcert=demand" \
			"logbase=\"cn=accesslog\" syncdata=accesslog" \
			"logfilter=\"(&(objectClass=auditWriteObject)" \
			"(reqResult=0))\" retry=\"1 +\"" |
			sed 's/) (reqResult/)(reqResult/'
	} >"$net/$server/slapd.conf"
}

# slapd_load SERVER COUNT - entries u0 and on, without a server
slapd_load () {
	awk -v count="$2" 'BEGIN {
		print "dn: dc=bench\nobjectClass: domain\ndc: bench\n"
		for (n = 0; n < count; n++)
			printf "dn: uid=u%d,dc=bench\nobjectClass: inetOrgPerson\n" \
			    "uid: u%d\ncn: u%d\nsn: u%d\nmail: u%d@example.org\n" \
			    "userPassword: %s%07d\n\n", n, n, n, n, n,
			    "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$XrHZ0bOVKPD0tWrLE0", n
	}' | "$slapadd" -q -b dc=bench -f "$net/$1/slapd.conf" >"$net/$1/slapadd.log" 2>&1 ||
		bail "slapadd: $(tail -n 3 "$net/$1/slapadd.log")"
}

slapd_answers () {		# PORT
	LDAPTLS_CACERT=$(authority) ldapsearch -x -H "ldaps://127.0.0.1:$1" \
		-D "cn=admin,dc=bench" -w secret -b dc=bench -s base dn
}

# slapd_start SERVER - sets slapd_port[SERVER] and slapd_pid[SERVER]
declare -A slapd_port=() slapd_pid=()
slapd_start () {
	slapd_port[$1]=${slapd_port[$1]-$("$top_build/bench/free_port")}
	"$slapd" -d 0 -f "$net/$1/slapd.conf" \
		-h "ldaps://127.0.0.1:${slapd_port[$1]}" \
		>"$net/$1/log" 2>&1 &
	peers+=($!)
	slapd_pid[$1]=$!
}

slapd_ready () {		# SERVER
	until_true slapd_answers "${slapd_port[$1]}" ||
		bail "slapd $1: $(tail -n 3 "$net/$1/log")"
}

slapd_stop () {			# SERVER
	kill -TERM "${slapd_pid[$1]}"
	reap "${slapd_pid[$1]}"
}

# ldap MODE ARGUMENT... - the client (bench/ldap.c)
ldap () { LDAPTLS_CACERT=$(authority) "$top_build/bench/ldap" "$@"; }

ldap_build () {
	package ldapsearch ldap-utils
	[ -f /usr/include/ldap.h ] || package no-such-program libldap-dev
	${CC-cc} -O2 -Wall -o "$top_build/bench/ldap" -I"$top_src/bench" \
		"$top_src/bench/peers/ldap.c" "$top_src/bench/meter.c" \
		-lldap -llber -lpthread || bail "cannot build the LDAP client"
}
