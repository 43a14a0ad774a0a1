#!/usr/bin/env bash
# Installs what building images needs and this machine lacks, as root on Debian; elsewhere says what it is.
set -euo pipefail

packages=()
need() { # program, package
    PATH="$PATH:/usr/sbin" command -v "$1" >/dev/null || packages+=("$2")
}
need buildah buildah
need mmdebstrap mmdebstrap
need flock util-linux
need python3 python3
python3 -c 'import pip' 2>/dev/null || packages+=(python3-pip)

if [ "$(id -u)" -ne 0 ]; then
    echo "Images are built as root; with Docker, see docs/images.md" >&2
    exit 1
fi
if [ ${#packages[@]} -eq 0 ]; then
    exit 0
fi
if ! command -v apt-get >/dev/null; then
    echo "Building images needs what these Debian packages hold: ${packages[*]}; or Docker, see docs/images.md" >&2
    exit 1
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
