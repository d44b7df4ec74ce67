# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
#
# The whole way of a login but for the password's hash: TLS 1.3 handshake,
# LOGIN, placement, REROUTE.  The CPU of gateway, taskmaster and world
# together; nginx has the same certificate and answers with a 302.

nginx_start () {
	package nginx nginx-light
	peer_port=$("$top_build/bench/free_port") || bail "no free port"
	cat >"$net/nginx.conf" <<-END
	daemon off;
	master_process off;
	pid $net/nginx.pid;
	error_log $net/nginx.log;
	worker_rlimit_nofile 4096;
	events { worker_connections 2048; }
	http {
		access_log off;
		keepalive_timeout 0;
		client_body_temp_path $net/nginx-body;
		proxy_temp_path $net/nginx-proxy;
		fastcgi_temp_path $net/nginx-fastcgi;
		uwsgi_temp_path $net/nginx-uwsgi;
		scgi_temp_path $net/nginx-scgi;
		server {
			listen 127.0.0.1:$peer_port ssl;
			ssl_certificate $(certificate gateway);
			ssl_certificate_key $(key gateway);
			ssl_protocols TLSv1.3;
			ssl_session_tickets off;
			ssl_conf_command NumTickets 0;
			ssl_session_cache off;
			location / { return 302 https://localhost/world; }
		}
	}
	END
	nginx -c "$net/nginx.conf" 2>"$net/nginx.err" &
	peers+=($!)
	peer_pid=$!
	until_true nginx_listens || bail "$(cat "$net/nginx.err")"
}

nginx_listens () {
	(exec 3<>"/dev/tcp/127.0.0.1/$peer_port") 2>/dev/null
}

bench_maps 1 1000
certificates 1 || bail "no certificates"
taskmaster_conf
start taskmaster
gateway_any_conf
start gateway
world_conf world-1 "$net/maps" 'capacity = 100000;' 'idle_unload = "1h";'
start world-1
until_true registered world-1 || bail "world-1 does not register"
nginx_start
echo "nginx: $(nginx -v 2>&1)"
"$top_build/bench/login" "$(port "$(address gateway gateway)")" \
	"${pid_of[gateway]},${pid_of[taskmaster]},${pid_of[world-1]}" \
	"$peer_port" "$peer_pid" "$rounds" "$seconds" map-0
