#!/bin/sh
# Installs what fuzzing needs and is missing: AFL++ from Debian's packages, and the instrumenter as a local tool. Run it as often as you like.
set -eu
cd "$(dirname "$0")"

if ! command -v afl-fuzz >/dev/null; then
    sudo=''
    [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo apt-get update -qq
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends afl++
fi

dotnet tool restore >/dev/null
