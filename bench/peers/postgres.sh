# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
#
# postgres.sh - PostgreSQL as a peer: a primary with accounts in a table, and
# a standby that follows it by streaming replication over TLS.

postgres_install () {
	local dir
	package /usr/lib/postgresql/*/bin/postgres postgresql libpq-dev
	for dir in /usr/lib/postgresql/*/bin; do
		[ -x "$dir/postgres" ] && pg_bin=$dir
	done
	[ -n "${pg_bin-}" ] || bail "no PostgreSQL"
	[ -f /usr/include/postgresql/libpq-fe.h ] ||
		package no-such-program libpq-dev
	${CC-cc} -O2 -Wall -o "$top_build/bench/postgres" \
		-I/usr/include/postgresql -I"$top_src/bench" \
		"$top_src/bench/peers/postgres.c" "$top_src/bench/meter.c" \
		-lpq || bail "cannot build the PostgreSQL client"
	chmod 711 "$net"
	mkdir "$net/pg"
	[ "$(id -u)" -ne 0 ] || chown postgres "$net/pg"
}

# as_postgres COMMAND... - the server refuses to run as root
as_postgres () {
	if [ "$(id -u)" -eq 0 ]; then
		(cd "$net/pg" && runuser -u postgres -- "$@")
	else
		"$@"
	fi
}

postgres_certificate () {	# FOLDER
	cp "$(certificate gateway)" "$1/server.crt"
	cp "$(key gateway)" "$1/server.key"
	chmod 600 "$1/server.key"
	[ "$(id -u)" -ne 0 ] || chown postgres "$1"/server.*
}

postgres_conf () {		# FOLDER PORT
	cat >>"$1/postgresql.conf" <<-END
	listen_addresses = '127.0.0.1'
	port = $2
	unix_socket_directories = '$net/pg'
	ssl = on
	shared_buffers = 512MB
	max_wal_size = 4GB
	END
}

# postgres_primary COUNT - with accounts u0 and on
postgres_primary () {
	pg_port=$("$top_build/bench/free_port")
	{
		as_postgres "$pg_bin/initdb" -D "$net/pg/primary" -U bench \
			-A trust
		postgres_certificate "$net/pg/primary"
		postgres_conf "$net/pg/primary" "$pg_port"
		echo "hostssl replication bench 127.0.0.1/32 trust" \
			>>"$net/pg/primary/pg_hba.conf"
		as_postgres "$pg_bin/pg_ctl" -w -D "$net/pg/primary" \
			-l "$net/pg/primary.log" start
		as_postgres psql -h "$net/pg" -p "$pg_port" -U bench postgres \
			-c "create table account (name text primary key,
				verifier text, email text)" \
			-c "insert into account select 'u' || n, '\$y\$j9T\$' ||
				md5(n::text) || md5('x' || n),
				'u' || n || '@example.org'
				from generate_series(0, $1 - 1) n" \
			-c "checkpoint"
	} >"$net/pg.log" 2>&1 || bail "PostgreSQL: $(tail -n 3 "$net/pg.log")"
	pg_uri="host=127.0.0.1 port=$pg_port user=bench sslmode=require"
}

# postgres_copy - the standby's files, over TLS
postgres_copy () {
	as_postgres "$pg_bin/pg_basebackup" -d "$pg_uri" -R \
		-D "$net/pg/standby" -c fast >"$net/pg.log" 2>&1 ||
		bail "pg_basebackup: $(tail -n 3 "$net/pg.log")"
}

postgres_standby () {
	pg_standby_port=$("$top_build/bench/free_port")
	postgres_conf "$net/pg/standby" "$pg_standby_port"
	as_postgres "$pg_bin/pg_ctl" -w -D "$net/pg/standby" \
		-l "$net/pg/standby.log" start >"$net/pg.log" 2>&1 ||
		bail "PostgreSQL standby: $(tail -n 3 "$net/pg/standby.log")"
	pg_standby_uri="host=127.0.0.1 port=$pg_standby_port user=bench"
	pg_standby_uri+=" sslmode=require"
}

postgres_stop () {
	local dir
	for dir in standby primary; do
		[ ! -f "$net/pg/$dir/postmaster.pid" ] ||
			as_postgres "$pg_bin/pg_ctl" -D "$net/pg/$dir" \
				-m immediate stop >/dev/null 2>&1
	done
}
