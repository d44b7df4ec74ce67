# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# network.sh - a small network of servers on this machine: their certificates,
# files, processes.  For tools/demo and the system tests.
#
# Whoever uses it sets
#	net		an empty folder of its own, with a short name (sockets)
#	top_src		the source tree
#	top_build	a build of it
#	patience	seconds, for everything that is waited for
# Ports come from the kernel; nothing listens beyond 127.0.0.1.  A server is
# known by its name: account, gateway, taskmaster, world-1, world-2, ...

# shellcheck disable=SC2154 # see above
metacubed=$top_build/metacubed
metacubectl=$top_build/metacubectl
netshell=$top_build/metacube-netshell
modules=$top_build/modules/.libs

declare -A pid_of=()		# servers that run
declare -A settings=()		# further settings, by module or server name
declare -A uses=()		# whose services a module uses, by module name
declare -a host_lines=()	# further lines of every metacubed.conf
taskmaster_at=taskmaster		# the server with the module taskmaster
accounts_at=gateway		# the one with acctserv; "account": on its own

# -- waiting --------------------------------------------------------------

# gone PID - no child of ours any more: the number of one that has ended may
# meanwhile be that of somebody else's process.
gone () { ! grep -qs "^PPid:[[:space:]]*$$\$" "/proc/$1/status"; }

# until_true COMMAND... - again and again, as long as patience lasts
until_true () {
	local deadline=$((SECONDS + patience))
	until "$@" >"$net/until" 2>&1; do
		if [ $SECONDS -ge $deadline ]; then
			echo "still not true after $patience s: $*"
			cat "$net/until"
			return 1
		fi
		sleep 0.05
	done
}

# reap PID - its exit status; 124, and SIGKILL, when that takes too long
reap () {
	local deadline=$((SECONDS + patience))
	while ! gone "$1" && [ $SECONDS -lt $deadline ]; do
		sleep 0.02
	done
	if ! gone "$1"; then
		kill -KILL "$1"
		wait "$1" 2>/dev/null
		return 124
	fi
	wait "$1" 2>/dev/null
}

# end_all PID... - who still runs is asked to end, and then each waited for
end_all () {
	local pid
	for pid; do
		gone "$pid" || kill -TERM "$pid" 2>/dev/null
	done
	for pid; do
		reap "$pid"
	done
}

# -- certificates ---------------------------------------------------------

pki () {
	"$metacubectl" pki "$@" >"$net/pki.log" 2>&1 && return
	cat "$net/pki.log"
	return 1
}

certificate () { echo "$net/pki/$1.pem"; }
key () { echo "$net/pki/$1.key"; }
authority () { echo "$net/pki/ca.pem"; }

# -- files ------------------------------------------------------------------

