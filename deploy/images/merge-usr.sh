#!/bin/sh
# A hook of mmdebstrap: `/bin` is `/usr/bin` and so on, before anything is unpacked.
set -eu
root=$1 arch=$2

names="bin sbin lib"
[ "$arch" != amd64 ] || names="$names lib64"
for name in $names; do
    mkdir -p "$root/usr/$name"
    ln -s "usr/$name" "$root/$name"
done
