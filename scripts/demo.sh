#!/bin/sh
# Install what is missing, build, and run the demonstration. LANG decides its language.
set -eu
cd "$(dirname "$0")/.."
scripts/install-deps.sh
make -s -j"$(nproc)" all
exec make -s demo
