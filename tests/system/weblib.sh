# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# weblib.sh - real web servers with the account pages, for the tests of these.
# Sourced after lib.sh.
#
#	web_begin			the key, a certificate, a copy of the
#					program, where web servers may read
#	web_lighttpd NAME		FastCGI, started by lighttpd
#	web_apache NAME			plain CGI
#	web_nginx NAME			FastCGI, started by spawn-fcgi
#
# Each starts a server of that NAME with the sample from tools/acctserv, which
# finds the account server at $web_socket; afterwards $web_url is where its
# pages are.  They are servers like metacubed: stop NAME ends them.
#
# Their ports come from the kernel, too, but not at the same moment: when
# somebody else was quicker, another one is tried.

# shellcheck disable=SC2154 # from lib.sh
fake_program=$top_build/tests/system/fake_accounts
web_socket=$net/web/accounts
web_url='' web_port=''
declare -a web_more=()		# further variables, NAME=VALUE

web_has () {			# PROGRAM
	PATH=$PATH:/usr/sbin:/sbin command -v "$1"
}

# Was it built with FastCGI?
web_has_fastcgi () { grep -q '^#define HAVE_FCGI' "$top_build/config.h"; }

# Web servers that are started as root serve as somebody else.
web_user () { [ "$(id -u)" -ne 0 ] || echo nobody; }

web_begin () {
	mkdir -p "$net/web"
	chmod 755 "$net" "$net/web"
	pki init "$net/pki" && pki issue "$net/pki" gateway web 127.0.0.1 \
		localhost || bail "no certificate: $(cat "$net/pki.log")"
	cat "$(certificate web)" "$(key web)" >"$net/web/both.pem"
	cp "$top_build/tools/acctserv.cgi" "$net/web/acctserv.cgi"
	head -c 32 /dev/urandom >"$net/web/key"
	chmod 640 "$net/web/key"
	[ -z "$(web_user)" ] || chgrp nogroup "$net/web/key"
}

# web_conf SAMPLE SEPARATOR - with the paths of this test.  web_more goes in
# where the title is set, in that server's words.
web_conf () {
	local more='' pair
	for pair in "${web_more[@]}"; do
		case $1 in
		lighttpd)	more+=", \"${pair%%=*}\" => \"${pair#*=}\"" ;;
		apache)		more+="\\n SetEnv ${pair%%=*} \"${pair#*=}\"" ;;
		esac
	done
	sed -e "s,@mclibexecdir@,$net/web,g" \
		-e "s,@mcrundir@/acctserv.sock,$web_socket,g" \
		-e "s,@mcrundir@,$net/web,g" \
		-e "s,@mcsysconfdir@/web.key,$net/web/key,g" \
		-e "s,/run/lighttpd,$net/web," \
		-e "s|^.*METACUBE_WEB_TITLE.*\$|&$more|" \
		"$top_src/tools/acctserv/$1.conf.in"
}

web_answers () {
	curl -s -o /dev/null --max-time 10 --cacert "$(authority)" \
		"https://127.0.0.1:$web_port/"
}

web_answers_or_dead () { gone "${pid_of[$1]}" || web_answers; }

# web_start NAME CONFIGURE COMMAND... - CONFIGURE writes the files for
# $web_port; another port when the server does not like this one.
web_start () {
	local name=$1 configure=$2 try
	shift 2
	mkdir -p "$net/$name"
	for try in 1 2 3 4 5; do
		web_port=$("$fake_program" --port)
		web_url=https://127.0.0.1:$web_port/account
		"$configure" "$name"
		"$@" </dev/null >>"$net/$name/log" 2>&1 &
		pid_of[$name]=$!
		until_true web_answers_or_dead "$name" ||
			bail "$name does not answer"
		gone "${pid_of[$name]}" || return 0
		unset "pid_of[$name]"
		echo "# $name: port $web_port, attempt $try failed"
	done
	bail "$name does not start: $(tail -n 5 "$net/$name/log")"
}

lighttpd_files () {
	{
		echo "server.modules += ( \"mod_openssl\", \"mod_accesslog\" )"
		echo "server.document-root = \"$net/web/empty\""
		echo "server.bind = \"127.0.0.1\""
		echo "server.port = $web_port"
		echo "ssl.engine = \"enable\""
		echo "ssl.pemfile = \"$net/web/both.pem\""
		echo "accesslog.filename = \"$net/$1/access\""
		web_conf lighttpd
	} >"$net/$1/conf"
	mkdir -p "$net/web/empty"
}

web_lighttpd () {
	web_start "$1" lighttpd_files \
		"$(web_has lighttpd)" -D -f "$net/$1/conf"
}

