#!/usr/bin/env bash
# Installs the packages of science.txt for the worker's image: `science.sh ARCH FOLDER`; the FOLDER gets what belongs into
# the image's root. Wheels are only unpacked, so it needs no emulation for another machine's architecture.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
arch=$1 folder=$2

# Debian bookworm's, see roots/worker.
version=3.11
case $arch in
amd64) machine=x86_64 ;;
arm64) machine=aarch64 ;;
*)
    echo "Images are built for amd64 and arm64, not for \"$arch\"" >&2
    exit 1
    ;;
esac
platforms=()
for minor in 36 35 34 31 28 27 26 24 17; do
    platforms+=(--platform "manylinux_2_${minor}_$machine")
done
packages=$folder/usr/local/lib/python$version/dist-packages
rm -rf "$folder"
mkdir -p "$packages"
# Its hints about this machine's own packages are beside the point here.
PIP_ROOT_USER_ACTION=ignore python3 -m pip --quiet --disable-pip-version-check install --target "$packages" --no-deps \
    --only-binary=:all: --no-compile --implementation cp --python-version "$version" "${platforms[@]}" \
    --platform "manylinux2014_$machine" --requirement "$here/science.txt"
# Programs that name this machine's interpreter, and the packages' own tests, which are a quarter of it.
rm -rf "$packages/bin"
find "$packages" -type d -name tests -prune -exec rm -rf {} +
"$here/compile-python.sh" "$folder" "$packages" "$version"
