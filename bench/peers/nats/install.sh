#!/usr/bin/env bash
set -euo pipefail
source "$(dirname "$0")/../lib.sh"
debian_packages 'nats-server=2.9.10-*'