apache_files () {
	local module
	{
		echo "ServerName localhost"
		echo "ServerRoot \"$net/$1\""
		echo "PidFile \"$net/$1/pid\""
		echo "ErrorLog /dev/stderr"
		echo "Listen 127.0.0.1:$web_port"
		for module in mpm_event authz_core alias env setenvif ssl \
			socache_shmcb cgid; do
			echo "LoadModule ${module}_module" \
				"/usr/lib/apache2/modules/mod_$module.so"
		done
		echo "ScriptSock $net/$1/cgid"
		[ -z "$(web_user)" ] || echo "User $(web_user)
Group nogroup"
		echo "CustomLog \"$net/$1/access\" \"%r\" env=!account"
		echo "<VirtualHost 127.0.0.1:$web_port>"
		echo "SSLEngine on"
		echo "SSLCertificateFile \"$(certificate web)\""
		echo "SSLCertificateKeyFile \"$(key web)\""
		web_conf apache
		echo "</VirtualHost>"
	} >"$net/$1/conf"
}

web_apache () {
	web_start "$1" apache_files \
		"$(web_has apache2)" -D FOREGROUND -f "$net/$1/conf"
}

nginx_files () {
	{
		[ -z "$(web_user)" ] || echo "user $(web_user) nogroup;"
		echo "daemon off; master_process on; worker_processes 1;"
		echo "pid $net/$1/pid; error_log stderr notice;"
		echo "events { worker_connections 64; }"
		echo "http {"
		for kind in client_body proxy fastcgi uwsgi scgi; do
			echo "${kind}_temp_path $net/$1/$kind;"
		done
		echo "access_log $net/$1/access;"
		echo "server { listen 127.0.0.1:$web_port ssl;"
		echo "ssl_certificate $(certificate web);"
		echo "ssl_certificate_key $(key web);"
		web_conf nginx
		echo "} }"
	} >"$net/$1/conf"
}

web_socket_there () { [ -S "$net/web/web.socket" ]; }

web_nginx () {
	local as=()
	mkdir -p "$net/$1-pages"
	[ -z "$(web_user)" ] ||
		as=(-U "$(web_user)" -u "$(web_user)" -g nogroup)
	env METACUBE_SOCKET="$web_socket" METACUBE_WEB_KEY="$net/web/key" \
		"${web_more[@]}" spawn-fcgi -n -s "$net/web/web.socket" \
		-M 0600 "${as[@]}" -- "$net/web/acctserv.cgi" \
		</dev/null >"$net/$1-pages/log" 2>&1 &
	pid_of[$1-pages]=$!
	until_true web_socket_there ||
		bail "spawn-fcgi: $(cat "$net/$1-pages/log")"
	web_start "$1" nginx_files "$(web_has nginx)" -p "$net/$1" \
		-e stderr -c "$net/$1/conf"
}

# -- the account server that is none ---------------------------------------

fake_there () { [ "$(tail -n 1 "$net/fake/log")" = ready ]; }

fake_start () {
	mkdir -p "$net/fake"
	: >"$net/fake/mails"
	echo "a new one" >>"$net/fake/log"
	"$fake_program" "$web_socket" "$net/fake/mails" "$web_url" \
		</dev/null >>"$net/fake/log" 2>&1 &
	pid_of[fake]=$!
	until_true fake_there || bail "the fake: $(cat "$net/fake/log")"
	chmod 666 "$web_socket"
}

# -- visitors ------------------------------------------------------------------

jar=$net/cookies
# visit ARGUMENT... - curl with the cookies in $jar; the status is in $http,
# headers and body in $net/head and $net/body
visit () {
	http=$(curl -s --max-time 60 --cacert "$(authority)" \
		-b "$jar" -c "$jar" -D "$net/head" \
		-o "$net/body" -w '%{http_code}' "$@") || http="curl $?"
	tr -d '\r' <"$net/head" >"$net/head.lf"
}

token () { sed -n 's/.*name="token" value="\([^"]*\)".*/\1/p' "$net/body"; }

# fill PAGE FIELD=VALUE... - reads the form and sends it
fill () {
	local page=$1 field fields=()
	shift
	visit "$web_url/$page"
	for field; do fields+=(--data-urlencode "$field"); done
	visit "${fields[@]}" --data-urlencode "token=$(token)" \
		"$web_url/$page"
}

# shows STATUS PATTERN - what came last
shows () {
	echo "status $http, wanted $1: $2"
	cat "$net/head.lf" "$net/body"
	[ "$http" = "$1" ] && tr '\n' ' ' <"$net/body" | grep -qE -- "$2"
}

has_header () {			# PATTERN
	cat "$net/head.lf"
	grep -qiE -- "$1" "$net/head.lf"
}

# mailed FIELD - of the last mail: "name" or "code"
mailed () {
	grep -o "[?&]$1=[^&]*" "$net/fake/mails" | tail -n 1 | cut -d= -f2
}
