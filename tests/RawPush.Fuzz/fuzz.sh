#!/usr/bin/env bash
# fuzz.sh TARGET SECONDS: fuzzes one target from its corpus, and ends with a line of what it did. Fails if there was a finding, or nothing was executed.
# FUZZ_OUT: where to work, by default artifacts/findings; what the target's last run left there is removed. FUZZ_BUILT=1: build.sh has been run.
set -euo pipefail
target=$1
seconds=$2
cd "$(dirname "$0")"
. ./afl.sh

[[ -n ${FUZZ_BUILT:-} ]] || ./build.sh
out=${FUZZ_OUT:-artifacts/findings}
rm -rf "${out:?}/$target"
mkdir -p "$out"
out=$(realpath "$out")

# AFL++ passes over a seed that is a finding itself.
if ! replay=$(timeout 300 bin/Debug/net10.0/RawPush.Fuzz replay "$target" "corpus/$target"/*); then
  echo "$replay"
  exit 1
fi

dictionary=()
[[ -e dictionaries/$target ]] && dictionary=(-x "dictionaries/$target")

# A target that hangs or ends the process takes AFL++ with it, hence no -e.
afl-fuzz -V "$seconds" -G 6000 -t 10000 -m none -i "corpus/$target" -o "$out/$target" "${dictionary[@]}" -- artifacts/bin/RawPush.Fuzz afl "$target" \
  >"$out/$target.log" 2>&1 && ended=0 || ended=$?

work=$out/$target/default
crashes=$work/crashes
if [[ $ended -ne 0 && -e $work/.cur_input ]] && grep -q "fork server" "$out/$target.log"; then
  mkdir -p "$crashes"
  cp "$work/.cur_input" "$crashes/hang-or-end-of-process"
fi

stat() { sed -nE "s/^$1 *: *([0-9]+).*/\1/p" "$work/fuzzer_stats" 2>/dev/null || true; }
findings=$(find "$crashes" "$work/hangs" -type f ! -name README.txt 2>/dev/null | wc -l)
executions=$(stat execs_done)
echo "$target: ${executions:-0} executions, $(stat corpus_found) new paths, $(stat edges_found) edges, $findings findings"
if [[ $findings -gt 0 ]]; then
  echo "Findings are in $crashes. To see what one of them does: tests/RawPush.Fuzz/bin/Debug/net10.0/RawPush.Fuzz replay $target FILE"
  echo "Once it is understood, its file goes into corpus/$target with a name that says what it was."
fi

if [[ $ended -ne 0 || ${executions:-0} -eq 0 ]]; then
  tail -n 20 "$out/$target.log"
fi

[[ $ended -eq 0 && $findings -eq 0 && ${executions:-0} -gt 0 ]]
