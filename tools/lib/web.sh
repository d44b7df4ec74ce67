# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# web.sh - the account pages in a real web server (lighttpd, HTTPS), and a
# visitor.  For tools/demo, after network.sh; the server is called web, and
# has a certificate of that name.

# shellcheck disable=SC2154 # from network.sh
web_port=

# Ports of lighttpd cannot come from the kernel: another one is tried when
# somebody has this one already.
web_conf () {
	web_port=$((20000 + RANDOM % 12000))
	cat "$(certificate web)" "$(key web)" >"$net/web/both.pem"
	[ -f "$net/web/key" ] || head -c 32 /dev/urandom >"$net/web/key"
	chmod 600 "$net/web/key" "$net/web/both.pem"
	{
		echo "server.modules += ( \"mod_openssl\" )"
		echo "server.document-root = \"$net/web/empty\""
		echo "server.bind = \"127.0.0.1\""
		echo "server.port = $web_port"
		echo "ssl.engine = \"enable\""
		echo "ssl.pemfile = \"$net/web/both.pem\""
		sed -e "s,@mclibexecdir@,$top_build/tools,g" \
			-e "s,@mcrundir@,$net/account,g" \
			-e "s,@mcsysconfdir@/web.key,$net/web/key,g" \
			-e "s,/run/lighttpd,$net/web,g" \
			"$top_src/tools/acctserv/lighttpd.conf.in"
	} >"$net/web/conf"
}

web_answers () {
	curl -s -o /dev/null --max-time 5 --cacert "$(authority)" \
		"https://127.0.0.1:$web_port/account/"
}
web_answers_or_dead () { gone "${pid_of[web]}" || web_answers; }

web_start () {
	local lighttpd
	lighttpd=$(PATH=$PATH:/usr/sbin:/sbin command -v lighttpd) ||
		bail "lighttpd is not installed"
	mkdir -p "$net/web/empty"
	for _ in 1 2 3 4 5 6 7 8; do
		web_conf
		"$lighttpd" -D -f "$net/web/conf" </dev/null \
			>"$net/web/output" 2>&1 &
		pid_of[web]=$!
		until_true web_answers_or_dead &&
			! gone "${pid_of[web]}" && return
		unset "pid_of[web]"
	done
	bail "the web server does not start: $(cat "$net/web/output")"
}

# visit PAGE ARGUMENT... - with curl; what came is in $net/web/page
visit () {
	local page=$1
	shift
	curl -s --max-time "$patience" --cacert "$(authority)" \
		-b "$net/web/cookies" -c "$net/web/cookies" \
		-o "$net/web/page" "$@" \
		"https://127.0.0.1:$web_port/account/$page"
}

# fill PAGE FIELD=VALUE... - reads the form, as a browser does, and sends it
fill () {
	local page=$1 field fields=()
	shift
	for field; do fields+=(--data-urlencode "$field"); done
	visit "$page" &&
		field=$(sed -n 's/.*name="token" value="\([^"]*\)".*/\1/p' \
			"$net/web/page") &&
		visit "$page" "${fields[@]}" --data-urlencode "token=$field"
}

# page_says PATTERN - prints the sentence, without its markup
page_says () {
	tr '\n' ' ' <"$net/web/page" | grep -oE 'role="(status|alert)".*' |
		sed 's/^[^>]*>//; s/<\/\(div\|p\|section\).*//; s/<[^>]*>//g' |
		grep -E -- "$1"
}
