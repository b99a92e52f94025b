#!/usr/bin/env bash
# condense.sh [TARGET...]: makes corpus/TARGET the fewest files that cover what it and the queue of the last run cover (afl-cmin); of equal ones the smallest
# are kept. Files whose names do not begin with "id" were put there by hand, each for a reason, and stay. FUZZ_OUT: as for fuzz.sh.
set -euo pipefail
cd "$(dirname "$0")"
. ./afl.sh
[[ -n ${FUZZ_BUILT:-} ]] || ./build.sh
out=${FUZZ_OUT:-artifacts/findings}
for target in ${*:-$TARGETS}; do
  all=artifacts/condense/all
  fewest=artifacts/condense/fewest
  rm -rf artifacts/condense
  mkdir -p "$all"
  cp "corpus/$target"/* "$all"
  find "$out/$target/default/queue" -maxdepth 1 -type f -size -16k -exec cp -t "$all" {} + 2>/dev/null || true
  afl-cmin -t 10000 -m none -i "$all" -o "$fewest" -- artifacts/bin/RawPush.Fuzz afl "$target" >artifacts/condense/log 2>&1 || { tail artifacts/condense/log; exit 1; }

  before=$(find "corpus/$target" -type f | wc -l)
  find "corpus/$target" -type f -name 'id*' -delete
  for file in "$fewest"/*; do
    # By content: the same coverage under the same name the next time, and nothing twice.
    case $(basename "$file") in
      id*) cp "$file" "corpus/$target/id-$(sha1sum "$file" | cut -c 1-12)" ;;
    esac
  done
  echo "$target: $(find "$all" -type f | wc -l) files condensed, corpus of $before is now $(find "corpus/$target" -type f | wc -l) files, $(du -sb "corpus/$target" | cut -f 1) bytes"
done
