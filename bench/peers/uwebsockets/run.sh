#!/usr/bin/env bash
# run.sh PORT
set -euo pipefail
cd "$(dirname "$0")"
source ../lib.sh
open_files_max
exec node server.mjs "$1"
