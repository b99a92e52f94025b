#!/usr/bin/env bash
# Does the server stay as it is for hours? Clients that come and go on every transport and believe nothing, hostile peers beside them, compression, at a rate that
# leaves room for other work; the server's process is looked at every 10 seconds.
#   bench/soak.sh [SECONDS]     default 7,200
# Prints lies, memory and its slope, descriptors and what was logged. Exit code 1: there was a lie or a failed run, a log line above Information, or descriptors
# that did not come back.
# By environment: SOAK_CLIENTS=1000 SOAK_CHANNELS=50 SOAK_RATE=200 SOAK_SIZE=512 SOAK_HOSTILE=5 SOAK_RECONNECT=5 SOAK_BUDGET_MB=512 SOAK_PORT=19700
# SOAK_SEED=0 SOAK_RESULTS=a new directory, which is kept: samples.tsv, result.json, server.log, swarm.log.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-7200}
port=${SOAK_PORT:-19700}
results=${SOAK_RESULTS:-$(mktemp -d)}
every=10

# What the runtime opens and closes as it pleases.
descriptors_tolerated=10
mkdir -p "$results"
ulimit -n "$(ulimit -Hn)"
dotnet build src/RawPush.Server -c Release --nologo -v quiet
dotnet build bench/RawPush.Swarm -c Release --nologo -v quiet

# A minute of history is far more than anybody is away, and is full long before the second half.
src/RawPush.Server/bin/Release/net10.0/RawPush.Server --public "127.0.0.1:$port" --internal "127.0.0.1:$((port + 1))" \
  RawPush:Compression=true RawPush:MemoryBudgetBytes=$((${SOAK_BUDGET_MB:-512} * 1024 * 1024)) \
  'RawPush:Namespaces:0:Pattern=>' RawPush:Namespaces:0:HistoryEntries=100000 RawPush:Namespaces:0:HistoryBytes=100000000 \
  RawPush:Namespaces:0:HistoryAge=00:01:00 >"$results/server.log" 2>&1 &
server=$!
swarm=
trap 'kill $server $swarm 2>/dev/null || true' EXIT
sleep 3
kill -0 "$server" 2>/dev/null || { cat "$results/server.log"; exit 1; }

ticks=$(getconf CLK_TCK)
started=$(date +%s)

# But for assemblies: one is open from its first use on, which may come late.
descriptors() { find "/proc/$server/fd" -mindepth 1 ! -lname '*.dll' 2>/dev/null | wc -l; }
connections() { find "/proc/$server/fd" -mindepth 1 -lname 'socket:*' 2>/dev/null | wc -l; }

# One line: seconds, RSS in MB, the part of it that is no file's (heap, stacks, zlib), descriptors, sockets, threads, CPU seconds.
sample() {
  local status stat
  status=$(<"/proc/$server/status") || return 0
  stat=$(<"/proc/$server/stat") || return 0
  awk -v now=$(($(date +%s) - started)) -v fds="$(descriptors)" -v sockets="$(connections)" -v ticks="$ticks" -v stat="${stat##*) }" '
    /^VmRSS/ { rss = $2 } /^RssAnon/ { anonymous = $2 } /^Threads/ { threads = $2 }
    END { split(stat, s, " "); printf "%d\t%.1f\t%.1f\t%d\t%d\t%d\t%.2f\n", now, rss / 1024, anonymous / 1024, fds, sockets, threads, (s[12] + s[13]) / ticks }' <<<"$status"
}

before=$(descriptors)
printf 'seconds\trss_mb\tanon_mb\tdescriptors\tsockets\tthreads\tcpu_seconds\n' >"$results/samples.tsv"

# Whatever happens, it ends.
timeout $((seconds + 300)) bench/RawPush.Swarm/bin/Release/net10.0/RawPush.Swarm run --port "$port" --publish-port $((port + 1)) --pid "$server" --scenario soak \
  --clients "${SOAK_CLIENTS:-1000}" --transports all --reconnect-every "${SOAK_RECONNECT:-5}" --hostile "${SOAK_HOSTILE:-5}" --compression --payload json \
  --channels "${SOAK_CHANNELS:-50}" --publish batch --rate "${SOAK_RATE:-200}" --size "${SOAK_SIZE:-512}" --load "$seconds" --drain 60 --seed "${SOAK_SEED:-0}" \
  --no-warm-up --json "$results/result.json" >/dev/null 2>"$results/swarm.log" &
swarm=$!
while kill -0 "$swarm" 2>/dev/null; do
  sample >>"$results/samples.tsv"
  for ((i = 0; i < every; i++)); do
    sleep 1
    kill -0 "$swarm" 2>/dev/null || break
  done
done

code=0
wait "$swarm" || code=$?
swarm=

# Those who left without a word are found by their pings, within PingInterval and PeerTimeout; empty lines, by Kestrel after 130 seconds.
after=$(descriptors)
for ((i = 0; i < 150 && after > before + descriptors_tolerated; i++)); do
  sleep 1
  after=$(descriptors)
done

sample >>"$results/samples.tsv"
alive=yes
kill -0 "$server" 2>/dev/null || alive=no
noise=$(grep -cE '^(warn|fail|crit)|Unhandled|Unobserved' "$results/server.log" || true)

cat "$results/swarm.log"
awk -F '\t' -v load="$seconds" '
  NR > 1 && $1 <= load { n++; at[n] = $1; rss[n] = $2; cpu[n] = $7; most = $2 > most ? $2 : most; threads = $6 > threads ? $6 : threads }
  END {
    for (i = int(n / 2) + 1; i <= n; i++) { m++; x += at[i]; y += rss[i]; xx += at[i] * at[i]; xy += at[i] * rss[i] }
    slope = m * xx - x * x == 0 ? 0 : 3600 * (m * xy - x * y) / (m * xx - x * x)
    printf "RSS at 10 / 50 / 100 %%: %.1f / %.1f / %.1f MB, at most %.1f; slope of the second half %+.1f MB per hour\n", rss[int((n + 9) / 10)], rss[int((n + 1) / 2)], rss[n], most, slope
    printf "CPU %.1f %% of a core, at most %d threads\n", 100 * (cpu[n] - cpu[1]) / (at[n] - at[1] + 0.001), threads
  }' "$results/samples.tsv"
echo "descriptors at the start $before, at the end $after"
echo "log lines above Information: $noise"
grep -E -A 3 '^(warn|fail|crit)|Unhandled|Unobserved' "$results/server.log" | head -20 || true
case $code in
  0) echo "lies: 0" ;;
  3) echo "lies: see above" ;;
  *) echo "the swarm ended with exit code $code" ;;
esac
[ "$alive" = yes ] || echo "the server has died"
echo "kept in $results"
[ "$code" = 0 ] && [ "$noise" = 0 ] && [ "$alive" = yes ] && [ "$after" -le $((before + descriptors_tolerated)) ]
