#!/usr/bin/env bash
# What the worker's root file system has besides: pip, compiled files of Python, names for busybox. `finish-worker.sh FOLDER`.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$1
python=$(cd "$root/usr/bin" && echo python3.[0-9]*)

(
    cd "$root/usr"
    # It tells users to use a package manager that the image does not have.
    rm -f "lib/$python/EXTERNALLY-MANAGED"
    # It asks for a crash reporter.
    rm -rf "lib/$python/sitecustomize.py" "../etc/$python"
    # Modules and tools of packages that are left out.
    rm -f "lib/$python"/lib-dynload/{nis,_dbm}.*
    rm -rf bin/{catchsegv,iconv,ld.so,ldd,localedef,pldd,py3clean,py3compile,py3versions,pygettext3*,tzselect,zdump} \
        sbin/{iconvconfig,zic} share/python3
    mkdir -p lib/python3/dist-packages "local/lib/$python/dist-packages"
    python3 -m zipfile --extract share/python-wheels/pip-*.whl lib/python3/dist-packages
    rm -r share/python-wheels
    # Where OpenSSL looks for roots of trust.
    mkdir -p lib/ssl
    ln -s ../../../etc/ssl/certs/ca-certificates.crt lib/ssl/cert.pem
    ln -s "$python" bin/python
    printf '#!/bin/sh\nexec python3 -m pip "$@"\n' >bin/pip
    chmod 755 bin/pip
    for tool in sh cat cp date df du env find free grep gunzip gzip head id kill ls md5sum mkdir mv netstat nslookup od ping \
        printenv ps pwd rm sed sha256sum sleep sort tail tar top touch uname vi wc wget which xargs; do
        ln -s busybox "bin/$tool"
    done
)
ln -s /usr/share/zoneinfo/Etc/UTC "$root/etc/localtime"
"$here/compile-python.sh" "$root" "$root/usr/lib" "${python#python}"
