#!/usr/bin/env bash
# run.sh PORT: clients on PORT, publishers on PORT+1.
set -euo pipefail
source "$(dirname "$0")/../lib.sh"
open_files_max
folder=$(runtime_folder nchan "$1")

# nginx lays its connection table out at start, for each worker; a worker must be able to hold every client, since the kernel does not share them out evenly.
connections=$(ulimit -n)
[[ $connections -le 131072 ]] || connections=131072

cat > "$folder/nginx.conf" <<CONF
load_module /usr/lib/nginx/modules/ngx_nchan_module.so;
daemon off;
user $(id -un) $(id -gn);
worker_processes auto;
worker_rlimit_nofile $(ulimit -n);
pid nginx.pid;
error_log /dev/null crit;

events {
  worker_connections $connections;
}

http {
  access_log off;
  gzip off;
  tcp_nodelay on;
  server_tokens off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;

  nchan_shared_memory_size 256M;
  nchan_message_buffer_length 10;
  nchan_message_timeout 1m;

  server {
    listen 127.0.0.1:$1 backlog=4096 reuseport;

    location ~ ^/ws/([^/]+)\$ {
      nchan_subscriber websocket longpoll;
      nchan_channel_id \$1;
      nchan_subscriber_first_message newest;
      nchan_subscriber_timeout 0;
      nchan_websocket_ping_interval 25s;
    }

    location ~ ^/sse/([^/]+)\$ {
      nchan_subscriber eventsource;
      nchan_channel_id \$1;
      nchan_subscriber_first_message newest;
      nchan_subscriber_timeout 0;
      nchan_eventsource_ping_interval 25s;
    }
  }

  server {
    listen 127.0.0.1:$(($1 + 1)) backlog=512;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;

    location ~ ^/pub/([^/]+)\$ {
      nchan_publisher http;
      nchan_channel_id \$1;
    }
  }
}
CONF
exec nginx -p "$folder" -c "$folder/nginx.conf" -e /dev/null
