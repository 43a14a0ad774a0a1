#!/usr/bin/env bash
# Installs what building images needs and this machine lacks, as root on Debian; elsewhere says what it is.
set -euo pipefail
. "$(dirname "$0")/packages.sh"

need buildah buildah
need mmdebstrap mmdebstrap
need flock util-linux
need python3 python3
python3 -c 'import pip' 2>/dev/null || packages+=(python3-pip)

if [ "$(id -u)" -ne 0 ]; then
    echo "Images are built as root; with Docker, see docs/images.md" >&2
    exit 1
fi
install_packages "Building images needs" "; or Docker, see docs/images.md"
