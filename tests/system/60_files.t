#!/bin/bash
# SPDX-License-Identifier: MIT
#
# 60_files - what is wrong with a file is said in words, by file and line, and
# nothing starts or changes because of it.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

mcd () { timeout "$patience" "$metacubed" -c "$net/one/metacubed.conf" "$@"; }

# fresh - a good configuration, which the case then spoils
fresh () {
	rm -rf "${net:?}/one"
	host_conf one "$@"
	module_conf one tcapw_mem
}
conf_d=$net/one/conf.d

# complains DESCRIPTION PATTERN - --check says so, and ends with 1
complains () {
	local status
	mcd --check >"$net/said" 2>&1
	status=$?
	check "$1" said "$2" $status
}
said () {
	cat "$net/said"
	[ "$2" -eq 1 ] && grep -qE -- "$1" "$net/said"
}

# -- conf.d -------------------------------------------------------------------

fresh
check "a good configuration is good" mcd --check

fresh
cat >"$conf_d/auth_password.conf" <<'END'
module = "auth_password";
settings: {
	workers = 1;
	wrkers = 2;
	queue_max = "many";
	cost = 99;
};
END
complains "an unknown setting: file and line" 'auth_password.conf:4: .*wrkers'
complains "a wrong type, in the same run" 'auth_password.conf:5: .*queue_max'
complains "out of range, in the same run" 'auth_password.conf:6: .*cost'

fresh
echo 'module = "tcapw_mem"; settings: {' >"$conf_d/broken.conf"
complains "a syntax error" 'broken.conf:[0-9]+: '

fresh
printf 'module = "tcapw_mem";\nmodule = "tcapw_mem";\n' >"$conf_d/twice.conf"
complains "a setting that stands twice" 'twice.conf:2: '

fresh
echo 'module = "tcapw_mem";' >"$conf_d/second.conf"
complains "two instances of one name" 'the name tcapw_mem is taken'

fresh
echo 'module = "tcapw_mem"; name = "other";' >"$conf_d/other.conf"
module_conf one auth_password
complains "two providers, and nobody says which" \
	'tcapw_mem.conf.*other.conf|other.conf.*tcapw_mem.conf'
sed -i '1i use: { tcapw = "other"; };' "$conf_d/auth_password.conf"
check "use says which" mcd --check

fresh
rm "$conf_d/tcapw_mem.conf"
module_conf one auth_password
complains "a provider that is missing" 'auth_password.*tcapw'

fresh
echo 'module = "no_such_module";' >"$conf_d/x.conf"
complains "a module that is not there" 'x.conf.*no_such_module'
echo 'module = "../../../etc/passwd";' >"$conf_d/x.conf"
complains "a module whose name is a path" 'x.conf:1: module: '

fresh
echo 'nonsense' >"$conf_d/tcapw_mem.conf~"
echo 'nonsense' >"$conf_d/.tcapw_mem.conf.swp"
echo 'nonsense' >"$conf_d/tcapw_mem.conf.dpkg-old"
echo 'nonsense' >"$conf_d/#tcapw_mem.conf#"
check "leftovers of editors and packages are ignored" mcd --check
mkdir "$conf_d/folder.conf"
complains "a folder that looks like a file is not" 'folder.conf: '

fresh 'log_level = "shout";' 'io_threads = 9000000000L;'
complains "metacubed.conf: a word that is no choice" \
	'metacubed.conf:[0-9]+: .*log_level'
complains "metacubed.conf: a number out of range" \
	'metacubed.conf:[0-9]+: .*io_threads'
fresh 'io_threads = 9000000000;'
complains "metacubed.conf: a number that libconfig would cut" \
	'metacubed.conf:[0-9]+: 9000000000'

# The fakes of the unit tests: modules with something wrong about them
fakes=$top_build/tests/fakes/.libs
fake () {			# MODULE - an instance of it in a configuration
	fresh
	rm "$conf_d/tcapw_mem.conf"
	sed -i "s|^module_dir.*|module_dir = \"$fakes\";|" \
		"$net/one/metacubed.conf"
	module_conf one "$1"
}
fake fake_proxy
sed -i '1i name = "left"; use: { store = "right"; };' \
	"$conf_d/fake_proxy.conf"
