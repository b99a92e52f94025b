#!/usr/bin/env bash
# A million channels, each published to once, with a history of ten seconds and without: what the server's memory is before, at the peak, and after.
# Usage: bench/million-channels.sh [CHANNELS]
set -euo pipefail
cd "$(dirname "$0")/.."

channels=${1:-1000000}
lines=10000   # The most that a batch may have.

dotnet build src/RawPush.Server -c Release --nologo -v quiet >&2
src/RawPush.Server/bin/Release/net10.0/RawPush.Server --public 127.0.0.1:0 --internal 127.0.0.1:0 RawPush:ChannelsMax=$((channels + 1)) \
    'RawPush:Namespaces:0:Pattern=kept.>' RawPush:Namespaces:0:HistoryEntries=10 RawPush:Namespaces:0:HistoryAge=00:00:10 > /tmp/million-channels.$$ 2>&1 &
server=$!
trap 'kill $server; rm -f /tmp/million-channels.$$' EXIT
until [ "$(grep -c 'listening on' /tmp/million-channels.$$)" -eq 2 ]; do sleep 0.2; done
address=$(sed -n 's/.*listening on: //p' /tmp/million-channels.$$ | tail -1)

rss_mb() { awk '/^VmRSS/ { printf "%.1f", $2 / 1024 }' /proc/$server/status; }
count() { curl -s "$address/channels?limit=1" | sed 's/.*"count":\([0-9]*\).*/\1/'; }
publish() {
    for ((first = 0; first < $2; first += lines)); do
        awk -v prefix="$1" -v first="$first" -v lines="$lines" \
            'BEGIN { for (i = first; i < first + lines; i++) printf "{\"channel\":\"%s.%d.inbox\",\"data\":\"a message of some length\"}\n", prefix, i }' |
            curl -s -o /dev/null -H 'Content-Type: application/x-ndjson' --data-binary @- "$address/channels"
    done
}

# Whatever is compiled or allocated once is not of the channels.
publish kept "$lines"; publish nobody "$lines"
until [ "$(count)" -eq 0 ]; do sleep 1; done
sleep 5
echo "at the start: $(rss_mb) MB"
publish nobody "$channels"
echo "after $channels channels without history: $(rss_mb) MB, $(count) channels"
publish kept "$channels"
echo "after $channels channels with history: $(rss_mb) MB, $(count) channels"
until [ "$(count)" -eq 0 ]; do sleep 1; done
sleep 5
echo "when their messages are too old: $(rss_mb) MB, $(count) channels"
