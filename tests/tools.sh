#!/usr/bin/env bash
# Installs what the tests need and this machine lacks, as root on Debian; elsewhere says what it is.
# `tools.sh node`: what `make test-node` needs besides.
set -euo pipefail

packages=()
need() { # program, package
    PATH="$PATH:/usr/sbin" command -v "$1" >/dev/null || packages+=("$2")
}
need python3 python3
need mosquitto mosquitto
need mosquitto_passwd mosquitto
need promtool prometheus
need flock util-linux
need faketime faketime
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
python3 -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3-venv)

if [ ${#packages[@]} -eq 0 ]; then
    exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "The tests need what these Debian packages hold: ${packages[*]}" >&2
    exit 1
fi
# Debian starts what it installs; the tests start their own brokers.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    trap 'rm -f "$policy"' EXIT
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
