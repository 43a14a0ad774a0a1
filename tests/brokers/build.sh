#!/usr/bin/env bash
# Gets the brokers that the worker is tried on, each from its registry by the ordinary client, once per version and machine, and
# prints the folder of each. `build.sh [NAME...]`: mosquitto and rabbitmq from Debian, hivemq from Maven, mochi from Go modules.
# A folder holds `version` and what the broker consists of, unless Debian has that elsewhere.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../deploy/images/packages.sh"

names=("$@")
if [ ${#names[@]} -eq 0 ]; then
    names=(mosquitto hivemq rabbitmq mochi)
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

# Prints the name of a folder for what is made of these files.
keyed() { # name, file...
    local name=$1
    shift
    echo "$name-$(cd "$here" && sha256sum build.sh "$@" | sha256sum | cut -c 1-16)"
}

make_rabbitmq() { # folder
    [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || packages+=(rabbitmq-server)
    need epmd erlang-base
    debian
    mkdir -p "$1"
    version_of rabbitmq-server >"$1/version"
}

make_hivemq() { # folder
    need javac default-jdk-headless
    need mvn maven
    debian
    mvn --quiet --batch-mode --file "$here/hivemq/pom.xml" dependency:copy-dependencies \
        -DincludeScope=runtime -DoutputDirectory="$1/lib" >&2
    javac -cp "$1/lib/*" -d "$1" "$here/hivemq/Broker.java"
    cp "$here/hivemq/logback.xml" "$1"
    sed -nE '/<dependency>/,$s|.*<version>(.*)</version>.*|\1|p' "$here/hivemq/pom.xml" >"$1/version"
}

make_mochi() { # folder
    if ! command -v go >/dev/null; then
        echo "Go is missing: install it by https://go.dev/doc/install" >&2
        exit 1
    fi
    (cd "$here/mochi" && CGO_ENABLED=0 GOFLAGS=-mod=readonly go build -trimpath -buildvcs=false -o "$1/mochi" .)
    sed -nE 's|^require github.com/mochi-mqtt/server/v2 v||p' "$here/mochi/go.mod" >"$1/version"
}

# Makes a folder of its own for what is built, once it is complete.
built() { # name, file...
    folder=$root/$(keyed "$@")
    if [ ! -e "$folder" ]; then
        echo "Getting $1" >&2
        local work
        work=$(mktemp -d "$root/.build.XXXXXX")
        "make_$1" "$work"
        mv "$work" "$folder"
    fi
}

make_mosquitto() { # folder
    need mosquitto mosquitto
    debian
    mkdir -p "$1"
    version_of mosquitto >"$1/version"
}

for name in "${names[@]}"; do
    case $name in
        mosquitto | rabbitmq)
            # Debian may have updated it.
            folder=$root/$name
            "make_$name" "$folder"
            ;;
        hivemq) built hivemq hivemq/pom.xml hivemq/Broker.java hivemq/logback.xml ;;
        mochi) built mochi mochi/go.mod mochi/go.sum mochi/main.go ;;
        *)
            echo "build.sh knows no broker $name" >&2
            exit 1
            ;;
    esac
    echo "$folder"
done
