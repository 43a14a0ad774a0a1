#!/usr/bin/env bash
# Makes an image's root file system of unpacked packages, as their scripts would if they ran: `finish-root.sh FOLDER NAME`.
set -euo pipefail
shopt -s nullglob
here=$(cd "$(dirname "$0")" && pwd)
root=$1 name=$2

# Scanners read here which packages an image holds.
status=$root/var/lib/dpkg/status.d
mkdir -p "$status"
for archive in "$root"/var/cache/apt/archives/*.deb; do
    package=$(dpkg-deb --field "$archive" Package)
    if ! grep -qx "$package" "$here/roots/$name.left-out"; then
        dpkg-deb --field "$archive" >"$status/$package"
        continue
    fi
    dpkg-deb --fsys-tarfile "$archive" | tar --list | while read -r path; do
        [ -d "$root/$path" ] && [ ! -L "$root/$path" ] || rm -f "$root/$path"
    done
done
cat "$root"/usr/share/ca-certificates/mozilla/*.crt >"$root/ca-certificates.crt"

# Keep licences; remove files of package managers, of the build machine and for booting.
find "$root/usr/share/doc" -type f ! -name copyright -delete
(
    cd "$root"
    rm -rf boot dev home media mnt opt run srv sys tmp
    rm -rf var/{backups,cache,local,log,mail,opt,spool} var/lib/{apt,pam,systemd}
    find var/lib/dpkg -mindepth 1 -maxdepth 1 ! -name status.d -exec rm -rf {} +
    rm -rf etc/{alternatives,apt,binfmt.d,bindresvport.blacklist,ca-certificates,cron.daily,debconf.conf,default,dpkg,fstab,gss} \
        etc/{hostname,init.d,ld.so.conf,ld.so.conf.d,logrotate.d,netconfig,resolv.conf,rmt,rpc,ssl}
    rm -rf usr/{games,include,libexec,src} usr/lib/{binfmt.d,init,mime,systemd,valgrind} usr/lib/*/{engines-3,gconv,krb5,ossl-modules}
    rm -rf usr/share/{applications,bash-completion,binfmts,bug,ca-certificates,debconf,doc-base,dpkg,gcc,gdb,info,initramfs-tools} \
        usr/share/{libc-bin,lintian,locale,man,menu,mime,perl5,pixmaps,polkit-1,readline,zsh}
    rm -rf usr/sbin/update-ca-certificates usr/share/zoneinfo/{posix,right}
    find usr -type d -empty -delete
    mkdir -p usr/{bin,lib,sbin} dev etc/ssl/certs proc root run sys tmp
    chmod 1777 tmp
    mv ca-certificates.crt etc/ssl/certs/
)

cat >"$root/etc/passwd" <<'END'
root:x:0:0:root:/root:/usr/sbin/nologin
nonroot:x:65532:65532:nonroot:/tmp:/usr/sbin/nologin
END
cat >"$root/etc/group" <<'END'
root:x:0:
nonroot:x:65532:
END
echo "hosts: files dns" >"$root/etc/nsswitch.conf"
[ "$name" != worker ] || "$here/finish-worker.sh" "$root"

# No program may change its user.
find "$root" -type f -perm /6000 -exec chmod ug-s {} +
