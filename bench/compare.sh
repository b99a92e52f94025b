#!/usr/bin/env bash
# Measures RawPush and its peers with the same loads on this machine, and writes a table and charts to bench/results.
#   bench/compare.sh            every scenario, twice (about forty minutes on two cores)
#   bench/compare.sh --quick    fewer clients, once (less than five minutes), to bench/results/quick
# What follows is passed on: --rounds 3, --only rawpush uwebsockets.
set -euo pipefail
cd "$(dirname "$0")/.."

scenarios=bench/scenarios.json
out=bench/results
rounds=(--rounds 2)
if [[ ${1-} == --quick ]]; then
  shift
  scenarios=bench/scenarios-quick.json
  out=bench/results/quick
  rounds=(--rounds 1)
fi

# One connection of the load generator per client and source port.
sysctl -q -w net.ipv4.ip_local_port_range="1024 65535" 2>/dev/null || echo "The port range stays as it is: no permission." >&2
for install in bench/peers/*/install.sh; do
  "$install" >&2
done

dotnet build bench/RawPush.Swarm -c Release --nologo -v quiet >&2
exec bench/RawPush.Swarm/bin/Release/net10.0/RawPush.Swarm compare --peers bench/peers/peers.json --scenarios "$scenarios" --out "$out" "${rounds[@]}" "$@"
