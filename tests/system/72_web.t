#!/bin/bash
# SPDX-License-Identifier: MIT
#
# 72_web - the account pages in real web servers: lighttpd and nginx with
# FastCGI, Apache with plain CGI, each with the sample that is installed; all
# over HTTPS.  The account server behind them is a fake that gives every
# answer there is.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
patience=60
# shellcheck source=tests/system/weblib.sh
. "$top_src/tests/system/weblib.sh"

for program in lighttpd apache2 nginx spawn-fcgi curl openssl; do
	web_has $program >/dev/null && continue
	echo "1..0 # SKIP no $program"
	exit 0
done


# -- what is asked, and of whom -------------------------------------------------

# asked PATTERN - the last request that the account server got
asked () { tail -n 1 "$net/fake/log" | tee /dev/stderr | grep -qE -- "$1"; }

asked_count () { grep -c '^ask' "$net/fake/log"; }

# silently COMMAND... - and the account server was asked nothing
silently () {
	local before
	before=$(asked_count)
	"$@" || return 1
	echo "asked $before, then $(asked_count)"
	[ "$(asked_count)" = "$before" ]
}

# fills STATUS PATTERN PAGE FIELD=VALUE... - sends a form and looks
fills () {
	local wanted=$1 pattern=$2
	shift 2
	fill "$@"
	shows "$wanted" "$pattern"
}

# beside FIELD TEXT - the text is the fault of that field, the field says so,
# and the summary has a link to it
beside () {
	shows "$http" "id=\"$1-error\">[^<]*$2" &&
		grep -qE "<input id=\"$1\".* aria-invalid=\"true\" aria-describedby=\"[^\"]*$1-error\"" "$net/body" &&
		grep -qE "<li><a href=\"#$1\">[^<]*$2" "$net/body" &&
		grep -q '<title>Error: ' "$net/body"
}

# refills FIELD VALUE - what was typed is there again, escaped
refills () { shows "$http" "<input id=\"$1\"[^>]* value=\"$2\">"; }

# keeps_secret TEXT - nowhere in what came
keeps_secret () { ! grep -F -- "$1" "$net/body" "$net/head"; }

wrong=wrong-horse-battery
right='correct horse 1'
other='another horse 2'
account=(name=joe "password=$right")

# -- every page, and what becomes of it -------------------------------------------