# host_conf NAME [LINE...] - the folder of a server and its metacubed.conf
host_conf () {
	local name=$1
	shift
	set -- "$@" "${host_lines[@]}"
	mkdir -p "$net/$name/conf.d"
	{
		echo "module_dir = \"$modules\";"
		echo "conf_dir = \"$net/$name/conf.d\";"
		echo "control = \"$net/$name/control\";"
		if [ -f "$(certificate "$name")" ]; then
			echo "certificate = \"$(certificate "$name")\";"
			echo "key = \"$(key "$name")\";"
			echo "ca = \"$(authority)\";"
		fi
		[ $# -eq 0 ] || printf '%s\n' "$@"
	} >"$net/$name/metacubed.conf"
}

# module_conf NAME MODULE [SETTING...] - an instance of it in that server
module_conf () {
	local file=$net/$1/conf.d/$2.conf module=$2
	shift 2
	{
		echo "module = \"$module\";"
		[ -z "${uses[$module]-}" ] || echo "use: { ${uses[$module]} };"
		echo "settings: {"
		[ $# -eq 0 ] || printf '\t%s\n' "$@"
		[ -z "${settings[$module]-}" ] || echo "${settings[$module]}"
		echo "};"
	} >"$file"
}

# more_conf NAME - for those who want more in a server before it starts
more_conf () { true; }

taskmaster_conf () {
	host_conf taskmaster
	module_conf taskmaster taskmaster 'listen = "127.0.0.1:0";'
}

# accounts_conf NAME [LISTEN] - the account server itself, in that server;
# LISTEN is where other servers ask for changes, empty for nowhere
accounts_conf () {
	module_conf "$1" tcapw_gdbm "path = \"$net/$1/accounts.gdbm\";"
	module_conf "$1" wmq_file "path = \"$net/$1/queue\";"
	module_conf "$1" acctserv "listen = \"${2-}\";" \
		"listen_unix = \"unix:$net/$1/acctserv.sock\";" \
		"audit = \"$net/$1/audit\";"
}

freeze_key () {			# prints its file, which is made if need be
	[ -f "$net/freeze.key" ] || (umask 077 &&
		od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n' \
			>"$net/freeze.key")
	echo "$net/freeze.key"
}

# mailbox - from now on mails are files in $net/mailbox
mailbox () {
	mkdir -p "$net/mailbox"
	sendmail=$net/sendmail
	cat >"$sendmail" <<-END
		#!/bin/sh
		# Takes a message as /usr/sbin/sendmail -t -i does.
		new=\$(mktemp "$net/new-mail-XXXXXX") || exit 75
		cat >"\$new" && mv "\$new" "$net/mailbox"
	END
	chmod 755 "$sendmail"
}

# code_for ADDRESS - in the latest mail to it
code_for () {
	local mails
	mails=$(grep -liE "^To:.*$1" "$net"/mailbox/*) || return
	# shellcheck disable=SC2012,SC2086 # names are mktemp's
	ls -t $mails | head -n 1 | xargs cat | tr -d '-' |
		grep -oE '\b[A-Z2-7]{26}\b' | head -n 1 | grep .
}

# The account server on its own: it serves its queue and freezes to replicas,
# and sends mail with the command $sendmail.
sendmail=/bin/false
account_server_conf () {
	host_conf account
	accounts_conf account 127.0.0.1:0
	module_conf account wmqmaint "path = \"$net/account/freeze\";" \
		"key_files = \"$(freeze_key)\";"
	module_conf account antpserv 'listen = "127.0.0.1:0";' \
		"state_file = \"$net/account/replicas\";"
	module_conf account mail_sendmail "command = \"$sendmail\";" \
		"spool = \"$net/account/mail\";"
}

# replica_conf NAME - a replica of the accounts in that server, and the way to
# have them changed.  wmqmaint prunes the mirror there; the freeze, which it
# provides as well, is that of antpclnt.
uses[servpw]='freeze = "antpclnt";'
replica_conf () {
	module_conf "$1" tcapw_gdbm "path = \"$net/$1/accounts.gdbm\";"
	module_conf "$1" antpclnt "path = \"$net/$1/mirror\";" \
		"server = \"antp://$(address account antpserv)/\";"
	module_conf "$1" servpw "key_files = \"$(freeze_key)\";"
	module_conf "$1" wmqmaint "path = \"$net/$1/freeze\";" \
		"key_files = \"$(freeze_key)\";"
	module_conf "$1" account_remote \
		"connect = \"$(address account acctserv)\";"
}

gateway_conf () {
	host_conf gateway
	if [ $accounts_at = gateway ]; then
		accounts_conf gateway
	else
		replica_conf gateway
	fi
	module_conf gateway auth_password
	module_conf gateway taskmaster_remote \
		"connect = \"$(address taskmaster taskmaster)\";"
	module_conf gateway gateway 'listen = "127.0.0.1:0";'
}

# world_conf NAME MAPS [SETTING...] - MAPS is a folder of maps
world_conf () {
	local name=$1 maps=$2
	shift 2
	host_conf "$name"
	module_conf "$name" world 'listen = "127.0.0.1:0";' \
		"maps = \"$maps\";" \
		"taskmaster = \"$(address $taskmaster_at taskmaster)\";" \
		"$@" "${settings[$name]-}"
}

# -- servers ------------------------------------------------------------------

ctl () {			# NAME COMMAND...
	local name=$1
	shift
	timeout "$patience" "$metacubectl" --socket "$net/$name/control" "$@"
}

answers_or_dead () { gone "${pid_of[$1]}" || ctl "$1" status; }

# level NAME - its accounts, if it has any, are those of the queue again
level () {
	! ctl "$1" account show nobody 2>&1 | grep -q 'brought level'
}

# address NAME INSTANCE - where it listens
address () {
	ctl "$1" status | awk -v name="$2" \
		'$1 == "listener" && $2 == name && $3 !~ /^unix:/ {
			print $3; exit }'
}

# counter NAME INSTANCE COUNTER - its value, 0 when nothing was counted
counter () {
	local counters
	counters=$(ctl "$1" counters "$2") || return
	awk -v name="$3" '$2 == name { value = $3 } END { print value + 0 }' \
		<<<"$counters"
}

# row SERVER COMMAND PATTERN... - one row of the answer has all of these.  A
# row is a line such as {"world":"world-1","users":"3"}; prints those that have.
row () {
	local server=$1 command=$2 rows pattern
	shift 2
	# shellcheck disable=SC2086 # "account list" is two words
	rows=$(ctl "$server" --json $command) || return 1
	for pattern; do
		rows=$(grep -E -- "$pattern" <<<"$rows") || return 1
	done
	echo "$rows"
}

# has KEY VALUE - as a pattern for row
has () { echo "\"$1\":\"$2\""; }

# cell KEY - of the first row that comes in
cell () { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" | head -n 1; }

# replica_has KEY VALUE - the gateway's, as metacubectl replica status says
replica_has () {
	ctl gateway replica status |
		awk -v key="$1" -v value="$2" \
			'$1 == key && $2 == value { found = 1 }
			END { exit !found }'
}

# launch NAME [ARGUMENT...] - starts it and does not wait
launch () {
	local name=$1
	shift
	more_conf "$name"
	"$metacubed" -c "$net/$name/metacubed.conf" "$@" </dev/null \
		>>"$net/$name/log" 2>&1 &
	pid_of[$name]=$!
}

# start NAME [ARGUMENT...] - and waits until it answers
start () {
	launch "$@"
	until_true answers_or_dead "$1" && ! gone "${pid_of[$1]}" &&
		until_true level "$1" && return
	bail "$1 does not start: $(tail -n 3 "$net/$1/log")"
}

# stop NAME - SIGTERM; status is that of the server
stop () {
	local pid=${pid_of[$1]}
	unset "pid_of[$1]"
	gone "$pid" || kill -TERM "$pid"
	reap "$pid"
}

# stay_put NAME INSTANCE... - it will listen where it does now when it is
# started again
stay_put () {
	local name=$1 instance
	shift
	for instance; do
		sed -i "s|listen = \"127.0.0.1:0\"|listen = \"$(address \
			"$name" "$instance")\"|" \
			"$net/$name/conf.d/$instance.conf"
	done
}

kill_hard () {			# NAME
	local pid=${pid_of[$1]}
	unset "pid_of[$1]"
	gone "$pid" || kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	true
}

# -- the whole ------------------------------------------------------------------

registered () { ctl $taskmaster_at worlds | grep -q "^$1\b"; }

# maps_of N - the folder with the maps of world-N
maps_of () { echo "$top_src/maps"; }

certificates () {		# WORLDS
	local n
	pki init "$net/pki" || return
	pki issue "$net/pki" account account 127.0.0.1 localhost || return
	pki issue "$net/pki" taskmaster taskmaster 127.0.0.1 localhost || return
	pki issue "$net/pki" gateway gateway 127.0.0.1 localhost || return
	for ((n = 1; n <= $1; n++)); do
		pki issue "$net/pki" world "world-$n" 127.0.0.1 localhost ||
			return
	done
}

# network WORLDS - a taskmaster, a gateway with the accounts, and so many
# worlds, which have registered when this returns.  With accounts_at=account
# there is an account server first, the gateway has a replica, and worlds have
# a way to it.
network () {
	local n
	certificates "$1" || bail "no certificates: $(cat "$net/pki.log")"
	if [ $accounts_at = account ]; then
		account_server_conf
		start account
	fi
	taskmaster_conf
	start taskmaster
	gateway_conf
	start gateway
	for ((n = 1; n <= $1; n++)); do
		world_conf "world-$n" "$(maps_of "$n")"
		[ $accounts_at = gateway ] ||
			module_conf "world-$n" account_remote \
				"connect = \"$(address account acctserv)\";"
		start "world-$n"
	done
	for ((n = 1; n <= $1; n++)); do
		until_true registered "world-$n" ||
			bail "world-$n does not register"
	done
}

# -- people ---------------------------------------------------------------------

declare -A in_of=()		# what they type into, by name
declare -A heard_by=()		# lines they had heard when they typed last
declare -a helpers=()		# processes that are no servers

# stamp - puts a time before each line, as the servers' logs have it
stamp () {
	local line now
	while IFS= read -r line; do
		now=$EPOCHREALTIME
		TZ=UTC0 printf '%(%Y-%m-%dT%H:%M:%S)T.%.3sZ NOTE  %s\n' \
			"${now%[.,]*}" "${now#*[.,]}" "$line"
	done
}

# person NAME - somebody with a metacube-netshell
person () {
	local fd
	mkdir -p "$net/$1"
	mkfifo "$net/$1/in"
	"$netshell" --gateway "$(address gateway gateway)" \
		--ca "$(authority)" <"$net/$1/in" \
		> >(stamp >>"$net/$1/log") 2>&1 &
	helpers+=($!)
	exec {fd}>"$net/$1/in"
	in_of[$1]=$fd
}

# type_in NAME LINE
type_in () {
	heard_by[$1]=$(wc -l 2>/dev/null <"$net/$1/log" || echo 0)
	stamp <<<"> $2" >>"$net/$1/log"
	echo "$2" >&"${in_of[$1]}"
}

# hears NAME PATTERN - a line that came since something was typed last
hears () {
	tail -n "+$((${heard_by[$1]-0} + 1))" "$net/$1/log" |
		grep -v 'Z NOTE  > ' | grep -E -- "$2"
}
