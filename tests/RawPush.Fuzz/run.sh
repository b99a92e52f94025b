#!/usr/bin/env bash
# run.sh [SECONDS]: replays the corpus, then fuzzes every target for so long (default 60), two at a time. Ends with a line "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")"
. ./afl.sh
seconds=${1:-60}
passed=0
failed=0

./build.sh || exit 1
replay=$(timeout 300 bin/Debug/net10.0/RawPush.Fuzz replay corpus)
echo "$replay"
if [[ $replay =~ ([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
  passed=${BASH_REMATCH[1]}
  failed=${BASH_REMATCH[2]}
else
  failed=1
fi

export FUZZ_BUILT=1 FUZZ_OUT=${FUZZ_OUT:-artifacts/gate}
ended=$(mktemp)
trap 'rm -f "$ended"' EXIT
printf '%s\n' $TARGETS | xargs -P 2 -I TARGET sh -c "if ./fuzz.sh TARGET $seconds; then echo passed >>$ended; else echo failed >>$ended; fi"
passed=$((passed + $(grep -c passed "$ended")))
failed=$((failed + $(grep -c failed "$ended")))
missing=$(($(wc -w <<<"$TARGETS") - $(wc -l <"$ended")))

echo "$passed passed, $((failed + missing)) failed"
[[ $((failed + missing)) -eq 0 ]]
