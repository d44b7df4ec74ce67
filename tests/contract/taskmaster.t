#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The taskmaster's contract, kept by both who provide it: by the taskmaster
# itself, with two world servers that dial in, and by taskmaster_remote, with
# a taskmaster and the same worlds behind it.  One file, since both need the
# same network.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/../system/lib.sh"

# kept SERVER MODULE SETTING... - with the certificate of that server
kept () {
	local server=$1 module=$2
	shift 2
	mkdir -p "$net/kit"
	{
		echo "certificate = \"$(certificate "$server")\";"
		echo "key = \"$(key "$server")\";"
		echo "ca = \"$(authority)\";"
	} >"$net/kit/metacubed.conf"
	printf 'module = "%s";\nsettings: { %s };\n' "$module" "$*" \
		>"$net/kit/$module.conf"
	timeout 300 "$top_build/metacube-contract" taskmaster \
		"$modules/$module.so" "$net/kit/$module.conf" \
		"$net/kit/metacubed.conf" >"$net/kit/$module.tap" 2>&1
	local status=$?
	grep '^ok\|^not ok\|^#' "$net/kit/$module.tap"
	[ $status -eq 0 ]
}

# Each promise is one line of this test.
suite () {
	local module=$2 line
	kept "$@" >"$net/kit.out"
	local status=$?
	while IFS= read -r line; do
		case $line in
		'ok '*) check "$module: ${line#*- }" true ;;
		'not ok '*) check "$module: ${line#*- }" false ;;
		*) echo "$line" ;;
		esac
	done <"$net/kit.out"
	check "$module: the suite came to its end" test $status -eq 0
}

settings[world]='idle_unload = "1h";'	# one copy for both suites
network 2
where=$(address taskmaster taskmaster)
suite gateway taskmaster_remote "connect = \"$where\";"

# The kit takes the taskmaster's place: the worlds dial again.
check "the taskmaster stops" stop taskmaster
suite taskmaster taskmaster "listen = \"$where\";"
finish
