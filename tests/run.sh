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
report=$(mktemp)
trap 'rm -f "$log" "$report"' EXIT

# What the suites of rules are worth: for each class of the report its cases – what stands in brackets is a case's number and sentence, and a case may be
# run in several ways – and how its runs ended. Topics that are numbered stand in their order.
conformance_table() {
  grep -oE '<test [^>]*>' "$report" | awk '
    {
      match($0, / name="[^"]*"/); name = substr($0, RSTART + 7, RLENGTH - 8)
      match($0, / type="[^"]*"/); suite = substr($0, RSTART + 7, RLENGTH - 8)
      sub(/^RawPush\.Conformance\.Tests\./, "", suite); sub(/Tests$/, "", suite)
      sub(/^[^[]*\[/, "", name); sub(/\]$/, "", name)
      if (!((suite, name) in seen)) { seen[suite, name]; cases[suite]++ }
      if (!(suite in topic) && match(name, /^[0-9]+\./)) topic[suite] = name + 0
      if (/ result="Pass"/) passed[suite]++; else failed[suite]++
    }
    END {
      for (suite in cases) {
        split(suite, parts, ".")
        printf "%s %03d %-32s %4d cases: %d runs in order, %d not\n", parts[1], topic[suite], suite, cases[suite], passed[suite], failed[suite]
      }
    }' | sort | cut -d ' ' -f 3-
}

# Runs one test project; NAME=VALUE behind it goes into its environment.
run_tests() {
  local name=$1
  shift
  echo "== $name $*"
  env "$@" "tests/$name/bin/Release/net10.0/$name" -noColor -noLogo -result-xml "$report" 2>&1 | tee "$log"
  count "$name" "$(summary_of "$log")"
  # An exception outside of any test: no test's failure, and one all the same.
  if grep -q "FATAL ERROR" "$log"; then
    failed=$((failed + 1))
  fi
  if [[ $name == RawPush.Conformance.Tests ]]; then
    echo "== conformance $*"
    conformance_table
  fi
}

for project in tests/RawPush.*.Tests; do
  run_tests "$(basename "$project")"
done

# The same sessions over Kestrel's sockets, as on a machine that is not Linux.
run_tests RawPush.Server.Tests RawPush__Transport=Sockets
run_tests RawPush.Conformance.Tests RawPush__Transport=Sockets

echo "== tuning"
tests/tuning/tune_test.sh 2>&1 | tee "$log"
count tuning "$(tail -n 1 "$log")"

echo "== fuzzing"
tests/RawPush.Fuzz/run.sh 2>&1 | tee "$log"
count fuzzing "$(tail -n 1 "$log")"

echo "$passed passed, $failed failed"
[[ $failed -eq 0 && $passed -gt 0 ]]
