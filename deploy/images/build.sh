#!/usr/bin/env bash
# Builds images without a registry or a daemon, from Debian's packages, PyPI's and this repository, into files that nodes
# import: `build.sh [--tag TAG] [--arch ARCH] [--profile PROFILE] [--refresh] [IMAGE...]` with IMAGEs operator, worker and
# worker-science, all by default. A TAG other than the version, or an ARCH other than this machine's, becomes part of the file's
# name. Cargo compiles by the PROFILE, release by default. What has not changed is not built again; --refresh takes Debian's
# packages of today. Needs root, for owners of files.
set -euo pipefail
shopt -s inherit_errexit
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."

own_arch=$(dpkg --print-architecture)
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
tag=$version arch=$own_arch profile=release refresh= images=()
usage() { # what is wrong
    sed -n '2,7s/^# //p' "$here/build.sh" >&2
    echo "$1" >&2
    exit 2
}
while [ $# -gt 0 ]; do
    case $1 in
    --tag) tag=${2-} && shift ;;
    --arch) arch=${2-} && shift ;;
    --profile) profile=${2-} && shift ;;
    --refresh) refresh=yes ;;
    --help) sed -n '2,7s/^# //p' "$here/build.sh" && exit ;;
    operator | worker | worker-science) images+=("$1") ;;
    *) usage "\"$1\" is neither an option nor an image" ;;
    esac
    shift || usage "An option lacks its value"
done
[[ $tag =~ ^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$ ]] || usage "\"$tag\" cannot be the tag of an image"
[[ $arch =~ ^(amd64|arm64)$ ]] || usage "Images are built for amd64 and arm64, not for \"$arch\""
[ ${#images[@]} -gt 0 ] || images=(operator worker worker-science)

"$here/tools.sh"
. "$here/store.sh"

root() { # name
    local parts=(root.sh merge-usr.sh finish-root.sh finish-worker.sh compile-python.sh "roots/$1" "roots/$1.left-out")
    cached "root-$1-$arch" "$(digest "${parts[@]}")" "$here/root.sh" "$1" "$arch"
}

packages() {
    cached "science-$arch" "$(digest science.sh science.txt compile-python.sh)" packages_archive
}

packages_archive() { # file
    "$here/science.sh" "$arch" "$work/science"
    tar --create --file "$1.part" --directory "$work/science" --sort=name --owner=0 --group=0 --mtime="@$time" .
    rm -r "$work/science"
    mv "$1.part" "$1"
}

build() { # image, program, variant
    local image=$1 program=$2 variant=$3 name=$1 reference root packages= key
    [ "$tag" = "$version" ] || name+=-$tag
    [ "$arch" = "$own_arch" ] || name+=-$arch
    reference=docker.io/library/edgemodel-$program:$tag
    [ "$variant" = plain ] || reference+=-$variant
    root=$(root "$program")
    [ "$variant" = plain ] || packages=$(packages)
    [ -d "$work/$program" ] || "$here/programs.sh" "$arch" "$profile" "$work/$program" "$program"
    local sources=(operator worker crds Cargo.toml Cargo.lock deploy)
    local revision
    revision=$(git log -1 --format=%H -- "${sources[@]}" 2>/dev/null || true)
    key=$({
        echo "$reference $revision"
        ls -l --time-style=+%s "$root" $packages
        sha256sum "deploy/Dockerfile.$program" deploy/images/{archive.py,build.sh,store.sh}
        (cd "$work/$program" && find . -type f -exec sha256sum {} +)
    } | sha256sum)
    if is_up_to_date "$name" "$key"; then
        return
    fi
    echo "Building $reference for $arch" >&2
    base "$root" "$program"
    [ -z "$packages" ] || mkdir -p "$work/packages"
    [ -z "$packages" ] || tar --extract --file "$packages" --directory "$work/packages"
    buildah bud --quiet --pull-never --timestamp "$time" --arch "$arch" --identity-label=false --omit-history \
        --file "deploy/Dockerfile.$program" --tag "localhost/$image" \
        --build-arg TARGETARCH="$arch" --build-arg BUILDARCH="$own_arch" --build-arg BASE="localhost/root-$program" --build-arg VARIANT="$variant" \
        --build-arg VERSION="$tag" --build-arg REVISION="$revision" \
        --build-context programs="$work/$program" --build-context packages="$work/packages" . >/dev/null
    export_image "$image" "$reference" "$name" "$key"
}

for image in "${images[@]}"; do
    case $image in
    operator) build operator operator plain ;;
    worker) build worker worker plain ;;
    worker-science) build worker-science worker science ;;
    esac
done
