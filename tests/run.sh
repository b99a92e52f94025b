#!/usr/bin/env bash
# Installs what the tests need and is missing, builds, runs every test, and ends with a line "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")/.."

tests/clients/install.sh || exit 1
dotnet build RawPush.sln -c Release --nologo -v quiet || exit 1

passed=0
failed=0

# Adds "<n> passed, <n> failed" of one suite to the totals. A suite that says nothing has failed.
count() {
  local name=$1 summary=$2
  if [[ $summary =~ ([0-9]+)\ passed,\ ([0-9]+)\ failed ]]; then
    passed=$((passed + BASH_REMATCH[1]))
    failed=$((failed + BASH_REMATCH[2]))
  else
    echo "$name ended without a summary."
    failed=$((failed + 1))
  fi
}

# The runner's own summary line, in our words. A skipped test counts as failed: nothing is skipped for ever.
summary_of() {
  sed -nE 's/.*Total: ([0-9]+), Errors: ([0-9]+), Failed: ([0-9]+), Skipped: ([0-9]+), Not Run: ([0-9]+).*/\1 \2 \3 \4 \5/p' "$1" |
    tail -n 1 | while read -r total errors failures skipped not_run; do
      bad=$((errors + failures + skipped + not_run))
      echo "$((total + errors - bad)) passed, $bad failed"
    done
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Runs one test project; NAME=VALUE behind it goes into its environment.
run_tests() {
  local name=$1
  shift
  echo "== $name $*"
  env "$@" "tests/$name/bin/Release/net10.0/$name" -noColor -noLogo 2>&1 | tee "$log"
  count "$name" "$(summary_of "$log")"
  # An exception outside of any test: no test's failure, and one all the same.
  if grep -q "FATAL ERROR" "$log"; then
    failed=$((failed + 1))
  fi
}

for project in tests/RawPush.*.Tests; do
  run_tests "$(basename "$project")"
done

# The same sessions over Kestrel's sockets, as on a machine that is not Linux.
run_tests RawPush.Server.Tests RawPush__Transport=Sockets

echo "== tuning"
tests/tuning/tune_test.sh 2>&1 | tee "$log"
count tuning "$(tail -n 1 "$log")"

echo "== fuzzing"
tests/RawPush.Fuzz/run.sh 2>&1 | tee "$log"
count fuzzing "$(tail -n 1 "$log")"

echo "$passed passed, $failed failed"
[[ $failed -eq 0 && $passed -gt 0 ]]
