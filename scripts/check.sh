#!/bin/sh
# Install what is missing, build, and run every test. The last line is the runner's count.
set -eu
cd "$(dirname "$0")/.."
scripts/install-deps.sh
exec make -s -j"$(nproc)" check