cat >"$conf_d/right.conf" <<'END'
module = "fake_proxy"; name = "right"; use: { store = "left"; };
END
complains "a circle of needs, by its files" \
	'fake_proxy.conf.*right.conf|right.conf.*fake_proxy.conf'
fake fake_older
complains "a module for an older ABI, and which side is older" \
	'fake_older.*older'
fake fake_newer
complains "a module for a newer ABI" 'fake_newer.*newer|fake_newer.*older'
fake fake_nonote
complains "an object that is no module" 'fake_nonote'
fake fake_crash
complains "a module that crashes when it is loaded" 'fake_crash'
fake fake_exit
complains "a module that ends the process when it is loaded" 'fake_exit'

# -- modules as files ----------------------------------------------------------

real=$modules
own_modules () {
	fresh
	rm -rf "${net:?}/modules" && mkdir "$net/modules" &&
		cp "$real/tcapw_mem.so" "$net/modules"
	sed -i "s|^module_dir.*|module_dir = \"$net/modules\";|" \
		"$net/one/metacubed.conf"
}
own_modules
check "a copy of the module is good" mcd --check
chmod 666 "$net/modules/tcapw_mem.so"
complains "a module that anybody may write" 'tcapw_mem.so'
own_modules
echo 'not ELF' >"$net/modules/tcapw_mem.so"
complains "a module that is no ELF file" 'tcapw_mem.so'
own_modules
truncate -s 3000 "$net/modules/tcapw_mem.so"
complains "a module that is cut off" 'tcapw_mem.so'
own_modules
rm "$net/modules/tcapw_mem.so" && mkfifo "$net/modules/tcapw_mem.so"
complains "a module that is a pipe" 'tcapw_mem.so'
if [ "$(id -u)" -eq 0 ]; then
	own_modules
	chown 65534 "$net/modules/tcapw_mem.so"
	complains "a module of somebody else" 'tcapw_mem.so'
else
	skip "a module of somebody else" "needs root to make one"
fi

# -- the key ----------------------------------------------------------------

pki init "$net/pki" || bail "pki init"
pki issue "$net/pki" gateway one 127.0.0.1 || bail "pki issue"
keyed () {
	fresh
	module_conf one gateway 'listen = "127.0.0.1:0";'
	module_conf one auth_password
	module_conf one taskmaster 'listen = "127.0.0.1:0";'
	cp "$(key one)" "$net/one/key"
	sed -i "s|^key = .*|key = \"$net/one/key\";|" "$net/one/metacubed.conf"
}
# refuses DESCRIPTION PATTERN - does not start, and says why
refuses () {
	local status
	mcd >"$net/said" 2>&1
	status=$?
	check "$1" said "$2" $status
}
keyed
rm "$net/one/key"
refuses "a key that is missing" "$net/one/key"
keyed
chmod 000 "$net/one/key"
unprivileged=()
[ "$(id -u)" -ne 0 ] || unprivileged=(setpriv
	--inh-caps=-dac_override,-dac_read_search
	--bounding-set=-dac_override,-dac_read_search)
"${unprivileged[@]}" "$metacubed" -c "$net/one/metacubed.conf" \
	>"$net/said" 2>&1
check "a key that may not be read" said "$net/one/key.*[Pp]ermission" $?
keyed
echo 'no PEM' >"$net/one/key"
refuses "a key that is none" "$net/one/key"
keyed
pki issue "$net/pki" world two || bail "pki issue"
cp "$(key two)" "$net/one/key"
refuses "the key of another certificate" 'key|certificate'
keyed
chmod 644 "$net/one/key"
mcd --check >"$net/said" 2>&1
start one
check "it starts with a good key" ctl one status
rm "$net/one/key"
not ctl one reload >"$net/out" 2>&1
check "when the key has gone, reload is refused and it goes on" \
	ctl one status
check "it stops" stop one

# -- accounts.gdbm ---------------------------------------------------------------

gdbm () {
	rm -rf "${net:?}/one"
	host_conf one
	module_conf one tcapw_gdbm "path = \"$net/one/accounts.gdbm\";"
	module_conf one wmq_file "path = \"$net/one/queue\";"
	module_conf one acctserv 'listen = "";' 'listen_unix = "";' \
		"audit = \"$net/one/audit\";"
}
store=$net/one/accounts.gdbm
create () { ctl one account create "$1" --password-fd 3 3<"$net/pw"; }
echo secret-enough >"$net/pw"

