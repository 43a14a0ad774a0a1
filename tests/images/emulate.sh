#!/usr/bin/env bash
# Lets the kernel start programs of another architecture by QEMU, as root on Debian: `emulate.sh ARCH`. Until the next start of
# the machine.
set -euo pipefail
. "$(dirname "$0")/../../deploy/images/packages.sh"
. "$(dirname "$0")/../../deploy/images/machine.sh"
machine=$(machine "$1")
[ "$machine" != "$(uname -m)" ] || exit 0

qemu=qemu-$machine-static
(need "$qemu" qemu-user-static && install_packages "Programs for $1 need")
handlers=/proc/sys/fs/binfmt_misc
[ -e "$handlers/register" ] || mount -t binfmt_misc binfmt_misc "$handlers"
for handler in "$handlers"/qemu-"$machine"*; do
    if [ -e "$handler" ] && grep --quiet '^enabled' "$handler" && grep --quiet '^flags:.*F' "$handler"; then
        exit 0
    fi
done
case $machine in
aarch64) number='\xb7' ;;
x86_64) number='\x3e' ;;
esac
# A little-endian program of 64 bits for this machine, of any system, of fixed or any address. By F, the kernel opens QEMU now, so
# that it need not be in the root file system of the program.
magic="\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00$number\x00"
mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
printf '%s' ":qemu-$machine-edgemodel:M::$magic:$mask:$(command -v "$qemu"):F" >"$handlers/register"
