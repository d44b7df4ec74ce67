#!/bin/bash
# SPDX-License-Identifier: MIT
#
# 74_browser - the account pages in Chromium: story.py, with an account server
# behind them whose mails end in a file.  MC_PICTURES=FOLDER keeps the
# pictures.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/../system/lib.sh"
patience=60
# shellcheck source=tests/system/weblib.sh
. "$top_src/tests/system/weblib.sh"

for program in apache2 curl chromium chromedriver python3; do
	web_has $program >/dev/null && continue
	echo "1..0 # SKIP no $program"
	exit 0
done

# -- the account server, and its mails in one file -----------------------------

mails=$net/mails
: >"$mails"
cat >"$net/sendmail" <<EOF
#!/bin/sh
exec flock "$mails" sh -c 'cat >>"$mails"'
EOF
chmod 755 "$net/sendmail"

web_begin
web_socket=$net/account/acctserv.sock
web_more=(METACUBE_WEB_POSTS=0)
if web_has_fastcgi && web_has lighttpd >/dev/null; then
	web_lighttpd site
else
	web_apache site
fi
settings[acctserv]="link = \"$web_url/{page}?name={name}&code={code}\";
	unix_access = \"all\"; account_free = 1000; address_free = 1000000;
	account_mails = 1000; address_mails = 1000000;"
accounts_at=account
host_conf account
accounts_conf account
module_conf account mail_sendmail "command = \"$net/sendmail\";" \
	"spool = \"$net/account/mail\";"
start account

# -- the story --------------------------------------------------------------------

account amanda 'correct horse 1'
check "a password from metacubectl is right on the pages" eval \
	'fill check name=Amanda "password=correct horse 1"
	shows 200 "are right"'
check "another one is not" eval \
	'fill check name=Amanda "password=correct horse 2"
	shows 422 "is wrong"'
mkdir -p "$net/browser"
HOME=$net/browser PYTHONDONTWRITEBYTECODE=1 timeout 3600 \
	python3 "$top_src/tests/browser/story.py" \
	"$web_url" "$mails" "$net/browser" >"$net/story" 2>&1

# Its tests are counted on.
while IFS= read -r line; do
	case $line in
	'ok '* | 'not ok '*)
		tests=$((tests + 1))
		[ "${line%%ok *}" = "" ] || failures=$((failures + 1))
		echo "${line%%ok *}ok $tests - ${line#* - }" ;;
	1..*)	;;
	*)	echo "# ${line#\# }" ;;
	esac
done <"$net/story"
check "the story was told" grep -q '^1\.\.' "$net/story"
check "no password is in a log" not grep -E 'horse|third one' \
	"$net"/account/log "$net"/site/log "$net"/site/access
if [ -n "${MC_PICTURES-}" ]; then
	mkdir -p "$MC_PICTURES"
	cp "$net"/browser/*.png "$MC_PICTURES/"
fi
finish
