#!/bin/bash
# SPDX-License-Identifier: MIT
#
# 45_antp - the files of a queue, asked for by replicas: with and without TLS,
# by those who behave and by those who do not.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

# Modules of the tests stand beside the real ones
mkdir "$net/modules"
cp "$top_build/modules/.libs/antpserv.so" \
	"$top_build/tests/fakes/.libs/files_fake.so" \
	"$top_build"/modules/.libs/{acctserv,tcapw_gdbm,wmq_file}.so \
	"$net/modules" ||
	bail "no modules"
modules=$net/modules

pki init "$net/pki" && pki issue "$net/pki" account account 127.0.0.1 &&
	pki issue "$net/pki" world world-1 &&
	pki issue "$net/pki" world world-2 &&
	pki issue "$net/pki" web web-1 || bail "no certificates"

ulimit -n "$(ulimit -H -n)"
crowd=2000
[ "$(ulimit -n)" = unlimited ] || [ "$(ulimit -n)" -gt 4096 ] || crowd=300

# account has TLS and a freeze of the service; loop has neither
host_conf account
module_conf account files_fake "path = \"$net/account\";"
module_conf account antpserv 'listen = "127.0.0.1:0";' \
	'max_per_address = 5000;' "state_file = \"$net/account/replicas\";" \
	'roles = "gateway,world";'
start account
host_conf loop
module_conf loop files_fake "path = \"$net/loop\";"
module_conf loop antpserv 'listen = "127.0.0.1:0";' 'plain = true;' \
	'max_per_address = 5000;' "dbfile = \"$net/loop/dbfile\";" \
	"state_file = \"$net/loop/replicas\";"
start loop

antp () { timeout "$patience" "$top_build/tests/system/antp" "$@"; }

# asks ROLE STEP... - the server with TLS, by the certificate of that name
asks () {
	local who=$1
	shift
	antp -c "$(certificate "$who")" -k "$(key "$who")" \
		"$(address account antpserv)" "$@"
}
plainly () { antp "$(address loop antpserv)" "$@"; }
files () { ctl "$1" files "${@:2}"; }		# SERVER COMMAND...
sent () { [ "$(counter "$1" antpserv bytes)" -gt "$2" ]; }
requests () { [ "$(counter "$1" antpserv requests)" -ge "$2" ]; }

# same FILE OFFSET LENGTH GOT - bytes of a file
same () { cmp <(tail -c +$(($2 + 1)) "$1" | head -c "$3") "$4"; }

# -- what is asked ------------------------------------------------------------

first=20260130.wmq
check "without a file FIRST is empty" \
	says '^status=30 file= offset=0 length=0' asks world-1 first
check "a file begins" files account next $first
check "and grows" files account grow 1000
check "FIRST names it" \
	says "^status=20 file=$first offset=0 length=0 head=1 " \
	asks world-1 first
check "GET has all of it" says "^status=10 file=$first offset=0 length=1000 " \
	asks world-1 to="$net/all" get=$first:0:0
check "byte for byte" same "$net/account/$first" 0 1000 "$net/all"
check "a part of it" says '^status=10 .* offset=300 length=50 ' \
	asks world-1 to="$net/part" get=$first:300:50
check "byte for byte" same "$net/account/$first" 300 50 "$net/part"
check "no more than there is" says '^status=10 .* offset=999 length=1 ' \
	asks world-1 get=$first:999:5000
check "at the end it is empty" says '^status=30 .*offset=1000 length=0' \
	asks world-1 get=$first:1000:0
check "beyond it is an error, and the end" \
	says '^status=116 .*beyond the end' asks world-1 get=$first:1001:0 end
for name in 20260131.wmq passwd ../account/20260130.wmq 00112233-1.freeze; do
	check "there is no $name" says '^status=104 ' \
		asks world-1 get="$name:0:0" end
done
check "many requests on one connection" says 'end' asks world-1 \
	get=$first:0:1 get=$first:1:2 first get=$first:3:0 close end

# -- what is not understood ---------------------------------------------------