story () {
	local s=$1
	rm -f "$jar"
	check "$s: the first page" says 'Make an account' eval \
		'visit "$web_url/"; shows 200 "Delete your account"'
	check "$s: without the slash, too" eval \
		'visit "$web_url"; shows 200 "Delete your account"'
	check "$s: a new account" fills 200 'role="status".*mailed' \
		register name=Joe email=joe@example.org "new=$right" \
		"again=$right"
	check "$s: the form for the code comes next, with the name" \
		shows 200 '<h1>Activate.*id="name"[^>]*value="Joe"'
	check "$s: no password in it" keeps_secret "$right"
	check "$s: the account server knows whom it is for" asked \
		'verb=1 name=Joe email=joe@example.org .*address=127.0.0.1 by=web proof=32 new_proof=0'
	check "$s: the name is taken now" fills 422 'taken' \
		register name=joe email=joe@example.org "new=$right" \
		"again=$right"
	check "$s: it says so beside the name" beside name taken
	check "$s: what was typed is there again" refills email \
		joe@example.org
	check "$s: but not the passwords" keeps_secret "$right"
	check "$s: not active yet" fills 422 'not active yet' \
		check "${account[@]}"
	check "$s: the code once more" fills 200 'new code is on its way' \
		resend "${account[@]}"
	check "$s: the link in the mail fills the form" silently eval \
		'visit "$(tail -n 1 "$net/fake/mails")"
		shows 200 "value=\"joe\".*value=\"code-"'
	check "$s: a wrong code" fills 422 'too old' \
		activate "${account[@]}" code=code-0
	check "$s: beside the code" beside code wrong
	check "$s: the right one, with blanks around it" fills 200 \
		'is active' activate "${account[@]}" "code= $(mailed code) "
	check "$s: it was active already" fills 422 'active already' \
		activate "${account[@]}" code=code-1
	check "$s: the right password" fills 200 'are right' \
		check "${account[@]}"
	check "$s: in other capitals" fills 200 'are right' \
		check name=JOE "password=$right"
	check "$s: a wrong password" fills 422 'is wrong' \
		check name=joe password=$wrong
	sed -E 's/(token|name)" [^>]*value="[^"]*"//' "$net/body" >"$net/wrong"
	check "$s: a name that is not there" fills 422 'is wrong' \
		check name=jeo password=$wrong
	sed -E 's/(token|name)" [^>]*value="[^"]*"//' "$net/body" >"$net/none"
	check "$s: gives the very same page" cmp "$net/wrong" "$net/none"
	check "$s: another password" fills 200 'is changed' \
		password "${account[@]}" "new=$other" "again=$other"
	check "$s: both proofs were shown" asked 'proof=32 new_proof=32'
	check "$s: the old one is good for nothing" fills 422 'is wrong' \
		check "${account[@]}"
	check "$s: another address" fills 200 '<h1>Confirm' email name=joe \
		"password=$other" email=new@example.org private=yes
	check "$s: kept private" asked 'email=new@example.org private=1'
	check "$s: or not" eval 'fill email name=joe "password=$other" \
		email=new@example.org; asked private=0'
	check "$s: the code that came there" fills 200 'is confirmed' \
		validate name=joe "password=$other" "code=$(mailed code)"
	check "$s: a forgotten password" fills 200 'If there is an account' \
		forgotten name=joe email=new@example.org
	cp "$net/body" "$net/known"
	check "$s: of nobody" fills 200 'If there is an account' \
		forgotten name=nobody email=new@example.org
	check "$s: gives the very same page" cmp "$net/known" "$net/body"
	check "$s: the link in that mail" eval \
		'visit "$(tail -n 1 "$net/fake/mails")"; shows 200 "<h1>Set a"'
	check "$s: a new password by it" fills 200 'is set' reset name=joe \
		"code=$(mailed code)" "new=$right" "again=$right"
	check "$s: without an old one" asked 'proof=0 new_proof=32'
	check "$s: once only" fills 422 'was used' reset name=joe \
		"code=$(mailed code)" "new=$right" "again=$right"
	check "$s: everything about oneself" eval \
		'fill export "${account[@]}"; shows 200 "\"name\": \"joe\""'
	check "$s: as a file" has_header \
		'content-disposition: attachment; filename="metacube-joe.json"'
	check "$s: of the right type" has_header \
		'content-type: application/json'
	check "$s: deleting asks whether one is sure" silently eval \
		'fill delete "${account[@]}"; beside sure Tick'
	check "$s: and does it then" fills 200 'is deleted' \
		delete "${account[@]}" sure=yes
	check "$s: gone" fills 422 'is wrong' check "${account[@]}"
}

# -- what the account server may say -----------------------------------------------

answers () {
	local s=$1 name
	said () { fills "$2" "$3" check "name=$1" "password=$right"; }
	check "$s: locked" said locked 422 'is locked'
	check "$s: not allowed" said not.allowed 422 'not allowed'
	check "$s: not activated" said inactive 422 'not active yet'
	check "$s: a result for programmers" said bad.request 422 \
		'did not accept'
	check "$s: a result from the future" said strange 422 'did not accept'
	check "$s: later" said later 503 'try again'
	check "$s: and when" has_header '^retry-after: 5$'
	check "$s: for people, too" shows 503 'Seconds to wait: 5'
	check "$s: the form is there still" refills name later
	check "$s: refused as a whole" said refused 503 'try again'
	for name in slam garbage huge broken.off; do
		check "$s: $name, when nothing could have changed" \
			said $name 503 'try again'
		check "$s: $name, when something could have" fills 504 \
			'may have been done' password name=$name \
			"password=$right" "new=$other" "again=$other"
	done
	check "$s: uncertain" fills 504 'may have been done' delete \
		name=uncertain "password=$right" sure=yes
}

