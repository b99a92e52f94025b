#!/usr/bin/env bash
set -euo pipefail
source "$(dirname "$0")/../lib.sh"
debian_packages 'nginx=1.22.1-*' 'libnginx-mod-nchan=1:1.3.6*'