refused () {			# WHY STEP...
	check "refused: $2" says "^status=100 .*$1" asks world-1 "${@:2}" \
		answer end
}
refused 'not ANTP/1.0' 'raw=GET / HTTP/1.0\r\n\r\n'
refused 'verb' 'raw=ANTP/1.0 PUT x 0 0\n\n'
refused 'offset' "raw=ANTP/1.0 GET $first -1 0\\n\\n"
refused 'longer than 60' 'raw=ANTP/1.0 FIRST\nWait: 3600\n\n'
refused 'not printable' 'raw=ANTP/1.0 FIRST\0\n\n'
refused '4096 bytes' fill=4096
refused 'one request at a time' 'raw=ANTP/1.0 FIRST\n\nANTP/1.0 FIRST\n\n'
check "one more while the first waits" \
	says '^status=100 .*one request at a time' \
	asks world-1 wait=60 ask=$first:1000:0 ask=$first:0:0 answer end
check "CR before LF, and other headers" says '^status=20 ' asks world-1 \
	'raw=ANTP/1.0 FIRST\r\nWait: 5\r\nX-Other: y\r\n\r\n' answer
check "half a line, and its rest" says '^status=20 ' asks world-1 \
	'raw=ANTP/1' 'raw=.0 FIR' 'raw=ST\n' 'raw=\n' answer
check "the server is still there" says '^status=20 ' asks world-1 first

# -- who may come -------------------------------------------------------------

check "a web server may not" says 'alert .*[Aa]ccess' not asks web-1 first
check "nobody without a certificate" not antp \
	"$(address account antpserv)" first
sed 's/127.0.0.1:0/0.0.0.0:0/' "$net/loop/conf.d/antpserv.conf" \
	>"$net/antpserv.conf"
host_conf open
module_conf open files_fake "path = \"$net/open\";"
cp "$net/antpserv.conf" "$net/open/conf.d"
check "without TLS only on a loopback address" says "only loopback" \
	not timeout "$patience" "$metacubed" -c "$net/open/metacubed.conf"

# -- news ---------------------------------------------------------------------

# wait_at PLACE - asks for what is there, and the server has been asked
wait_at () {
	local before
	before=$(counter account antpserv requests)
	asks world-1 wait=60 get="$1" >"$net/news" 2>&1 &
	waiter=$!
	helpers+=("$waiter")
	until_true requests account $((before + 1)) || bail "nobody asks"
}
wait_at $first:1000:0
check "who waits waits" kill -0 $waiter
check "a change" files account grow 77
check "is there at once" wait $waiter
check "whole" grep '^status=10 .*offset=1000 length=77 head=2 ' \
	"$net/news"
check "a wait that ends without news" says '^status=30 ' \
	asks world-1 wait=1 get=$first:1077:0
second=20260130-1.wmq
wait_at $first:1077:0
files account next $second >/dev/null
check "who waits hears of the next file" eval \
	"wait $waiter; grep '^status=20 file=$second offset=0 ' '$net/news'"
files account grow 3000000 >/dev/null
check "an old file goes" files account gone
check "and is gone" says '^status=104' asks world-1 get=$first:0:0

# -- from any place on --------------------------------------------------------

resume () {
	local at=0 size=3000000 len step=1
	rm -f "$net/resumed"
	while [ $at -lt $size ]; do
		len=$((step * 77777 + 1))
		[ $((at + len)) -le $size ] || len=$((size - at))
		asks world-1 to="$net/resumed" get=$second:$at:$len || return
		at=$((at + len)) step=$((step + 1))
	done
	cmp "$net/resumed" "$net/account/$second"
}
check "a file in pieces, each by a new connection" resume

# -- freezes ------------------------------------------------------------------

check "a freeze" files account freeze "$net/account/freeze" 40000000 2
old=abababab-2.freeze new=abababab-3.freeze
cp "$net/account/freeze" "$net/old"
check "FIRST begins with it" says "^status=20 file=$old offset=0" \
	asks world-1 first
check "after it the queue goes on" says "^status=20 file=$second offset=0" \
	asks world-1 get=$old:40000000:0
check "nothing is beyond" says '^status=116' asks world-1 get=$old:40000001:0
asks world-1 to="$net/fetched" ask=$old:0:0 ready="$net/asked" \
	until="$net/replaced" answer get=$old:100:5 >"$net/fetching" 2>&1 &
fetcher=$!
helpers+=("$fetcher")
until_true test -e "$net/asked" || bail "nobody fetches"
until_true sent account 3100000 ||
	bail "nothing is sent"