# A store that is not there, or was not closed, is rebuilt from the queue: so
# no damage to it may lose Joe, and none may end the process.
filled () {
	gdbm
	start one
	create joe >"$net/out" 2>&1 || bail "no joe: $(cat "$net/out")"
	create amanda >"$net/out" 2>&1 || bail "no amanda"
	stop one || bail "does not stop"
}
both_there () {
	ctl one account list >"$net/list" 2>&1
	cat "$net/list"
	grep -q '^joe' "$net/list" && grep -q '^amanda' "$net/list"
}
# starts or says why: the store is never silently empty
sound_or_said () {
	launch one
	until_true answers_or_dead one
	if gone "${pid_of[one]}"; then
		cat "$net/one/log"
		unset "pid_of[one]"
		grep -q "accounts.gdbm" "$net/one/log"
	else
		until_true both_there && stop one
	fi
}

filled
start one
check "both are there after a restart" until_true both_there
check "it stops" stop one
for size in 0 10 100 4096 8192; do
	filled
	truncate -s $size "$store"
	check "a store cut off after $size bytes" sound_or_said
done
filled
head -c 20000 /dev/urandom >"$store"
check "a store that is not GDBM" sound_or_said
filled
printf '\377%.0s' {1..2000} |
	dd of="$store" bs=1 seek=100 conv=notrunc status=none
check "a store with bytes overwritten" sound_or_said
filled
rm "$store" && mkdir "$store"
check "a store that is a folder" sound_or_said
filled
start one
kill_hard one
check "a store that was not closed" sound_or_said

filled
start one
mkdir -p "$net/two/conf.d"
sed "s|$net/one/conf.d|$net/two/conf.d|; s|$net/one/control|$net/two/control|" \
	"$net/one/metacubed.conf" >"$net/two/metacubed.conf"
module_conf two tcapw_gdbm "path = \"$store\";"
check "a store that another process has open" \
	says "accounts.gdbm.*(lock|use|another|open)" not timeout "$patience" \
	"$metacubed" -c "$net/two/metacubed.conf"
check "and that process goes on" both_there
check "it stops" stop one

# -- a full disk ---------------------------------------------------------------

# In a mount namespace of its own the small disk is seen by this server alone.
namespace=(unshare --mount)
[ "$(id -u)" -eq 0 ] || namespace=(unshare --user --map-root-user --mount)
on_small_disk () {		# COMMAND...
	mkdir -p "$net/one/disk"
	exec "${namespace[@]}" sh -c \
		"mount -t tmpfs -o size=96k none $net/one/disk && exec \"\$@\"" \
		sh "$@"
}
full_disk () {
	rm -rf "${net:?}/one"
	host_conf one
	module_conf one tcapw_mem
	module_conf one wmq_file "path = \"$net/one/disk/queue\";"
	module_conf one acctserv 'cost = 1;' 'listen = "";' \
		'listen_unix = "";' "audit = \"$net/one/audit\";"
	on_small_disk "$metacubed" -c "$net/one/metacubed.conf" \
		</dev/null >>"$net/one/log" 2>&1 &
	pid_of[one]=$!
	until_true answers_or_dead one
	gone "${pid_of[one]}" &&
		bail "no server on a small disk: $(cat "$net/one/log")"
	until_true level one ||
		bail "no accounts on a small disk: $(cat "$net/until")"
}
mkdir -p "$net/one"
if (on_small_disk true) >"$net/mount" 2>&1; then
	full_disk
	created=0
	while [ $created -lt 2000 ] &&
		create "user$created" >"$net/created" 2>&1
	do
		created=$((created + 1))
	done
	check "a full disk refuses an account in words ($created came before)" \
		grep -iE 'disk|space|full' "$net/created"
	check "some came before it" test $created -gt 10
	check "the server goes on" ctl one status
	ctl one account list >"$net/list"
	check "and has what it has acknowledged" \
		test "$(grep -c '^user' "$net/list")" -eq $created
else
	skip "a full disk" "no file system can be mounted here: $(
		tail -n 1 "$net/mount")"
fi
finish
