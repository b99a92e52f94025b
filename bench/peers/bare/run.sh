#!/usr/bin/env bash
# run.sh PORT: a loop that only sends.
set -euo pipefail
cd "$(dirname "$0")/../../.."
source bench/peers/lib.sh
open_files_max
exec bench/RawPush.Swarm/bin/Release/net10.0/RawPush.Swarm bare --port "$1"
