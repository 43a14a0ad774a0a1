#!/usr/bin/env bash
# Installs what the tests need and this machine lacks, as root on Debian; elsewhere says what it is.
# `tools.sh node`, `tools.sh console`: what `make test-node` and `make test-console` need besides.
set -euo pipefail
. "$(dirname "$0")/../deploy/images/packages.sh"

need python3 python3
need mosquitto mosquitto
need mosquitto_passwd mosquitto
need promtool prometheus
need flock util-linux
need faketime faketime
need mariadbd mariadb-server
need nginx nginx-light
need lua5.1 lua5.1
[ -d /usr/lib/postgresql ] || packages+=(postgresql)
need readelf binutils
# For libFuzzer.
need c++ g++
if [ "${1:-}" = node ]; then
    need unshare util-linux
    need ip iproute2
    need iptables iptables
    need containerd containerd
    need runc runc
    need busybox busybox-static
    [ -x /usr/lib/cni/bridge ] || packages+=(containernetworking-plugins)
fi
if [ "${1:-}" = console ]; then
    need chromium chromium
    need chromedriver chromium-driver
    [ -d /usr/share/fonts/opentype/noto ] || packages+=(fonts-noto-cjk)
fi
python3 -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3-venv)

install_packages "The tests need"
