#!/usr/bin/env bash
# Makes the images of tests/images/any_image.rs: the static worker, by the Dockerfile of docs/images.md, on bases that have nothing
# of edgemodel. `any.sh [ARCH]` writes target/images/any-*.tar.
set -euo pipefail
shopt -s inherit_errexit
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."

own_arch=$(dpkg --print-architecture)
arch=${1:-$own_arch} refresh=
static=target/static-quick
deploy/images/tools.sh
deploy/images/static.sh --profile quick --to "$static/$arch" "$arch"
. deploy/images/store.sh

# The block that copies a folder; the folder and the base are what users choose.
awk '/^```Dockerfile$/ { inside = 1; text = ""; next }
    /^```$/ { if (inside && text ~ /\nCOPY amd64 /) { printf "%s", text; exit } inside = 0 }
    inside { text = text $0 "\n" }' docs/images.md >"$work/Dockerfile.docs"
if [ "$(wc -l <"$work/Dockerfile.docs")" != 4 ]; then
    echo "docs/images.md has no Dockerfile of four lines with \"COPY amd64\"" >&2
    exit 1
fi

build() { # base
    local image=any-$1 name=any-$1 root key
    [ "$arch" = "$own_arch" ] || name+=-$arch
    root=$(cached "root-$image-$arch" "$(digest "$1.sh")" "$here/$1.sh" "$arch")
    key=$({
        ls -l --time-style=+%s "$root"
        sha256sum "$work/Dockerfile.docs" tests/images/any.sh deploy/images/{archive.py,store.sh}
        (cd "$static/$arch" && find . -type f -exec sha256sum {} + | sort)
    } | sha256sum)
    if is_up_to_date "$name" "$key"; then
        return
    fi
    echo "Building $name" >&2
    base "$root" "$image" --env PATH=/usr/local/bin:/usr/bin:/bin
    sed "s|^FROM .*|FROM localhost/root-$image|; s|^COPY amd64 |COPY $arch |" "$work/Dockerfile.docs" >"$work/Dockerfile"
    buildah bud --quiet --pull-never --timestamp "$time" --arch "$arch" --file "$work/Dockerfile" --tag "localhost/$image" "$static" >/dev/null
    export_image "$image" "docker.io/library/edgemodel-$image:test" "$name" "$key"
}

build old-glibc
# musl's CPython is compiled, which only this machine's compiler does.
[ "$arch" != "$own_arch" ] || build musl