away () {
	local s=$1
	mv "$web_socket" "$web_socket.away"
	check "$s: nobody is there" fills 503 'try again' delete \
		"${account[@]}" sure=yes
	check "$s: and when somebody may be" has_header '^retry-after: 10$'
	mv "$web_socket.away" "$web_socket"
}

# -- fields ---------------------------------------------------------------------------

# faulty PAGE FIELD TEXT FIELD=VALUE... - not even asked, and said beside it
faulty () {
	local page=$1 field=$2 what=$3
	shift 3
	silently fills 422 . "$page" "$@" && beside "$field" "$what"
}

long () { head -c "$1" /dev/zero | tr '\0' "${2-x}"; }

fields () {
	local s=$1
	check "$s: nothing typed" faulty register name 'Type the account' \
		name= email= new= again=
	check "$s: every field says so" eval \
		'beside email "Type an" && beside new Choose'
	check "$s: the first one has the focus" shows 422 \
		'id="name"[^>]* autofocus'
	check "$s: fields left out" faulty check password 'Type the' name=joe
	for name in j 'joe smith' .joe joe- "$(long 32)" jöe 'joe<b>' $'j\noe' \
		'-- joe' '%00' 'іоe'; do
		check "$s: the name $(printf %q "$name")" faulty check name 'A name is' \
			"name=$name" "password=$right"
	done
	for email in joe @example.org joe@ 'joe@exa mple.org' 'jöe@example.org' \
		$'joe@example.org\nBcc: a@b.c' "$(long 250)@example.org"; do
		check "$s: the address $(printf %q "${email:0:30}")" faulty register email \
			'not an address' name=amanda "email=$email" \
			"new=$right" "again=$right"
	done
	check "$s: an address that the account server refuses" eval \
		'fill register name=amanda email=nobody@example.org \
		"new=$right" "again=$right"; beside email "not an address"'
	check "$s: a short password" faulty password new 'at least 8' \
		"${account[@]}" new=horse12 again=horse12
	check "$s: seven letters are seven, however many bytes" faulty \
		password new 'at least 8' "${account[@]}" new=ööööööö \
		again=ööööööö
	check "$s: a long one" faulty password new 'longer than' \
		"${account[@]}" "new=$(long 1025)" "again=$(long 1025)"
	check "$s: the name as password" faulty register new 'not be the name' \
		name=amanda123 email=a@example.org new=Amanda123 \
		again=Amanda123
	check "$s: control characters in it" faulty password new \
		'cannot be used' "${account[@]}" $'new=horse\x07horse' \
		$'again=horse\x07horse'
	check "$s: two that differ" faulty password again 'differ' \
		"${account[@]}" "new=$right" "again=$other"
	check "$s: only one" faulty password again 'once more' \
		"${account[@]}" "new=$right" again=
	check "$s: a password with everything in it" eval \
		'fill check name=joe "password=ä\"<&%+ ='\''😀"
		shows 422 "is wrong" && asked proof=32'
	check "$s: a code with a control character" faulty activate code wrong \
		"${account[@]}" $'code=a\x01b'
	check "$s: a long code" faulty activate code wrong "${account[@]}" \
		"code=$(long 64)"
	check "$s: markup that comes back is escaped" faulty register email \
		'not an address' name=amanda "new=$right" "again=$right" \
		email='"><script>alert(1)</script>'
	check "$s: all of it" refills email \
		'&quot;&gt;&lt;script&gt;alert\(1\)&lt;/script&gt;'
	check "$s: in links, too" eval \
		'visit "$web_url/reset?name=%22%3E%3Cb&code=%26%27%3C"
		refills name "&quot;&gt;&lt;b" && refills code "&amp;&#39;&lt;"'
	check "$s: a link fills nothing else" eval 'visit \
		"$web_url/reset?name=joe&new=12345678&token=x&email=a%40b.c"
		shows 200 . && keeps_secret 12345678'
}

# -- forms from elsewhere ----------------------------------------------------------------

