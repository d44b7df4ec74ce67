# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
#
# A freeze of 1 GiB from antpserv to one reader over mutual TLS; the peer is
# nginx with one worker, which serves the same file with the same certificate
# and cipher to the same reader.  The second line is CPU of the server.

size=$((1024 * 1024 * 1024))
package nginx nginx-light

pki init "$net/pki" || exit 1
pki issue "$net/pki" account account || exit 1
pki issue "$net/pki" gateway gateway || exit 1
host_conf account
module_conf account files_fake "path = \"$net/account\";"
module_conf account antpserv 'listen = "127.0.0.1:0";' \
	"state_file = \"$net/account/replicas\";"
start account
ctl account files freeze "$net/account/freeze" "$size" 7 >"$net/freeze.out" ||
	bail "no freeze: $(cat "$net/freeze.out")"

port=$("$top_build/bench/free_port")
cat >"$net/nginx.conf" <<END
daemon off;
master_process off;
worker_processes 1;
pid $net/nginx.pid;
error_log $net/nginx.log;
events { worker_connections 64; }
http {
	access_log off;
	client_body_temp_path $net/nginx-body;
	proxy_temp_path $net/nginx-proxy;
	fastcgi_temp_path $net/nginx-fastcgi;
	uwsgi_temp_path $net/nginx-uwsgi;
	scgi_temp_path $net/nginx-scgi;
	output_buffers 2 512k;
	server {
		listen 127.0.0.1:$port ssl;
		ssl_certificate $(certificate account);
		ssl_certificate_key $(key account);
		ssl_client_certificate $(authority);
		ssl_verify_client on;
		ssl_protocols TLSv1.3;
		ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
		ssl_buffer_size 16k;
		root $net/account;
	}
}
END
nginx -c "$net/nginx.conf" >"$net/nginx.out" 2>&1 &
peers+=($!)
nginx_pid=$!

# once KIND ADDRESS FILE PID - MB/s, and CPU milliseconds for each GB
once () {
	"$top_build/bench/antp_read" "$1" "$2" "$(certificate gateway)" \
		"$(key gateway)" "$3" "$4" |
		awk '{ printf "%.1f %.1f\n", $1 / $2 / 1e6, $3 * 1e12 / $1 }'
}

until_true once http "127.0.0.1:$port" freeze "$nginx_pid" ||
	bail "nginx: $(cat "$net/nginx.out" "$net/nginx.log")"
address=$(address account antpserv)
file=abababab-7.freeze
for ((round = 0; round < rounds; round++)); do
	read -r ours ours_cpu <<<"$(once antp "$address" $file \
		"${pid_of[account]}")"
	read -r peer peer_cpu <<<"$(once http "127.0.0.1:$port" freeze \
		"$nginx_pid")"
	[ -n "$ours" ] && [ -n "$peer" ] || bail "a transfer failed"
	echo "$ours" >>"$net/ours"
	echo "$peer" >>"$net/peer"
	echo "$ours_cpu" >>"$net/ours_cpu"
	echo "$peer_cpu" >>"$net/peer_cpu"
	echo "  MetaCube $ours MB/s ($ours_cpu ms of CPU for 1 GB), nginx" \
		"$peer MB/s ($peer_cpu ms)"
done
awk -v ours="$(median <"$net/ours_cpu")" -v peer="$(median <"$net/peer_cpu")" \
	'BEGIN { printf "RESULT name=antp-cpu ours=%.0f peer=%.0f " \
		"unit=ms/GB ratio=%.2f\n", ours, peer, peer / ours }'
awk -v ours="$(median <"$net/ours")" -v peer="$(median <"$net/peer")" 'BEGIN {
	printf "RESULT name=antp ours=%.0f peer=%.0f unit=MB/s ratio=%.2f\n",
		ours, peer, ours / peer }'
