#!/usr/bin/env bash
# Fetches the libraries of the console from npm: `fetch.sh` writes the files beside it, `fetch.sh --check` says whether they are
# what npm has. A new version takes a new digest here, of the package as `npm pack` gives it.
set -euo pipefail
cd "$(dirname "$0")"

check=
[ "${1-}" = --check ] && check=yes
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

take() { # package, its SHA-512, then pairs of file and name
    local package=$1 digest=$2 archive
    shift 2
    archive=$(cd "$work" && npm pack --silent "$package")
    (cd "$work" && echo "$digest  $archive" | sha512sum --check --quiet)
    while [ $# -gt 0 ]; do
        tar --extract --to-stdout --file "$work/$archive" "package/$1" >"$work/file"
        if [ -n "$check" ]; then
            cmp "$work/file" "$2"
        else
            cp "$work/file" "$2"
        fi
        shift 2
    done
}

take htm@3.1.1 \
    f7cdd5ca0f0dc1413b26467a3663aaa4267eb21d5b2afda2613954933956980e490f669c2a8c5de0a5716cc9b15fff399ad7dd9c399316834a720e43180bf135 \
    preact/standalone.module.js preact.js
take uplot@1.6.32 \
    2883159c6ebccefbb95d751b0b82d010f9e1c0ec41b8bc96d401eda66e882935c89a46cb824332fa369b8cb8122cc6ac36e186cd09bf7a9ded3a4c93c6989023 \
    dist/uPlot.esm.js uplot.js dist/uPlot.min.css uplot.css