# crafted SECONDS PAGE - a token that expires so much later
crafted () {
	local cookie expires
	cookie=$(awk '$6 == "__Host-metacube" { print $7 }' "$net/cookies")
	expires=$(printf '%012x' $(($(date +%s) + $1)))
	printf '%s.%s' "$expires" "$(printf 'metacube-form-1\0%s\0%s\0%s' \
		"$cookie" "$expires" "/$2" | openssl dgst -sha256 -mac HMAC \
		-macopt "hexkey:$(od -An -v -tx1 "$net/web/key" |
		tr -d ' \n')" | sed 's/.*= *//')"
}

# sends TOKEN [ARGUMENT...] - a form that would be right otherwise
sends () {
	local token=$1
	shift
	visit --data-urlencode name=joe --data-urlencode email=a@example.org \
		--data-urlencode "token=$token" "$@" "$web_url/forgotten"
}

forged () {			# TOKEN [ARGUMENT...]
	silently sends "$@" && shows 403 'did not come from here' &&
		refills_nothing
}

refills_nothing () { ! grep 'value="joe"' "$net/body"; }

csrf () {
	local s=$1 good
	visit "$web_url/forgotten"
	good=$(token)
	check "$s: the token can be made with the key alone" eval \
		'sends "$(crafted 3600 forgotten)"; shows 200 .'
	check "$s: the one from the form" eval 'sends "$good"; shows 200 .'
	check "$s: it is good more than once" eval \
		'sends "$good"; shows 200 .'
	check "$s: no token" forged ''
	check "$s: a token of the right length" forged "$(long 77 0)"
	check "$s: one digit changed" forged "${good%?}$(tr 0-9a-f 1-9a-f0 \
		<<<"${good: -1}")"
	check "$s: its time changed" forged "f${good#?}"
	check "$s: of another page" forged "$(crafted 3600 delete)"
	check "$s: from further in the future than any" forged \
		"$(crafted 7200 forgotten)"
	check "$s: expired" silently eval \
		'sends "$(crafted -1 forgotten)"; shows 403 "open for too long"'
	check "$s: what was typed is there again" refills name joe
	check "$s: and the form can be sent now" eval \
		'sends "$(token)"; shows 200 .'
	check "$s: another cookie" eval 'jar=/dev/null
		forged "$good" -b "__Host-metacube=$(long 32 a)"'
	check "$s: no cookie" eval 'forged "$good"'
	check "$s: that brings a new one" has_header '^set-cookie: __Host-'
	jar=$net/cookies
	check "$s: the browser says that it comes from elsewhere" forged \
		"$good" -H 'Sec-Fetch-Site: cross-site'
	check "$s: from a neighbour" forged "$good" \
		-H 'Sec-Fetch-Site: same-site'
	check "$s: from here" eval 'sends "$good" \
		-H "Sec-Fetch-Site: same-origin"; shows 200 .'
	check "$s: no GET does anything" silently eval 'visit -G \
		--data-urlencode name=joe -d email=a@example.org \
		-d "token=$good" "$web_url/forgotten"; shows 200 "<form"'
	check "$s: nor a HEAD" silently eval 'visit -I \
		"$web_url/forgotten?name=joe&token=$good"; [ $http = 200 ]'
}

# -- headers ---------------------------------------------------------------------------------

headers () {
	local s=$1 header
	rm -f "$net/cookies"
	visit "$web_url/register"
	for header in 'content-type: text/html; charset=utf-8$' \
		"content-security-policy: default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'" \
		'x-content-type-options: nosniff' 'x-frame-options: deny' \
		'referrer-policy: no-referrer' 'cache-control: no-store' \
		'strict-transport-security: max-age=31536000' \
		'cross-origin-opener-policy: same-origin' \
		'set-cookie: __Host-metacube=[0-9a-f]{32}; Path=/; HttpOnly; SameSite=Strict; Secure$'
	do
		check "$s: ${header%%:*}" has_header "^$header"
	done
	check "$s: the cookie is kept" eval \
		'visit "$web_url/check"; not has_header "^set-cookie:"'
	check "$s: the style sheet" eval 'visit "$web_url/style.css"
		shows 200 "font:" && has_header "^content-type: text/css" &&
		has_header "^cache-control: public"'
	check "$s: no errors without these headers" eval \
		'visit "$web_url/nothing"; shows 404 "no such page" &&
		has_header "^content-security-policy: default-src .none" &&
		has_header "^referrer-policy: no-referrer" &&
		has_header "^cache-control: no-store"'
	check "$s: HEAD" eval 'visit -I "$web_url/check"
		[ $http = 200 ] && ! grep "<form" "$net/body"'
}

