#!/usr/bin/env bash
set -euo pipefail
source "$(dirname "$0")/../lib.sh"
debian_packages 'mosquitto=2.0.11-*'
