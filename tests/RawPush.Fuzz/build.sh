#!/usr/bin/env bash
# Builds with asserts and optimised, and instruments a copy of the assemblies: artifacts/bin. What other tests use stays as it is.
set -euo pipefail
cd "$(dirname "$0")"

./install.sh
dotnet build RawPush.Fuzz.csproj -c Debug -p:Optimize=true --nologo -v quiet
rm -rf artifacts/bin
mkdir -p artifacts
cp -r bin/Debug/net10.0 artifacts/bin
for assembly in RawPush.Protocol RawPush.Fanout RawPush.Server; do
  dotnet sharpfuzz "artifacts/bin/$assembly.dll"
done
# zlib has no instrumentation. What a compressed message makes of its reference tells inputs apart instead.
dotnet sharpfuzz artifacts/bin/RawPush.Fuzz.dll RawPush.Fuzz.References.ReferenceInflate RawPush.Fuzz.References.ReferencePrefixCode