# -- what no browser does ------------------------------------------------------------------

# raw TEXT - what is sent as it is, to the page /check
raw () { visit --data-binary "$1" "$web_url/check"; }

hostile_input () {
	local s=$1 method
	for method in PUT DELETE PATCH OPTIONS POSTX; do
		check "$s: $method" eval \
			'visit -X $method "$web_url/check"; echo "$http"
			[ "$http" = 405 ] || [ "$http" = 501 ]'
	done
	check "$s: 405 says what there is" eval 'visit -X DELETE \
		"$web_url/check"; has_header "^allow: GET, HEAD, POST"'
	check "$s: the first page takes no forms" eval 'visit -d a=b \
		"$web_url/"; shows 405 . && has_header "^allow: GET, HEAD$"'
	for path in /nothing /check/ /Check /check/../../etc/passwd \
		'/%2e%2e/' '/check%00' '/%ff'; do
		check "$s: $path" eval 'visit --path-as-is "$web_url$path"
			echo "$http"; case $http in 40[034]) ;; *) false ;; esac'
	done
	check "$s: a program that wants JSON" eval 'visit \
		-H "Accept: application/json" "$web_url/check"; shows 406 HTML'
	check "$s: one that wants anything but HTML" eval 'visit -H \
		"Accept: text/html;q=0, */*" "$web_url/check"; shows 406 HTML'
	check "$s: what browsers want" eval 'visit -H "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" \
		"$web_url/check"; shows 200 .'
	check "$s: another type of form" eval 'visit -F name=joe \
		"$web_url/check"; shows 415 "no form"'
	check "$s: JSON" eval 'visit -H "Content-Type: application/json" \
		-d "{}" "$web_url/check"; shows 415 "no form"'
	check "$s: a form that says its charset" eval 'visit -H "Content-Type: application/x-www-form-urlencoded; charset=UTF-8" \
		-d "name=joe" "$web_url/check"; shows 403 .'
	check "$s: no body" eval 'raw ""; shows 403 .'
	for broken in 'name=%' 'name=%4' 'name=%zz' 'name=a%00b' 'name=%ff' \
		'name=%c0%ae' 'name=%ed%a0%80' 'name=%f4%90%80%80' \
		'name=%c3' 'n%00=a' 'name=joe&name=amanda' 'a&a' '=&=' \
		'token=a&token=a'; do
		check "$s: $broken" silently eval \
			'raw "$broken"; shows 400 "is damaged"'
	done
	check "$s: fields that nobody knows" eval \
		'raw "x=1&y=2&&&z"; shows 403 .'
	check "$s: a NUL as it is" eval 'printf "name=a\0b" >"$net/nul"
		raw @"$net/nul"; shows 400 .'
	check "$s: 32 fields are not too many" eval \
		'raw "$(seq -f "f%g=1" -s "&" 32)"; shows 403 .'
	check "$s: 33 are" eval \
		'raw "$(seq -f "f%g=1" -s "&" 33)"; shows 413 .'
	check "$s: a long field" eval 'raw "name=$(long 2049)"; shows 413 .'
	check "$s: a field with a long name" eval \
		'raw "$(long 33)=a"; shows 413 .'
	check "$s: 16 KiB is read" eval \
		'raw "name=joe$(long 16376 "&")"; shows 403 .'
	check "$s: more is not" eval \
		'raw "name=joe$(long 16377 "&")"; shows 413 .'
	long 10000000 >"$net/large"
	check "$s: 10 MB" silently eval 'visit --http1.1 --data-binary \
		@"$net/large" "$web_url/check"; echo "$http"; [ "$http" = 413 ]'
	check "$s: 10 MB in pieces of unknown number" silently eval \
		'visit --http1.1 -H "Transfer-Encoding: chunked" --data-binary \
		@"$net/large" "$web_url/check"; echo "$http"
		case $http in 4??|"curl 55") ;; *) false ;; esac'
	check "$s: a long link" eval 'visit "$web_url/reset?code=$(long 2100)"
		shows 414 .'
	check "$s: a broken link" eval 'visit "$web_url/reset?code=%ff"
		shows 400 .'
	check "$s: a link with a name twice" eval \
		'visit "$web_url/reset?name=a&name=b"; shows 400 .'
	check "$s: cookies of others" eval 'visit -b "a=b; __Host-metacub=1; __Host-metacubed=2; $(long 3000)" "$web_url/check"; shows 200 .'
	check "$s: a cookie that is none" eval 'jar=/dev/null
		visit -b "__Host-metacube=<>" "$web_url/check"
		shows 200 . && has_header "^set-cookie:"'
	jar=$net/cookies
	check "$s: a query is no argument" eval \
		'visit "$web_url/?--version+-h"; shows 200 "Make an account"'
	check "$s: and it works still" eval 'visit "$web_url/"; shows 200 .'
}

