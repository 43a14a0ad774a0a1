#!/usr/bin/env bash
# Prints where axe-core is, which finds what people with disabilities could not use in a page; installs it from PyPI once.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../deploy/images/packages.sh"

version=0.1.0
root=${EDGEMODEL_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/edgemodel}/tools
folder=$root/axe-core-$version
if [ ! -e "$folder" ]; then
    if ! python3 -m pip --version >/dev/null 2>&1; then
        (packages=(python3-pip) && install_packages "The tests need" >&2)
    fi
    mkdir -p "$root"
    work=$(mktemp -d "$root/.install.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --target "$work/axe" \
        "axe-core-python==$version" >&2
    mv "$work/axe" "$folder"
fi
echo "$folder/axe_core_python/axe.min.js"
