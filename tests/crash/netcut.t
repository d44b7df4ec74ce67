#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The network between account server and replica is cut and heals, again and
# again: not refused, just silent, as when a cable is pulled.  Each time the
# replica is what the account server is afterwards, without a load.
#
#	netcut.t [--rounds N]
#
# All of it runs in a network of its own; the replica is in another one, at
# the far end of a virtual cable.  The control does not plug it in again.
if [ -z "${NETCUT-}" ]; then
	if ! unshare -n ip link >/dev/null 2>&1; then
		echo "1..0 # SKIP needs the right to make networks, and ip"
		exit 0
	fi
	NETCUT=1 exec unshare -n bash "$0" "$@"
fi
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/../system/lib.sh"
# shellcheck source=tests/crash/lib.sh
. "$(dirname "$0")/lib.sh"
campaign netcut 5 "$@"

accounts_at=account
patience=$((3 * patience))		# who was cut off dials rarely by then
settings[acctserv]='cost = 1;'
here=192.0.2.1 there=192.0.2.2

# The cable: here is the account server, far away is who holds pid $far.
ip link set lo up
unshare -n sleep infinity &
far=$!
helpers+=($far)
away () { nsenter -t $far -n "$@"; }
is_away () {
	[ "$(readlink /proc/$far/ns/net)" != "$(readlink /proc/self/ns/net)" ]
}
until_true is_away || bail "no second network"
ip link add near type veth peer name distant &&
	ip link set distant netns $far && ip addr add $here/24 dev near &&
	away ip addr add $there/24 dev distant && away ip link set lo up ||
	bail "no cable"
plug () { ip link set near up && away ip link set distant up; }
# Either end; both sides hear nothing of it.
pull () {
	if [ $((RANDOM % 2)) -eq 0 ]; then
		ip link set near down
	else
		away ip link set distant down
	fi
}
plug || bail "the cable cannot be plugged in"

certificates () {
	pki init "$net/pki" &&
		pki issue "$net/pki" account account 127.0.0.1 $here &&
		pki issue "$net/pki" gateway gateway 127.0.0.1 $there
}
more_conf () {
	[ "$1" != account ] ||
		sed -i "s/127.0.0.1:0/$here:0/" "$net"/account/conf.d/*.conf
}
cat >"$net/metacubed-away" <<END
#!/bin/sh
exec nsenter -t $far -n "$metacubed" "\$@"
END
chmod 755 "$net/metacubed-away"

certificates || bail "no certificates: $(cat "$net/pki.log")"
account_server_conf
start account
host_conf gateway
replica_conf gateway
metacubed=$net/metacubed-away
start gateway

some () { echo $((1 + RANDOM % 5)); }
equal_soon () { ctl gateway replica verify 1 >/dev/null 2>&1; }
names first 3
check "a replica over the cable" until_true same
for ((round = 1; round <= rounds; round++)); do
	names "before-$round" "$(some)"	# perhaps on their way when it is pulled
	pull
	names "while-$round" "$(some)"
	not equal_soon || violation "the cable was not pulled"
	sleep "$((RANDOM % 2)).$((RANDOM % 10))"
	plug || bail "the cable cannot be plugged in"
	names "after-$round" "$(some)"
	until_true same || violation "the replica does not come back"
	progress
done
check "it has never loaded a freeze" not log_has gateway \
	"loaded from the freeze"

pull
names unplugged 1
not equal_soon && noticed=yes
campaign_end "a replica is level after each cut" "the cable stays out"
