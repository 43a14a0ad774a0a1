# For scripts that install the Debian packages whose programs this machine lacks, as root on Debian; elsewhere they say which.

packages=()
need() { # program, package
    PATH="$PATH:/usr/sbin" command -v "$1" >/dev/null || packages+=("$2")
}

install_packages() { # who needs them, alternative for users without Debian
    if [ ${#packages[@]} -eq 0 ]; then
        return
    fi
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "$1 what these Debian packages hold: ${packages[*]}${2:-}" >&2
        exit 1
    fi
    # Debian would start installed services.
    local policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod +x "$policy"
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
}
