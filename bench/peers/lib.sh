# What the peers' install.sh and run.sh share. Sourced, not run.
# shellcheck shell=bash

# A peer may hold as many sockets as the machine lets it.
open_files_max() {
  ulimit -n "$(ulimit -Hn)"
}

# runtime_folder NAME PORT: an empty folder for configuration, pid and temporary files; a later run on the same port takes it over.
runtime_folder() {
  local folder=${TMPDIR:-/tmp}/rawpush-peers-$UID/$1-$2
  rm -rf "$folder"
  mkdir -p "$folder"
  echo "$folder"
}

# debian_packages NAME=VERSION...: a version may end in a star, because Debian's own revision moves with its security fixes.
debian_packages() {
  local package missing=() as_root=()
  for package in "$@"; do
    # shellcheck disable=SC2053 # the right side is a pattern
    [[ $(dpkg-query -W -f '${db:Status-Status} ${Version}' "${package%%=*}" 2>/dev/null) == "installed "${package#*=} ]] || missing+=("$package")
  done
  [[ ${#missing[@]} -gt 0 ]] || return 0
  [[ $EUID -eq 0 ]] || as_root=(sudo)

  # The bench starts its peers itself: Debian must not start services on their standard ports in passing.
  local policy=/usr/sbin/policy-rc.d held=false status
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod +x "$policy"
    held=true
  fi
  "${as_root[@]}" apt-get update -qq &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  status=$?
  ! $held || "${as_root[@]}" rm -f "$policy"
  return $status
}

# node_packages: what package-lock.json of the working folder says.
node_packages() {
  command -v npm >/dev/null || debian_packages 'nodejs=*' 'npm=*' || return
  [[ node_modules/.package-lock.json -nt package-lock.json ]] && return
  npm ci --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
}

# dotnet_release PROJECT: a Release build of the working folder's project.
dotnet_release() {
  local built=bin/Release/net10.0/$1.dll
  [[ -e $built && -z $(find . ../../../Directory.Build.props -path ./obj -prune -o -path ./bin -prune -o -type f -newer "$built" -print -quit) ]] && return
  local log
  if ! log=$(dotnet build "$1.csproj" -c Release --nologo -v quiet -m:1 2>&1); then
    echo "$log" >&2
    return 1
  fi
  touch "$built"
}
