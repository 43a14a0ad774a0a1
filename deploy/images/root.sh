#!/usr/bin/env bash
# Makes a root file system from Debian's packages, as root but without running anything of it: `root.sh NAME ARCH
# FILE.tar` with a NAME from roots/. So it needs no emulation for another machine's architecture, and nothing is left in
# it of package managers.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
name=$1 arch=$2 file=$3

suite=bookworm
# Every file gets this time, so that the same packages make the same archive.
time=2023-06-10T00:00Z
packages=$(grep -v '^#' "$here/roots/$name" | paste -sd,)
work=$(mktemp --directory)
trap 'rm -rf "$work"' EXIT
if ! mmdebstrap --mode=root --variant=extract --skip=cleanup,output/dev --architectures="$arch" --include="$packages" \
    --setup-hook="$here/merge-usr.sh \"\$1\" $arch" --format=directory "$suite" "$work/root" >"$work/log" 2>&1; then
    cat "$work/log" >&2
    echo "The root file system \"$name\" for $arch was not made; the cause is above" >&2
    exit 1
fi
"$here/finish-root.sh" "$work/root" "$name"
tar --create --file "$file.part" --directory "$work/root" --sort=name --format=posix --pax-option=delete=atime,delete=ctime \
    --numeric-owner --owner=0 --group=0 --mtime="$time" .
mv "$file.part" "$file"
