#!/usr/bin/env bash
# run.sh PORT: RawPush with one event loop, beside servers that have one thread.
exec "$(dirname "$0")/../rawpush/run.sh" "$1" RawPush:Shards=1
