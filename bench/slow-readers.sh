#!/usr/bin/env bash
# 10 MB/s over 997 channels to 1,000 clients that read, first alone, then beside 9,000 on the same channels that take nothing at all and are kept (policy Skip,
# no timeouts). The server's memory budget is 512 MiB. Prints the latencies of those who read, and the most memory that the server has had by then.
#   bench/slow-readers.sh
set -euo pipefail
cd "$(dirname "$0")/.."

ulimit -n "$(ulimit -Hn)"
dotnet build src/RawPush.Server -c Release --nologo -v quiet
dotnet build bench/RawPush.Swarm -c Release --nologo -v quiet
results=$(mktemp -d)
port=19500

src/RawPush.Server/bin/Release/net10.0/RawPush.Server --public "127.0.0.1:$port" --internal "127.0.0.1:$((port + 1))" \
  RawPush:MemoryBudgetBytes=$((512 * 1024 * 1024)) RawPush:LogEntriesMax=100000 RawPush:LogBytesMax=100000000 \
  'RawPush:Namespaces:0:Pattern=>' RawPush:Namespaces:0:LagPolicy=Skip RawPush:Namespaces:0:HistoryEntries=100000 RawPush:Namespaces:0:HistoryBytes=100000000 \
  RawPush:PeerTimeout=01:00:00 RawPush:PingInterval=01:00:00 RawPush:SocketUserTimeout=00:00:00 >/dev/null &
server=$!
idle=
trap 'kill $server $idle 2>/dev/null || true; rm -rf "$results"' EXIT
sleep 2

swarm=(bench/RawPush.Swarm/bin/Release/net10.0/RawPush.Swarm run --port "$port" --publish-port $((port + 1)) --pid "$server" --channels 997 --no-warm-up --settle 1)
read_for() {
  "${swarm[@]}" --clients 1000 --publish batch --rate 10000 --size 1024 --load "$2" --json "$results/read.json" 2>/dev/null
  local figures
  figures=$(sed -n 's/.*"p50Ms": *\([0-9.]*\).*/p50 \1 ms/p; s/.*"p99Ms": *\([0-9.]*\).*/p99 \1 ms/p' "$results/read.json" | head -2 | paste -sd ' ')
  echo "$1: $figures, peak RSS $(awk '/^VmHWM/ { printf "%d", $2 / 1024 }' "/proc/$server/status") MB"
}

read_for "warming up" 25
read_for "alone" 60
"${swarm[@]}" --clients 9000 --slow 100 --slow-rate 0 --rate 1 --load 600 --json "$results/slow.json" >/dev/null 2>&1 &
idle=$!
sleep 8
read_for "while the buffers of 9,000 fill" 30
read_for "beside 9,000 that take nothing" 60
