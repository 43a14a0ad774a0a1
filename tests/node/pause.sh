#!/bin/sh
# Writes the image of which pods begin: `pause.sh NAME FILE`. It holds Debian's static busybox and sleeps.
set -eu
name=$1
file=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/root/bin"
cp "$(command -v busybox)" "$folder/root/bin/busybox"
tar -C "$folder/root" --owner=0 --group=0 -cf "$folder/layer.tar" .
sum=$(sha256sum "$folder/layer.tar" | cut -d ' ' -f 1)
architecture=$(dpkg --print-architecture)
cat >"$folder/config.json" <<END
{
  "architecture": "$architecture", "os": "linux",
  "config": { "Entrypoint": ["/bin/busybox", "sleep", "2147483647"] },
  "rootfs": { "type": "layers", "diff_ids": ["sha256:$sum"] }
}
END
cat >"$folder/manifest.json" <<END
[{ "Config": "config.json", "RepoTags": ["$name"], "Layers": ["layer.tar"] }]
END
tar -C "$folder" -cf "$file" manifest.json config.json layer.tar
