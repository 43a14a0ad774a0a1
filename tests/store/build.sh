#!/usr/bin/env bash
# Builds the S3 server that the tests download models from, versitygw, from its Go module, once per version and machine,
# and prints the folder that it is in.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

key=$(cd "$here" && sha256sum build.sh go.mod go.sum tools.go | sha256sum | cut -c 1-16)
root=${EDGEMODEL_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/edgemodel}/store
directory=$root/$key
if [ ! -x "$directory/versitygw" ]; then
    if ! command -v go >/dev/null; then
        echo "The tests of s3:// run against a real S3 server, which is built from source with Go; install Go as" \
            "https://go.dev/doc/install says, so that \`go version\` shows it" >&2
        exit 1
    fi
    mkdir -p "$directory"
    # Two test runs build one after the other; the second finds it there.
    exec 9>"$root/lock"
    flock 9
    if [ ! -x "$directory/versitygw" ]; then
        echo "Building versitygw; a first build takes minutes" >&2
        temporary=$(mktemp -d "$directory/.build.XXXXXX")
        trap 'rm -rf "$temporary"' EXIT
        (cd "$here" && CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=-mod=readonly \
            go build -trimpath -buildvcs=false -ldflags "-s -w" -o "$temporary/versitygw" \
            github.com/versity/versitygw/cmd/versitygw)
        mv "$temporary/versitygw" "$directory/versitygw"
    fi
fi
echo "$directory"
