#!/usr/bin/env bash
set -euo pipefail
cd "$(dirname "$0")/../../.."
dotnet build samples/RawPush.Sample.Backend -c Release --nologo -v quiet