# -- memory -------------------------------------------------------------------

# What the FastCGI process keeps of a form that it has served.  The control
# shows that the search would find it: the name of the program.
memory () {
	local core=$net/core.${pid_of[nginx-pages]}
	if grep -q '^CFLAGS = .*-fsanitize=' "$top_build/Makefile"; then
		skip "memory of the pages" "sanitizers map terabytes"
		return
	fi
	fill check name=joe 'password=a secret of %40 letters'
	fill password name=later 'password=a secret of %40 letters' \
		'new=a secret of %41 letters' 'again=a secret of %41 letters'
	if ! gcore -o "$net/core" "${pid_of[nginx-pages]}" \
		>"$net/gcore" 2>&1; then
		skip "memory of the pages" "gcore: $(tail -n 1 "$net/gcore")"
		return
	fi
	check "its memory can be searched" grep -q METACUBE_WEB_KEY "$core"
	for trace in 'secret of' 'secret+of' 'secret%20of'; do
		check "no \"$trace\" in the memory of the pages" \
			not grep -c -F -- "$trace" "$core"
	done
	rm -f "$core"
}

# -- the servers ------------------------------------------------------------------------------

web_begin
web_more=(METACUBE_WEB_POSTS=0 METACUBE_WEB_WAIT=60)
suite () {
	[ -n "${pid_of[fake]-}" ] || fake_start
	story "$1"
	headers "$1"
	csrf "$1"
	fields "$1"
	answers "$1"
	hostile_input "$1"
	away "$1"
	check "$1: no link of a mail is in its log" not grep -s 'code-[0-9]' \
		"$net/$1/access" "$net/$1/log"
}
web_apache apache
suite apache
check "apache stops" stop apache
if web_has_fastcgi; then
	stop fake
	web_lighttpd lighttpd
	suite lighttpd
	check "lighttpd stops" stop lighttpd
	stop fake
	web_nginx nginx
	suite nginx
	memory
	check "nginx stops" stop nginx
	check "so do its pages" stop nginx-pages
	rm -f "$net/web/web.socket"
else
	skip "lighttpd and nginx" "there is no libfcgi"
fi
check "no password was in the account server's log" not grep -F \
	-e "$right" -e "$other" "$net/fake/log"

# -- the program itself --------------------------------------------------------------------

# cgi NAME=VALUE... - a request without a web server
cgi () {
	env -i GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=GET PATH_INFO=/check \
		SCRIPT_NAME= METACUBE_WEB_KEY="$net/web/key" "$@" \
		"$net/web/acctserv.cgi" </dev/null
}
check "by hand it says what it is" says 'started by a web server' \
	env -i "$net/web/acctserv.cgi"
