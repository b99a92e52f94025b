#!/usr/bin/env bash
# run.sh PORT: WebSocket clients on PORT, NATS clients on PORT+1.
set -euo pipefail
source "$(dirname "$0")/../lib.sh"
open_files_max
folder=$(runtime_folder nats "$1")
cat > "$folder/nats.conf" <<CONF
listen: "127.0.0.1:$(($1 + 1))"
log_file: "/dev/null"
max_connections: 1000000
ping_interval: "30s"
ping_max: 2
write_deadline: "10s"
websocket {
  listen: "127.0.0.1:$1"
  no_tls: true
  compression: false
}
CONF
exec nats-server -c "$folder/nats.conf"
