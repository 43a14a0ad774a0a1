//! What is in the images, and what must not be.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::image::Image;

/// All that there are.
pub(super) const IMAGES: [&str; 3] = ["operator", "worker", "worker-science"];

#[test]
fn images_are_small() -> anyhow::Result<()> {
    for (name, megabytes) in [("operator", 25), ("worker", 70), ("worker-science", 150)] {
        let size = Image::open(name)?.compressed;
        assert!(size <= megabytes * 1_000_000, "{name} has {size} bytes");
    }
    Ok(())
}

#[test]
fn images_say_what_they_are_and_run_as_nobody() -> anyhow::Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    for (name, program, tag) in [
        ("operator", "edgemodel-operator", version.to_owned()),
        ("worker", "edgemodel", version.to_owned()),
        ("worker-science", "edgemodel", format!("{version}-science")),
    ] {
        let image = Image::open(name)?;
        let title = name.split('-').next().unwrap_or_default();
        let reference = format!("docker.io/library/edgemodel-{title}:{tag}");
        let annotations = &image.index["manifests"][0]["annotations"];
        assert_eq!(annotations["io.containerd.image.name"], reference);
        let labels = &image.config["Labels"];
        for (label, value) in [
            ("title", format!("edgemodel-{title}")),
            ("version", version.to_owned()),
            (
                "source",
                "https://github.com/edgemodel/edgemodel".to_owned(),
            ),
            ("licenses", "Apache-2.0".to_owned()),
        ] {
            let label = format!("org.opencontainers.image.{label}");
            assert_eq!(labels[&label], value, "{label} of {name}");
        }
        assert!(!labels["org.opencontainers.image.description"].is_null());
        assert_eq!(image.config["User"], "65532:65532");
        assert_eq!(image.config["Entrypoint"], json!([program]));
        assert!(!image.root().join("root/.cache").exists());
    }
    Ok(())
}

/// Whatever gets into a container has nothing to build with, to become root with, or to install more with.
#[test]
fn nothing_compiles_installs_or_changes_users() -> anyhow::Result<()> {
    let unwanted = [
        "apt", "apt-get", "as", "c++", "cargo", "cc", "clang", "dpkg", "g++", "gcc", "ld", "make",
        "mount", "passwd", "perl", "rustc", "su", "sudo", "umount",
    ];
    for name in IMAGES {
        let image = Image::open(name)?;
        for path in image.files()? {
            let metadata = path.symlink_metadata()?;
            let mode = metadata.permissions().mode();
            let inside = path.strip_prefix(image.root())?.to_owned();
            let file = inside.file_name().unwrap_or_default().to_string_lossy();
            assert_eq!(
                mode & 0o6000,
                0,
                "{name}: {} changes users",
                inside.display()
            );
            let programs = ["usr/bin", "usr/sbin", "usr/local/bin"];
            let is_program = programs
                .iter()
                .any(|folder| inside.parent() == Some(Path::new(folder)));
            assert!(
                !(is_program && unwanted.contains(&&*file)),
                "{name}: {}",
                inside.display()
            );
            if name == "operator" {
                assert!(!["sh", "bash", "dash", "busybox", "python3"].contains(&&*file));
            }
            let (owner, writable) = if inside.starts_with("var/lib/edgemodel") {
                (65_532, false)
            } else {
                (0, inside == Path::new("tmp"))
            };
            assert_eq!(
                (metadata.uid(), metadata.gid()),
                (owner, owner),
                "{name}: {}",
                inside.display()
            );
            if !metadata.is_symlink() {
                assert_eq!(mode & 0o002 != 0, writable, "{name}: {}", inside.display());
            }
        }
    }
    Ok(())
}

#[test]
fn nothing_of_the_machine_that_built_them_is_in_them() -> anyhow::Result<()> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()?;
    let workspace = workspace.display().to_string();
    for name in IMAGES {
        let image = Image::open(name)?;
        for path in [
            "etc/resolv.conf",
            "etc/hostname",
            "etc/apt",
            "var/cache",
            "var/lib/apt",
            "var/log",
        ] {
            assert!(!image.root().join(path).exists(), "{name}: {path}");
        }
        for folder in ["etc", "usr/local/lib/python3.11", "usr/lib/python3"] {
            let found = Command::new("grep")
                .args([
                    "--recursive",
                    "--files-with-matches",
                    "--fixed-strings",
                    "--max-count=1",
                ])
                .arg(&workspace)
                .arg(image.root().join(folder))
                .output()?;
            assert!(
                found.stdout.is_empty(),
                "{name}: {}",
                String::from_utf8_lossy(&found.stdout)
            );
        }
    }
    Ok(())
}

/// What vulnerability scanners read.
#[test]
fn images_list_their_packages_and_keep_the_licences() -> anyhow::Result<()> {
    for name in IMAGES {
        let image = Image::open(name)?;
        let root = image.root();
        let mut count = 0;
        for entry in std::fs::read_dir(root.join("var/lib/dpkg/status.d"))? {
            let package = entry?.file_name().to_string_lossy().into_owned();
            let licence = root.join("usr/share/doc").join(&package);
            // A link to the folder of a package of the same source.
            assert!(
                licence.symlink_metadata().is_ok(),
                "{name}: {package} has no licence"
            );
            count += 1;
        }
        assert!(count >= 4, "{name} lists {count} packages");
        assert!(root.join("usr/local/share/doc/edgemodel/LICENSE").is_file());
    }
    Ok(())
}
