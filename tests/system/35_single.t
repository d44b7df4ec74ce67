#!/bin/bash
# SPDX-License-Identifier: MIT
#
# 35_single - everything in one process, with keys of the other kind: the first
# start that README.md describes.  Its certificate names the wrong host at
# first; the right one is taken with a reload.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

# -- certificates ----------------------------------------------------------------

# ctl_pki STATUS ARGUMENT...
ctl_pki () {
	local expected=$1 got
	shift
	"$metacubectl" pki "$@"
	got=$?
	echo "# status $got"
	[ $got -eq "$expected" ]
}
certificate_says () { grep -aq "$1" <(base64 -d <<<"$(sed '/-----/d' "$2")"); }

pem=$net/pki/gateway.pem
check "pki init --ed25519" ctl_pki 0 init --ed25519 "$net/pki"
check "it does not replace a CA" says 'ca\.(key|pem)' \
	ctl_pki 1 init "$net/pki"
check "pki issue with three roles, for another host" ctl_pki 0 issue \
	--ed25519 "$net/pki" gateway,taskmaster,world gateway one.example
check "it does not replace a certificate" says 'gateway\.(key|pem)' \
	ctl_pki 1 issue "$net/pki" gateway gateway 127.0.0.1
check "keys are their owner's alone" says '^600 600$' \
	stat --printf '%a %a\n' "$net/pki/ca.key" "$net/pki/gateway.key"
for role in gateway taskmaster world; do
	check "the certificate names the role $role" \
		certificate_says "metacube:$role/gateway" "$pem"
done
check "a role that cannot be one is refused" says 'is no role' \
	ctl_pki 2 issue "$net/pki" '../world' x 127.0.0.1
check "a name that is a path is refused" says 'is no name' \
	ctl_pki 2 issue "$net/pki" world ../x 127.0.0.1
check "no days at all are refused" says '\-\-days' \
	ctl_pki 2 issue --days 0 "$net/pki" world x 127.0.0.1
check "a folder without a CA" says 'pki init' \
	ctl_pki 1 issue "$net/nowhere" world x 127.0.0.1

# -- one process -------------------------------------------------------------------

taskmaster_at=gateway
settings[world]='idle_unload = "1s";'
host_conf gateway
module_conf gateway taskmaster 'listen = "127.0.0.1:0";'
start gateway
where=$(address gateway taskmaster)	# the world has to know it beforehand
check "a taskmaster by itself stops" stop gateway

module_conf gateway taskmaster "listen = \"$where\";"
module_conf gateway tcapw_gdbm "path = \"$net/gateway/accounts.gdbm\";"
module_conf gateway wmq_file "path = \"$net/gateway/queue\";"
module_conf gateway acctserv 'listen = "";' 'listen_unix = "";' \
	"audit = \"$net/gateway/audit\";"
module_conf gateway auth_password
module_conf gateway gateway 'listen = "127.0.0.1:0";'
module_conf gateway world 'listen = "127.0.0.1:0";' \
	"maps = \"$top_src/maps\";" "taskmaster = \"$where\";"
check "--check" "$metacubed" -c "$net/gateway/metacubed.conf" --check
start gateway
account Joe

joe_alone () {
	timeout "$patience" "$netshell" --gateway "$(address gateway gateway)" \
		--ca "$(authority)" -e "login joe --password-file $net/Joe.pw" \
		</dev/null
}
check "joe's client does not believe the certificate" \
	says 'is not made out for "127.0.0.1"' not joe_alone
check "the world does: from the taskmaster it wants a role, not a host" \
	until_true registered gateway

check "pki issue --force renews it" ctl_pki 0 issue --ed25519 --force \
	"$net/pki" gateway,taskmaster,world gateway 127.0.0.1 localhost
check "a reload takes it" ctl gateway reload
check "joe's client believes that" joe_alone

# -- the commands of the one process ------------------------------------------------

person joe
type_in joe "login joe newbie-island --password-file $net/Joe.pw"
check "joe is on the island" until_true hears joe \
	'You are on Newbie Island .* 1 person is here'
check "modules has all seven" test "$(ctl gateway modules | grep -cw running)" -eq 7
check "worlds" until_true row gateway worlds "$(has world gateway)" \
	"$(has users 1)"
check "maps" row gateway maps "$(has map newbie-island)" \
	"$(has state running)"
check "players" row gateway players "$(has player Joe)" \
	"$(has map newbie-island)"
check "world maps" row gateway 'world maps' "$(has map newbie-island)"
check "world players" row gateway 'world players' "$(has player Joe)"
check "account list" says '^Joe' ctl gateway account list
type_in joe quit
no_copy () { ! row gateway maps "$(has map newbie-island)"; }
check "the map is unloaded when he has gone" until_true no_copy

# The example for programmers is a whole client, too: it stays ten seconds.
account Amanda
example () {
	METACUBE_PASSWORD=$(cat "$net/Amanda.pw") timeout 60 \
		"$top_build/client/example" "$(address gateway gateway)" \
		"$(authority)" Amanda newbie-island
}
check "client/example visits the island" \
	says '^I am on Newbie Island, run by gateway$' example
check "and hears itself" grep -q '^Amanda: Hello!$' "$net/says"
check "and leaves in order" until_true log_has gateway \
	'Amanda has left newbie-island'

check "metacubectl stop" ctl gateway stop
check "ends it with status 0" reap "${pid_of[gateway]}"
unset "pid_of[gateway]"
finish
