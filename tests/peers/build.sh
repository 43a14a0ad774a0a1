#!/usr/bin/env bash
# Builds a program that `make bench` measures beside the worker from its Go module, once per version and machine, and prints the
# folder that it is in. `build.sh ekuiper`, `build.sh bento`. The last line of stderr says why one cannot be had.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
name=${1:-}
case $name in
    ekuiper)
        module=github.com/lf-edge/ekuiper/v2
        package=$module/cmd/kuiperd
        # Without the parts that only its web console, its SQL databases and its native plugins need.
        tags="core portable"
        flags="-X $module/cmd.LoadFileType=relative"
        ;;
    bento)
        module=github.com/warpstreamlabs/bento
        package=.
        tags=
        flags=
        ;;
    *)
        echo "build.sh knows no peer ${name:-without a name}" >&2
        exit 1
        ;;
esac

key=$(cd "$here" && sha256sum build.sh "$name"/go.mod "$name"/go.sum "$name"/*.go | sha256sum | cut -c 1-16)
root=${EDGEMODEL_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/edgemodel}/peers
folder=$root/$name-$key
if [ ! -e "$folder" ]; then
    if ! command -v go >/dev/null; then
        echo "$name is built with Go, which is missing: install it by https://go.dev/doc/install" >&2
        exit 1
    fi
    mkdir -p "$root"
    # Two runs build one after the other; the second finds everything there.
    exec 9>"$root/lock"
    flock 9
    if [ ! -e "$folder" ]; then
        echo "Building $name; a first build takes minutes" >&2
        work=$(mktemp -d "$root/.build.XXXXXX")
        trap 'rm -rf "$work"' EXIT
        cd "$here/$name"
        export CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=-mod=readonly
        go build -trimpath -buildvcs=false -tags "$tags" -ldflags "-s -w $flags" -o "$work/$name" "$package" >&2
        go list -m -f '{{slice .Version 1}}' "$module" >"$work/version"
        if [ "$name" = ekuiper ]; then
            cp -r "$(go list -m -f '{{.Dir}}' "$module")/etc" "$work/etc"
            chmod -R u+w "$work/etc"
        fi
        mv "$work" "$folder"
    fi
fi
echo "$folder"
