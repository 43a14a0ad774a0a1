#!/usr/bin/env bash
# Makes a root file system of musl and a CPython for it, without a shell: `musl.sh ARCH FILE.tar`, for this machine's ARCH. No
# registry has such a Python as a program, so Debian's source of CPython 3.11 is compiled, with what a worker's models need to
# start. That takes about a minute and a half of one processor.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../deploy/images/packages.sh"
. "$here/../../deploy/images/machine.sh"
machine=$(machine "$1")
file=$2
if [ "$1" != "$(dpkg --print-architecture)" ]; then
    echo "The base with musl is made for this machine, not for \"$1\"" >&2
    exit 1
fi
# In a shell of its own, since it sets a trap.
(need musl-gcc musl-tools && need make make && install_packages "The base with musl needs")

work=$(mktemp --directory)
trap 'rm -rf "$work"' EXIT
quietly() { # a command whose output matters only if it fails
    if ! "$@" >"$work/log" 2>&1; then
        tail --lines 50 "$work/log" >&2
        return 1
    fi
}

# Debian's sources, where this machine may only know its programs; apt checks signature and digest.
mkdir -p "$work"/{lists/partial,source,build,root}
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep --max-count 1 'debian/$') || {
    echo "apt knows no mirror of Debian" >&2
    exit 1
}
echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror bookworm main" >"$work/sources.list"
apt=(-o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=- -o "Dir::State::lists=$work/lists" -o APT::Sandbox::User=root)
quietly apt-get "${apt[@]}" update
(cd "$work" && quietly apt-get "${apt[@]}" source --download-only python3.11)
tar --extract --file "$work"/python3.11_*.orig.tar.gz --directory "$work/source" --strip-components 1

# Debian's wrapper answers with the name for glibc.
printf '#!/bin/sh\ncase $* in *-print-multiarch) exec echo %s-linux-musl ;; esac\nexec musl-gcc "$@"\n' "$machine" >"$work/cc"
chmod +x "$work/cc"
# Modules of libraries, which are not there for musl, are left out by themselves; hashes come from CPython's own code.
cd "$work/build"
quietly env CC="$work/cc" CFLAGS="-O1 -g0" "$work/source/configure" --prefix=/usr/local --without-ensurepip --disable-test-modules \
    --without-doc-strings --with-builtin-hashlib-hashes=md5,sha1,sha256,sha512,sha3,blake2
quietly make --jobs "$(nproc)"
quietly make install DESTDIR="$work/root"

root=$work/root
# Modules that do not compile are left out without an error.
ls "$root"/usr/local/lib/python3.11/lib-dynload/_socket.*.so >/dev/null
cp --dereference "/lib/ld-musl-$machine.so.1" "$work/loader"
install -D --mode 755 "$work/loader" "$root/lib/ld-musl-$machine.so.1"
rm -rf "$root"/usr/local/{include,share,lib/*.a,lib/pkgconfig}
rm -rf "$root"/usr/local/lib/python3.11/{config-*,ensurepip,idlelib,lib2to3,test,tkinter,turtledemo}
find "$root" -name __pycache__ -prune -exec rm -rf {} +
mkdir -p "$root"/{dev,proc,tmp}
tar --create --file "$file.part" --directory "$root" --sort=name --numeric-owner --owner=0 --group=0 .
mv "$file.part" "$file"
