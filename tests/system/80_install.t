#!/bin/bash
# SPDX-License-Identifier: MIT
#
# 80_install - what `make install` has put in place is enough for a stranger:
# a module is built outside of the tree with pkg-config alone, loaded by the
# installed server, and asked something with the installed metacubectl.
#
# Run by `make installcheck`, which says where things are: DESTDIR, MC_SBINDIR,
# MC_BINDIR, MC_LIBDIR, MC_MODULEDIR, MC_LIBEXECDIR, MC_DATADIR, MC_UNITDIR.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

stage=${DESTDIR-}
metacubed=$stage${MC_SBINDIR:?}/metacubed
metacubectl=$stage${MC_BINDIR:?}/metacubectl
modules=$net/modules
export LD_LIBRARY_PATH=$stage${MC_LIBDIR:?}
export PKG_CONFIG_PATH=$stage$MC_LIBDIR/pkgconfig
[ -z "$stage" ] || export PKG_CONFIG_SYSROOT_DIR=$stage

check "metacubed runs from where it is installed" "$metacubed" --version
check "metacubectl runs from where it is installed" "$metacubectl" --version
check "metacube-netshell runs from where it is installed" \
	"$stage$MC_BINDIR/metacube-netshell" --version

shows_page () {			# the key is the test's own
	(umask 077 && head -c 32 /dev/urandom >"$net/web.key")
	env GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=GET HTTPS=on PATH_INFO=/ \
		METACUBE_WEB_KEY="$net/web.key" \
		"$stage${MC_LIBEXECDIR:?}/acctserv.cgi" </dev/null |
		grep 'Make an account'
}
check "acctserv.cgi runs from where it is installed" shows_page
samples_point_there () {
	local sample
	for sample in apache lighttpd nginx; do
		grep -q 'acctserv.cgi' "$stage${MC_DATADIR:?}/web/$sample.conf" &&
			! grep '@' "$stage$MC_DATADIR/web/$sample.conf" ||
			return 1
	done
	grep "$MC_LIBEXECDIR/acctserv.cgi" "$stage$MC_DATADIR"/web/*.conf
}
check "the samples for web servers have its path" samples_point_there

# systemd looks for the programs, too: where they are while staged.
unit=$stage${MC_UNITDIR:?}/metacubed.service
sed "s,^\(Exec[A-Za-z]*=\),\1$stage," "$unit" >"$net/metacubed.service"
unit_is_fine () {
	local said
	# of other units on this machine it may say what it likes
	said=$(systemd-analyze verify --man=no --recursive-errors=no \
		"$net/metacubed.service" 2>&1) || { echo "$said"; return 1; }
	! grep metacubed <<<"$said"
}
check "the unit for systemd has the paths" not grep '@[A-Z]*_DIR@' "$unit"
if systemd-analyze --recursive-errors=no --version >"$net/out" 2>&1; then
	check "it is one" unit_is_fine
else
	skip "it is one" "no systemd-analyze, or an old one"
fi

variable_is () { [ "$(pkg-config --variable="$1" metacube)" = "$2" ]; }
PKG_CONFIG_SYSROOT_DIR='' check "metacube.pc knows the modules' folder" \
	variable_is moduledir "${MC_MODULEDIR:?}"
check "metacube.pc knows the ABI" \
	variable_is abi "$("$metacubed" --version |
		sed -n 's/.*ABI \([0-9.]*\).*/\1/p')"

cp "$top_src/tests/oot/skeleton.c" "$top_src/tests/oot/Makefile" "$net"
build_outside () {
	make -C "$net" MAKEFLAGS= CFLAGS='-O2 -Wall -Wextra -Werror' \
		MODULEDIR="$modules" DESTDIR='' install
}
check "a module builds with nothing but what is installed" build_outside

cat >"$net/c.c" <<'END'
#include <metacube/client.h>
int main(void) { return metacube_error_text(METACUBE_OK) == 0; }
END
build_client () {
	# shellcheck disable=SC2046 # a list of flags
	cc -o "$net/c" "$net/c.c" \
		$(pkg-config --cflags --libs metacube-client) && "$net/c"
}
check "a client builds with nothing but what is installed" build_client

every_module_loads () {
	local so name
	for so in "$stage$MC_MODULEDIR"/*.so; do
		name=$(basename "$so" .so)
		"$metacubed" -c "$net/all/metacubed.conf" --describe "$name" ||
			return 1
	done
}
modules=$stage$MC_MODULEDIR
host_conf all
check "every installed module describes itself" every_module_loads
modules=$net/modules

host_conf outside
module_conf outside skeleton 'greeting = "Welcome";'
check "metacubed accepts the module and its settings" \
	"$metacubed" -c "$net/outside/metacubed.conf" --check
start outside
greets () { ctl outside greet Joe | grep -q '^Welcome, Joe$'; }
check "the module answers its command" greets
check "it stops as it was asked to" stop outside
finish
