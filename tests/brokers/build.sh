#!/usr/bin/env bash
# Gets the brokers that the worker is tried on, each from its registry by the ordinary client, once per version and machine, and
# prints the folder of each. `build.sh [NAME...]`: mosquitto from Debian.
# A folder holds `version` and what the broker consists of, unless Debian has that elsewhere.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../deploy/images/packages.sh"

names=("$@")
if [ ${#names[@]} -eq 0 ]; then
    names=(mosquitto)
fi
root=${EDGEMODEL_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/edgemodel}/brokers
mkdir -p "$root"
# Two test runs build one after the other; the second finds everything there.
exec 9>"$root/lock"
flock 9
trap 'rm -rf "$root"/.build.*' EXIT

debian() { # installs the packages that `need` found missing
    (install_packages "The tests of brokers need")
    packages=()
}

# Debian's version, without its epoch and revision.
version_of() { # package
    dpkg-query --show --showformat '${Version}' "$1" | sed -E 's/^[0-9]+://; s/-[^-]*$//'
}

make_mosquitto() { # folder
    need mosquitto mosquitto
    debian
    mkdir -p "$1"
    version_of mosquitto >"$1/version"
}

for name in "${names[@]}"; do
    case $name in
        mosquitto)
            # Debian may have updated it.
            folder=$root/$name
            "make_$name" "$folder"
            ;;
        *)
            echo "build.sh knows no broker $name" >&2
            exit 1
            ;;
    esac
    echo "$folder"
done
