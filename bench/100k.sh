#!/usr/bin/env bash
# Holds 100,000 WebSocket connections on this host with heartbeats, then sends one message to all of them and counts who got it.
#   bench/100k.sh [CLIENTS [SECONDS]]     default 100,000 for 600 seconds
# A process may often open only so many files, so there are as many server and client processes as that asks for.
set -euo pipefail
cd "$(dirname "$0")/.."

clients=${1:-100000}
seconds=${2:-600}
ulimit -n "$(ulimit -Hn)"
per_server=$(($(ulimit -n) - 2000))
servers=$(((clients + per_server - 1) / per_server))
each=$(((clients + servers - 1) / servers))
sysctl -q -w net.ipv4.ip_local_port_range="1024 65535" 2>/dev/null || echo "The port range stays as it is: no permission." >&2

dotnet build src/RawPush.Server -c Release --nologo -v quiet
dotnet build bench/RawPush.Swarm -c Release --nologo -v quiet
server=src/RawPush.Server/bin/Release/net10.0/RawPush.Server
swarm=bench/RawPush.Swarm/bin/Release/net10.0/RawPush.Swarm
results=$(mktemp -d)
pids=()
runs=()
trap 'kill "${pids[@]}" "${runs[@]}" 2>/dev/null || true; rm -rf "$results"' EXIT

for ((i = 0; i < servers; i++)); do
  "$server" --public "127.0.0.1:$((19300 + 2 * i))" --internal "127.0.0.1:$((19301 + 2 * i))" >/dev/null &
  pids+=($!)
done
sleep 3

for ((i = 0; i < servers; i++)); do
  "$swarm" run --scenario 100k --port $((19300 + 2 * i)) --publish-port $((19301 + 2 * i)) --pid "${pids[$i]}" --clients "$each" \
    --ramp 1500 --hold "$seconds" --rate 1 --load 1 --truth --json "$results/$i.json" 2>/dev/null &
  runs+=($!)
done

status=0
for run in "${runs[@]}"; do
  wait "$run" || status=$?
done
"$swarm" total "$results"/*.json
exit "$status"
