#!/bin/bash
# SPDX-License-Identifier: MIT
#
# 74_browser - the account pages in Chromium: story.py, with the fake account
# server behind them.  MC_PICTURES=FOLDER keeps the pictures.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/../system/lib.sh"
patience=60
# shellcheck source=tests/system/weblib.sh
. "$top_src/tests/system/weblib.sh"

for program in lighttpd curl chromium chromedriver python3; do
	web_has $program >/dev/null && continue
	echo "1..0 # SKIP no $program"
	exit 0
done

web_begin
web_more=(METACUBE_WEB_POSTS=0)
web_lighttpd lighttpd
fake_start
mkdir -p "$net/browser"
HOME=$net/browser PYTHONDONTWRITEBYTECODE=1 timeout 600 \
	python3 "$top_src/tests/browser/story.py" \
	"$web_url" "$net/fake/mails" "$net/browser" >"$net/story" 2>&1
grep -E '^(ok|not ok|#)' "$net/story"
tests=$(grep -cE '^(ok|not ok) ' "$net/story")
failures=$(grep -c '^not ok ' "$net/story")
check "the story was told" grep -q '^1\.\.' "$net/story"
if [ -n "${MC_PICTURES-}" ]; then
	mkdir -p "$MC_PICTURES"
	cp "$net"/browser/*.png "$MC_PICTURES/"
fi
finish
