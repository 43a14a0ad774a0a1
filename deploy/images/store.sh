# For scripts that make images with buildah, without a registry or a daemon. They run in the root of the repository, and have set
# `refresh` to take what is kept once more, or to nothing.

output=target/images
cache=${XDG_CACHE_HOME:-$HOME/.cache}/edgemodel/images
mkdir -p "$output" "$cache"
# Two builds at once would write the same files.
exec 9>"$output/lock"
flock 9
work=$(mktemp --directory "$PWD/$output/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
export BUILDAH_ISOLATION=chroot
buildah() {
    command buildah --storage-driver vfs --root "$work/storage" --runroot "$work/run" --registries-conf /dev/null "$@"
}
# All layers have this time, so that the same content is the same layer in each version; Debian bookworm's.
time=1686355200

digest() { # of files, independent of where they are
    (cd "$here" && sha256sum "$@") | sha256sum | cut -c 1-16
}

# Keeps what a script makes under the digest of what it is made of; prints its path.
cached() { # name, digest, script, its arguments
    local file=$cache/$1-$2.tar made=$work/$1.made
    shift 2
    (
        # Other builds on this machine keep theirs in the same place.
        flock 8
        if [ ! -e "$file" ] || { [ -n "$refresh" ] && [ ! -e "$made" ]; }; then
            echo "Making $(basename "$file")" >&2
            "$@" "$file" >&2
            touch "$made"
        fi
    ) 8>"$cache/lock"
    echo "$file"
}

base() { # archive of a root file system, name, options of `buildah config`...
    if buildah inspect --type image "localhost/root-$2" >/dev/null 2>&1; then
        return
    fi
    local container
    container=$(buildah from --arch "$arch" scratch)
    buildah add --quiet "$container" "$1" / >/dev/null
    [ $# -eq 2 ] || buildah config "${@:3}" "$container"
    buildah commit --quiet --timestamp "$time" --identity-label=false --omit-history "$container" "localhost/root-$2" >/dev/null
    buildah rm "$container" >/dev/null
}

# Writes the file that nodes import, and the key that says what it was made of.
export_image() { # image, its reference, name of the file, key
    buildah push --quiet --compression-format gzip "localhost/$1" "oci:$work/$1.oci:latest"
    python3 deploy/images/archive.py write "$work/$1.oci" "$2" "$output/$3.tar.part"
    mv "$output/$3.tar.part" "$output/$3.tar"
    echo "$4" >"$output/$3.key"
    echo "Wrote $output/$3.tar" >&2
}

is_up_to_date() { # name of the file, key
    [ -e "$output/$1.tar" ] && [ "$(cat "$output/$1.key" 2>/dev/null)" = "$2" ] || return 1
    echo "$output/$1.tar is up to date" >&2
}