files account freeze "$net/account/freeze" 1000000 3 >/dev/null
touch "$net/replaced"
check "who fetches one while it is replaced" wait $fetcher
check "gets all of the old one" eval \
	"cat '$net/old' <(tail -c +101 '$net/old' | head -c 5) |
	cmp - '$net/fetched'"
check "others get the new one" says "^status=20 file=$new" asks world-2 first
check "and the old one is gone" says '^status=104' asks world-2 get=$old:0:0
check "a new one under its own name" says '^status=10 .*length=1000000 ' \
	asks world-2 get=$new:0:0

# -- slow ones ----------------------------------------------------------------

files account freeze "$net/account/freeze" 40000000 4 >/dev/null
slow=()
for ((i = 0; i < 8; i++)); do
	asks world-2 ask=abababab-4.freeze:0:0 ready="$net/slow-$i" \
		until="$net/over" >/dev/null 2>&1 &
	slow+=($!)
done
helpers+=("${slow[@]}")
for ((i = 0; i < 8; i++)); do
	until_true test -e "$net/slow-$i" || bail "the slow ones do not come"
done
check "others are served while some read nothing" says '^status=10 ' \
	asks world-1 to="$net/meanwhile" get=abababab-4.freeze:0:0
check "byte for byte" cmp "$net/meanwhile" "$net/account/freeze"
wait_at $second:3000000:0
files account grow 5 >/dev/null
check "and hear of a change" wait $waiter
memory () {			# MiB that may be in use
	awk -v max="$1" '/^VmHWM/ { exit $2 > max * 1024 }' \
		"/proc/${pid_of[account]}/status"
}
if grep -q '__[at]san_' "$net/modules/antpserv.so"; then
	skip "they cost little memory" "a sanitizer needs its own"
else
	check "they cost little memory" memory 150
fi
touch "$net/over"
for pid in "${slow[@]}"; do
	wait "$pid"
done

# -- many at once -------------------------------------------------------------

place=$second:3000005
before=$(counter account antpserv requests)
crowd_pids=()
at=$(address account antpserv)
for ((i = 0; i < 30; i++)); do
	timeout 300 "$top_build/tests/system/antp" -c "$(certificate world-1)" \
		-k "$(key world-1)" "$at" wait=60 to="$net/crowd-$i" \
		get=$place:0 >/dev/null 2>&1 &
	crowd_pids+=($!)
done
helpers+=("${crowd_pids[@]}")
until_true requests account $((before + 30)) || bail "not all ask"
files account grow 12345 >/dev/null
all_heard () {
	local i
	for ((i = 0; i < 30; i++)); do
		wait "${crowd_pids[i]}" || return
		same "$net/account/$second" 3000005 12345 "$net/crowd-$i" ||
			return
	done
}
check "thirty replicas hear of one change, each of all of it" all_heard

# -- many ---------------------------------------------------------------------

many () {			# ASKER COUNT
	local patience=$((10 * patience))
	rm -f "$net/many" "$net/enough"
	"$1" "${@:3}" connections="$2" ready="$net/many" \
		until="$net/enough" first &
	local pid=$!
	helpers+=("$pid")
	until_true test -e "$net/many" || return
	"$1" "${@:3}" first
	local status=$?
	touch "$net/enough"
	wait $pid && [ $status -eq 0 ]
}
check "hundreds who say nothing, TLS" many asks 200 world-1
check "$crowd who say nothing" many plainly $crowd

# -- replicas -----------------------------------------------------------------

check "a replica says what it has" says '^status=20 ' asks world-1 \
	applied=ab:4:10:cd first
# That it has gone, too, the server sees a little later.
check "and is known" until_true row account replicas "$(has name world-1)" \
	"$(has pointer 4)" "$(has 'connected' no)" "$(has state away)"
asks world-2 applied=ab:1:10:cd first ready="$net/here" until="$net/go" \
	>/dev/null 2>&1 &
pid=$!
helpers+=("$pid")
until_true test -e "$net/here" || bail "world-2 does not come"
check "one that is here" row account replicas "$(has name world-2)" \
	"$(has 'behind by' 4)" "$(has connected yes)" "$(has state behind)"
check "cannot be forgotten" not ctl account replicas forget world-2
check "it is written down" until_true grep -q '^world-2 ' \
	"$net/account/replicas"