check "without HTTPS it takes no passwords" says 'Status: 403' cgi
check "unless that was switched on" says 'Status: 200' cgi \
	METACUBE_WEB_HTTP=yes
check "with a cookie for that" says \
	'^Set-Cookie: metacube=[0-9a-f]*; Path=/; HttpOnly; SameSite=Strict.$' \
	cgi METACUBE_WEB_HTTP=yes
check "no key" says 'No such file' cgi METACUBE_WEB_KEY="$net/no.key"
check "is said to nobody else" says 'Status: 500' cgi \
	METACUBE_WEB_KEY="$net/no.key"
head -c 31 "$net/web/key" >"$net/short"
chmod 600 "$net/short"
check "a short key" says '32 to 4096' cgi METACUBE_WEB_KEY="$net/short"
cp "$net/web/key" "$net/open"
chmod 644 "$net/open"
check "a key that everybody may read" says 'others may' cgi \
	METACUBE_WEB_KEY="$net/open"
check "a folder as the key" says 'no file' cgi METACUBE_WEB_KEY="$net/web"
for value in x -1 '' 60001 1e3; do
	[ -n "$value" ] || continue
	check "METACUBE_WEB_POSTS=$value" says 'is no number' cgi \
		METACUBE_WEB_POSTS="$value"
done
check "HEAD is GET without the page" eval '
	cgi HTTPS=on >"$net/get"; cgi HTTPS=on REQUEST_METHOD=HEAD >"$net/head"
	not grep "<" "$net/head" && grep -qx "Content-Length: $(sed "1,/^.$/d" \
	"$net/get" | wc -c)." "$net/head"'
check "another title, escaped" says '<title>.*A&amp;B</title>' cgi HTTPS=on \
	METACUBE_WEB_TITLE='A&B'
check "a length that is none" says 'Status: 400' cgi HTTPS=on \
	REQUEST_METHOD=POST CONTENT_LENGTH=x \
	CONTENT_TYPE=application/x-www-form-urlencoded
check "a body that ends too early" says 'Status: 400' cgi HTTPS=on \
	REQUEST_METHOD=POST CONTENT_LENGTH=5 \
	CONTENT_TYPE=application/x-www-form-urlencoded
# never answered within the second that is waited
cookie=$(long 32 a)
printf 'x\tx\tx\tx\tx\t__Host-metacube\t%s\n' \
	"$cookie" >"$net/cookies"
silent () {			# PAGE FIELDS
	local body="name=silent&token=$(crafted 3600 "$1")&$2"
	env -i GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=POST HTTPS=on \
		PATH_INFO="/$1" METACUBE_WEB_KEY="$net/web/key" \
		METACUBE_SOCKET="$web_socket" METACUBE_WEB_WAIT=1 \
		CONTENT_TYPE=application/x-www-form-urlencoded \
		CONTENT_LENGTH=${#body} \
		HTTP_COOKIE="__Host-metacube=$cookie" \
		"$net/web/acctserv.cgi" <<<"$body"
}
check "no answer to a harmless question" says 'Status: 503' \
	silent check password=x
check "no answer to another one" says 'Status: 504' \
	silent delete 'password=x&sure=yes'
check "nothing at all" says 'Status: 404' cgi HTTPS=on PATH_INFO=/ \
	REQUEST_METHOD= PATH_INFO=/x

# -- how often ----------------------------------------------------------------

often () {
	local n
	for ((n = 0; n < 20; n++)); do
		fill check name=joe "password=$wrong"
		[ "$http" != 429 ] || break
	done
	[ "$n" -ge 1 ] && shows 429 'Too many' &&
		has_header '^retry-after: [1-9]'
}
if web_has_fastcgi; then
	web_more=(METACUBE_WEB_POSTS=1)
	web_nginx often
	check "a form a minute, and not another one" often
	check "pages can be read all the same" eval \
		'visit "$web_url/"; shows 200 .'
fi
finish
