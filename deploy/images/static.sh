#!/usr/bin/env bash
# Builds the worker as a static program for any Linux image, with both model hosts beside it: `static.sh [--profile PROFILE]
# [--to FOLDER] ARCH` with an ARCH amd64 or arm64 writes what belongs into /opt/edgemodel to FOLDER, target/static/ARCH by
# default. Zig compiles the C code of crates for musl, and links the native host for glibc 2.17.
set -euo pipefail
shopt -s inherit_errexit
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
. "$here/machine.sh"

profile=release folder=
while [ $# -gt 1 ]; do
    case $1 in
    --profile) profile=$2 ;;
    --to) folder=$2 ;;
    *) echo "\"$1\" is not an option of $0" >&2 && exit 2 ;;
    esac
    shift 2
done
arch=${1-}
machine=$(machine "$arch")
folder=${folder:-target/static/$arch}
static=$machine-unknown-linux-musl native=$machine-unknown-linux-gnu

zig=$("$here/zig.sh")
export PATH=$zig/bin:$PATH CARGO_ZIGBUILD_ZIG_PATH=$zig/ziglang/zig
for target in "$static" "$native"; do
    [ -d "$(rustc --print sysroot)/lib/rustlib/$target" ] || rustup --quiet target add "$target"
done
options=(--locked --quiet --profile "$profile")
cargo zigbuild "${options[@]}" --package worker --bin edgemodel --target "$static"
PYO3_BUILD_EXTENSION_MODULE=1 PYO3_NO_PYTHON=1 \
    cargo zigbuild "${options[@]}" --package host --target "$native.2.17" --target-dir target/host

rm -rf "$folder"
put() { # file, its place
    install -D --mode "$3" "$1" "$folder/$2"
}
put "target/$static/$profile/edgemodel" edgemodel 755
put "target/host/$native/$profile/lib_edgemodel_host.so" _edgemodel_host.abi3.so 644
(cd worker/host && find python -name '*.py') | while read -r file; do
    put "worker/host/$file" "$file" 644
done
put LICENSE LICENSE 644