touch "$net/go"
wait $pid
kill_hard account
start account
check "after a crash it is still known" row account replicas \
	"$(has name world-2)" "$(has pointer 1)"
check "and can be forgotten" ctl account replicas forget world-2
check "then it is not known" not row account replicas "$(has name world-2)"
check "the server stops" stop account
check "what is known is written at once" \
	grep -q "^world-1 " "$net/account/replicas"
check "and nothing else" not grep -q "^world-2 " "$net/account/replicas"
echo "world-9 yesterday" >>"$net/account/replicas"
check "a damaged list is not taken for an empty one" \
	says 'replicas: line 3 is malformed' not timeout "$patience" \
	"$metacubed" -c "$net/account/metacubed.conf"

# -- without TLS, and with dbfile ---------------------------------------------

check "no dbfile and no file" says '^status=30 ' plainly first
files loop next 20260130.wmq >/dev/null
files loop grow 500 >/dev/null
check "without a dbfile FIRST names the file" \
	says '^status=20 file=20260130.wmq' plainly first
files loop freeze "$net/loop/dbfile" 30000000 2 >/dev/null
check "with one it names the freeze" says "^status=20 file=$old" plainly first
check "a plain replica comes" says '^status=20 ' \
	plainly applied=ab:1:1:ee first
check "and is marked" row loop replicas "$(has name plain:127.0.0.1)" \
	"$(has pointer 1)"
plainly to="$net/cut" ask=$old:0:0 ready="$net/begun" until="$net/killed" \
	answer >"$net/cutting" 2>&1 &
pid=$!
helpers+=("$pid")
until_true test -e "$net/begun" || bail "nobody fetches"
until_true sent loop 1000000 ||
	bail "nothing is sent"
kill_hard loop
touch "$net/killed"
check "a server is killed while it sends" not wait $pid
start loop
got=$(stat -c %s "$net/cut")
check "some has come ($got bytes)" test "$got" -gt 0 -a "$got" -lt 30000000
check "its successor goes on from there" \
	says '^status=10 .*length=[0-9]+ ' \
	plainly to="$net/cut" get=$old:"$got":0
check "byte for byte" cmp "$net/cut" "$net/loop/dbfile"
printf x | dd of="$net/loop/dbfile" bs=1 seek=20 conv=notrunc 2>/dev/null
check "a damaged freeze is not served" \
	says '^status=150 .*freeze cannot be read' plainly first end
mv "$net/loop/dbfile" "$net/elsewhere"
ln -s "$net/elsewhere" "$net/loop/dbfile"
check "nor is a link" says '^status=150 ' plainly first end

# -- a real queue -------------------------------------------------------------

host_conf queue
accounts_conf queue
module_conf queue antpserv 'listen = "127.0.0.1:0";' 'plain = true;' \
	"state_file = \"$net/queue/replicas\";"
start queue
create () {			# NAME
	echo "the password of $1" >"$net/$1.pw"
	ctl queue account create "$1" --password-fd 3 3<"$net/$1.pw"
}
really () { antp "$(address queue antpserv)" "$@"; }
part () {			# KEY - of the last answer
	sed -n "s/^.*\b$1=\([^ ]*\).*$/\1/p" "$net/out" | tail -n 1
}
check "an account" create joe
check "FIRST names the queue's file" says '^status=20 file=[0-9-]*.wmq ' \
	really first
file=$(part file)
check "it is served" says '^status=10 .* head=[1-9]' really to="$net/queued" \
	get="$file:0:0"
end=$(part length)
before=$(counter queue antpserv requests)
really wait=60 to="$net/queued" get="$file:$end:0" >"$net/news" 2>&1 &
waiter=$!
helpers+=("$waiter")
until_true requests queue $((before + 1)) || bail "nobody asks"
check "another account" create amanda
check "who waits has it" wait $waiter
check "both are in the bytes that were served" grep -aq joe "$net/queued"
check "the later one too" grep -aq amanda "$net/queued"
served=$(stat -c %s "$net/queued")
check "which are those of the file" same "$net/queue/queue/$file" 0 \
	"$served" "$net/queued"
head=$(sed -n 's/^.*head=\([0-9]*\).*$/\1/p' "$net/news")
check "the answer says what the server's own store holds" until_true says \
	" head=$head digest=$head " really first
check "and that is all" says '^status=30 ' \
	really get="$file:$served:0"

finish
