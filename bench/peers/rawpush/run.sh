#!/usr/bin/env bash
# run.sh PORT [SETTING...]: the daemon; for echoes the sample backend, which has a handler for them.
set -euo pipefail
cd "$(dirname "$0")/../../.."
source bench/peers/lib.sh
open_files_max
program=src/RawPush.Server/bin/Release/net10.0/RawPush.Server
[[ ${SCENARIO-} != echo ]] || program=samples/RawPush.Sample.Backend/bin/Release/net10.0/RawPush.Sample.Backend
exec "$program" --public "127.0.0.1:$1" --internal "127.0.0.1:$(($1 + 1))" "${@:2}"
