#!/usr/bin/env bash
# Makes a root file system of Debian 11's C library, glibc 2.31, and a Python that is none of edgemodel's: `old-glibc.sh ARCH
# FILE.tar`. For amd64 it is CPython 3.7 from Maven Central, which CentOS 7 has compiled; for arm64, Debian 11's 3.9.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../deploy/images/packages.sh"
arch=$1 file=$2

work=$(mktemp --directory)
trap 'rm -rf "$work"' EXIT
root=$work/root
content=libc6,libgcc-s1,zlib1g
[ "$arch" = amd64 ] || content+=,python3
# Only the packages of the release itself: Debian 11's suite of security lists packages that are gone.
plain='sed --in-place "/-security /d" "$1/etc/apt/sources.list"'
if ! mmdebstrap --mode=root --variant=extract --skip=cleanup,output/dev --architectures="$arch" --include="$content" \
    --setup-hook="$plain" --format=directory bullseye "$root" >"$work/log" 2>&1; then
    cat "$work/log" >&2
    exit 1
fi
rm -rf "$root"/{etc,tmp,var,usr/share,usr/lib/*-linux-gnu/gconv}
mkdir -p "$root"/{dev,proc,tmp,usr/local/bin,usr/local/lib}
if [ "$arch" = amd64 ]; then
    # In a shell of its own, since it sets a trap.
    (need mvn maven && install_packages "The base with an old glibc needs")
    python=org.bytedeco:cpython:3.7.7-1.5.3:jar:linux-x86_64
    mvn --batch-mode --quiet org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy \
        -Dartifact="$python" -DoutputDirectory="$work/jar"
    echo "64fd167c79cf6370bd52c49508c151657aee3b80712b866465b800f3b53c1926  $(echo "$work"/jar/*.jar)" | sha256sum --check --quiet
    python3 -m zipfile --extract "$work"/jar/*.jar "$work/jar"
    cd "$work/jar/org/bytedeco/cpython/linux-x86_64"
    install -D --mode 755 bin/python3 "$root/usr/local/bin/python3"
    cp --recursive lib/python3.7 "$root/usr/local/lib"
    cp libpython3.7m.so.1.0 libffi.so.5 "$root/usr/lib/x86_64-linux-gnu"
    rm -rf "$root"/usr/local/lib/python3.7/{config-*,ensurepip,idlelib,lib2to3,test,tkinter,turtledemo}
fi
tar --create --file "$file.part" --directory "$root" --sort=name --numeric-owner --owner=0 --group=0 .
mv "$file.part" "$file"
