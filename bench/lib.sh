# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# lib.sh - what the benchmarks share: an optimised build, a network of servers
# (tools/lib/network.sh), peers in the background, and an end that leaves
# nothing behind.
# shellcheck disable=SC2154 # tools/bench sets them

net=$(mktemp -d "${TMPDIR:-/tmp}/mc-XXXXXX")
declare -a peers=()

bail () {
	echo "bench: $*" >&2
	exit 1
}

cleanup () {
	trap '' INT TERM HUP
	end_all "${peers[@]}" "${pid_of[@]}"
	rm -rf "$net"
}

# bench_build - an optimised build in $top_build
bench_build () {
	local log=$net/build.log
	"$top_src/tools/setup" build || exit 1
	{
		cd "$top_src" && { [ -x configure ] || ./autogen.sh; } &&
			mkdir -p "$top_build" && cd "$top_build" &&
			{ [ -f Makefile ] ||
				"$top_src/configure" CFLAGS='-O2 -g'; } &&
			make -j "$(nproc)" && make bench
	} >"$log" 2>&1 || { tail -n 30 "$log" >&2; bail "cannot build"; }
}

# package PROGRAM PACKAGE... - installs packages unless the program is there
package () {
	local program=$1 as_root=
	shift
	command -v "$program" >/dev/null && return
	[ "$(id -u)" -eq 0 ] || as_root=sudo
	echo "installing $*"
	{
		$as_root apt-get -q -y update
		$as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
			--no-install-recommends install "$@"
	} >"$net/apt.log" 2>&1 || bail "cannot install $*:" \
		"$(tail -n 3 "$net/apt.log")"
}

port () { echo "${1##*:}"; }			# ADDRESS

# median - of the numbers on standard input
median () {
	sort -n | awk '{ v[NR] = $1 }
	END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

# bench_maps COUNT CAPACITY - maps map-0 and on in $net/maps
bench_maps () {
	local n
	for ((n = 0; n < $1; n++)); do
		mkdir -p "$net/maps/map-$n"
		cp "$top_src/maps/newbie-island/terrain.png" "$net/maps/map-$n"
		sed "s/^capacity.*/capacity = $2;/" \
			"$top_src/maps/newbie-island/map.conf" \
			>"$net/maps/map-$n/map.conf"
	done
}

# gateway_any_conf - a gateway that lets everybody in
gateway_any_conf () {
	host_conf gateway
	module_conf gateway auth_any
	module_conf gateway taskmaster_remote \
		"connect = \"$(address taskmaster taskmaster)\";"
	module_conf gateway gateway 'listen = "127.0.0.1:0";' \
		'max_per_address = 1000000;' 'log_rate = 0;'
}
