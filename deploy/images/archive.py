"""Packs a folder in the OCI image layout into one file that containerd, Docker and Podman load, the same bytes each time:
`archive.py write FOLDER NAME FILE`; or tells the sizes of such files: `archive.py sizes FILE...`."""

import gzip
import io
import json
import sys
import tarfile
from pathlib import Path


def write(folder: str, name: str, file: str) -> None:
    blobs = Path(folder, "blobs", "sha256")

    def blob(descriptor: dict) -> str:
        return "blobs/sha256/" + descriptor["digest"].removeprefix("sha256:")

    index = json.loads(Path(folder, "index.json").read_text())
    [image] = index["manifests"]
    # For containerd; for Podman and skopeo.
    image["annotations"] = {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name}
    manifest = json.loads((blobs / blob(image).rsplit("/")[-1]).read_text())
    # For Docker, whose names leave out its own registry.
    docker = {
        "Config": blob(manifest["config"]),
        "RepoTags": [name.removeprefix("docker.io/library/")],
        "Layers": [blob(layer) for layer in manifest["layers"]],
    }
    members = {f"blobs/sha256/{path.name}": path.read_bytes() for path in blobs.iterdir()}
    members["oci-layout"] = b'{"imageLayoutVersion": "1.0.0"}'
    members["index.json"] = json.dumps(index).encode()
    members["manifest.json"] = json.dumps([docker]).encode()
    with tarfile.open(file, "w", format=tarfile.USTAR_FORMAT) as archive:
        for path, content in sorted(members.items(), reverse=True):
            member = tarfile.TarInfo(path)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def sizes(files: list[str]) -> None:
    print(f"{'image':42} {'compressed':>12} {'unpacked':>12}")
    for file in files:
        with tarfile.open(file) as archive:

            def read(path: str) -> bytes:
                return archive.extractfile(path).read()

            [image] = json.loads(read("manifest.json"))
            layers = [read(layer) for layer in image["Layers"]]
        compressed = sum(map(len, layers))
        unpacked = sum(len(gzip.decompress(layer)) for layer in layers)
        [name] = image["RepoTags"]
        print(f"{name:42} {compressed / 1e6:9.1f} MB {unpacked / 1e6:9.1f} MB")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["write", folder, name, file]:
            write(folder, name, file)
        case ["sizes", *files] if files:
            sizes(files)
        case _:
            sys.exit(__doc__)
