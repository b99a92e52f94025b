#!/usr/bin/env bash
set -euo pipefail
cd "$(dirname "$0")/../../.."
dotnet build bench/RawPush.Swarm -c Release --nologo -v quiet
