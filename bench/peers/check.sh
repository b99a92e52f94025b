#!/usr/bin/env bash
# check.sh [NAME...]: installs and starts each peer, subscribes, publishes, echoes, ends it, and prints a line per check.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
exec python3 "$here/check.py" "$@"
