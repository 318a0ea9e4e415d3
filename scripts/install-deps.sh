#!/bin/sh
# Install what building, testing and the demo need on Debian 12. Does nothing when everything is there.
# With sudo where not root.
set -eu

packages='
gcc libc6-dev make pkg-config perl
libzmq3-dev libprotobuf-c-dev protobuf-c-compiler protobuf-compiler libsqlite3-dev libssl-dev
libconfuse-dev libjansson-dev libmicrohttpd-dev libarchive-dev uthash-dev libcmocka-dev gettext
openssl sqlite3 jq curl libfaketime
clang libclang-rt-14-dev clang-format clang-tidy universal-ctags patch
golang-go golang-golang-x-mod-dev
python3 python3-zmq python3-protobuf python3-cryptography
'

missing=
for p in $packages; do
    dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q '^install ok installed' || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || {
        echo "install-deps: these packages are missing and there is no sudo; as root: apt-get install$missing" >&2
        exit 1
    }
    as_root=sudo
fi
echo "install-deps: installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq
# shellcheck disable=SC2086
$as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
