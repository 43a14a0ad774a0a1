#!/usr/bin/env bash
# Installs the pinned Zig and `cargo zigbuild` of zig.txt from PyPI, unless they are there, and prints their folder.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/packages.sh"

root=${EDGEMODEL_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/edgemodel}/tools
folder=$root/zig-$(sha256sum <"$here/zig.txt" | cut -c 1-16)
mkdir -p "$root"
exec 9>"$root/lock"
flock 9
if [ ! -d "$folder" ]; then
    if ! python3 -m pip --version >/dev/null 2>&1; then
        # In a shell of its own, since it sets a trap.
        (packages=(python3-pip) && install_packages "The static worker needs")
    fi
    echo "Installing Zig and cargo-zigbuild" >&2
    rm -rf "$folder.part"
    PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
        --no-compile --require-hashes --target "$folder.part" --requirement "$here/zig.txt" >&2
    mv "$folder.part" "$folder"
fi
echo "$folder"
