#!/bin/sh
# Installs what the tests need of others: clients (node with npm, the packages of package-lock.json, Chromium, Python's websockets, curl), proxies (nginx,
# HAProxy), nats-server, and what makes a network bad (iptables, ip). Run it as often as you like.
set -eu
cd "$(dirname "$0")"

missing=''
command -v node >/dev/null || missing="$missing nodejs"
command -v npm >/dev/null || missing="$missing npm"
command -v chromium >/dev/null || missing="$missing chromium"
command -v curl >/dev/null || missing="$missing curl"
# Debian's Python, whatever other one comes first in the path.
/usr/bin/python3 -c 'import websockets' 2>/dev/null || missing="$missing python3-websockets"
# These are where only root looks for them.
PATH="$PATH:/usr/sbin:/sbin"
command -v nginx >/dev/null || missing="$missing nginx"
command -v haproxy >/dev/null || missing="$missing haproxy"
command -v nats-server >/dev/null || missing="$missing nats-server"
command -v iptables >/dev/null || missing="$missing iptables"
command -v ip >/dev/null || missing="$missing iproute2"
if [ -n "$missing" ]; then
    sudo=''
    [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo apt-get update -qq
    # Unquoted: one argument per package.
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
fi

# npm writes this file last, and only when the install went through.
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    npm ci --no-audit --no-fund --loglevel=error
fi
