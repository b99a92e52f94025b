#!/usr/bin/env bash
# run.sh PORT: MQTT over WebSocket on PORT, plain MQTT on PORT+1.
set -euo pipefail
source "$(dirname "$0")/../lib.sh"
open_files_max
folder=$(runtime_folder mosquitto "$1")
# The plain listener comes first: mosquitto 2.0 does not count a WebSocket listener and would not start with that alone.
cat > "$folder/mosquitto.conf" <<CONF
allow_anonymous true
persistence false
log_dest none
sys_interval 0
set_tcp_nodelay true
max_queued_messages 1000
max_inflight_messages 20

listener $(($1 + 1)) 127.0.0.1
max_connections -1

# Without socket_domain a WebSocket listener ignores its address and listens everywhere.
listener $1 127.0.0.1
protocol websockets
socket_domain ipv4
max_connections -1
CONF
exec /usr/sbin/mosquitto -c "$folder/mosquitto.conf"
