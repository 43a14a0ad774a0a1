#!/usr/bin/env bash
# Builds the programs of images: `programs.sh ARCH PROFILE FOLDER IMAGE`, where an IMAGE is operator or worker, and the FOLDER
# gets what belongs into the image's root. For another machine's ARCH it takes a C compiler for that machine.
set -euo pipefail
cd "$(dirname "$0")/../.."
. deploy/images/machine.sh
arch=$1 profile=$2 folder=$3 image=$4

machine=$(machine "$arch")
options=(--locked --quiet --profile "$profile")
built=$profile
if [ "$machine" != "$(machine "$(uname -m)")" ]; then
    target=$machine-unknown-linux-gnu
    compiler=$machine-linux-gnu-gcc
    if ! command -v "$compiler" >/dev/null; then
        echo "Programs for $arch take the C compiler $compiler; on Debian, install crossbuild-essential-$arch" >&2
        exit 1
    fi
    if [ ! -d "$(rustc --print sysroot)/lib/rustlib/$target" ]; then
        rustup --quiet target add "$target"
    fi
    upper=$(echo "$target" | tr 'a-z-' 'A-Z_')
    export "CARGO_TARGET_${upper}_LINKER=$compiler" "CC_${target//-/_}=$compiler"
    options+=(--target "$target")
    built=$target/$profile
fi

put() { # file, its place
    install -D --mode "$3" "$1" "$folder/$2"
}
rm -rf "$folder"
if [ "$image" = operator ]; then
    cargo build "${options[@]}" --package operator
    put "target/$built/edgemodel-operator" usr/local/bin/edgemodel-operator 755
else
    cargo build "${options[@]}" --package worker
    PYO3_BUILD_EXTENSION_MODULE=1 PYO3_NO_PYTHON=1 \
        cargo build "${options[@]}" --package host --target-dir target/host
    put "target/$built/edgemodel" usr/local/bin/edgemodel 755
    put "target/host/$built/lib_edgemodel_host.so" usr/local/lib/edgemodel/_edgemodel_host.abi3.so 644
    (cd worker/host && find python -name '*.py') | while read -r file; do
        put "worker/host/$file" "usr/local/lib/edgemodel/$file" 644
    done
    mkdir "$folder/models"
fi
put LICENSE usr/local/share/doc/edgemodel/LICENSE 644
