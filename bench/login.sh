# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
#
# The whole way of a login but for the password's hash: TLS 1.3 handshake,
# LOGIN, placement, REROUTE.  The CPU of gateway, taskmaster and world
# together, with the taskmaster in a process of its own, and in the gateway's;
# nginx has the same certificate and answers with a 302.

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

# together_conf - gateway and taskmaster in one process
together_conf () {
	host_conf gateway
	module_conf gateway auth_any
	module_conf gateway taskmaster 'listen = "127.0.0.1:0";'
	module_conf gateway gateway 'listen = "127.0.0.1:0";' \
		'max_per_address = 1000000;' 'log_rate = 0;'
}

world_start () {
	world_conf world-1 "$net/maps" 'capacity = 100000;' \
		'idle_unload = "1h";'
	start world-1
	until_true registered world-1 || bail "world-1 does not register"
}

measure () {			# NAME PIDS
	"$top_build/bench/login" "$1" "$(port "$(address gateway gateway)")" \
		"$2" "$peer_port" "$peer_pid" "$rounds" "$seconds" map-0 ||
		exit 1
}

bench_maps 1 1000
pki init "$net/pki" || bail "no certificates"
pki issue "$net/pki" gateway,taskmaster gateway 127.0.0.1 localhost || bail pki
pki issue "$net/pki" taskmaster taskmaster 127.0.0.1 localhost || bail pki
pki issue "$net/pki" world world-1 127.0.0.1 localhost || bail pki
nginx_start
echo "nginx: $(nginx -v 2>&1)"

echo "gateway and taskmaster as two processes, over their link:"
taskmaster_conf
start taskmaster
gateway_any_conf
start gateway
world_start
measure login-remote \
	"${pid_of[gateway]},${pid_of[taskmaster]},${pid_of[world-1]}"
stop world-1
stop gateway
stop taskmaster

echo "gateway and taskmaster in one process:"
rm -r "$net/gateway"
together_conf
start gateway
taskmaster_at=gateway
world_start
measure login "${pid_of[gateway]},${pid_of[world-1]}"
