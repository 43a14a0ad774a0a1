//! An image as `make images` writes it: its configuration, its layers and its files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use rustix::fs::{FlockOperation, flock};
use serde_json::Value;

/// The architecture of the images to test, where it is not this machine's.
const ARCH: &str = "EDGEMODEL_TEST_ARCH";

/// An image, unpacked.
#[derive(Debug)]
pub(super) struct Image {
    root: PathBuf,
    /// `index.json` of the archive.
    pub(super) index: Value,
    /// What to run, as whom, and what the image says about itself.
    pub(super) config: Value,
    /// The architecture that it says it is for.
    pub(super) architecture: String,
    /// Bytes that a node downloads.
    pub(super) compressed: u64,
}

impl Image {
    /// Unpacks `target/images/NAME.tar`, or `NAME-ARCH.tar`, once for all tests.
    pub(super) fn open(name: &str) -> anyhow::Result<Self> {
        let name = match std::env::var(ARCH) {
            Ok(arch) if !arch.is_empty() => format!("{name}-{arch}"),
            _ => name.to_owned(),
        };
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let archive = workspace.join(format!("target/images/{name}.tar"));
        let metadata = archive
            .metadata()
            .with_context(|| format!("{}; run `make images` first", archive.display()))?;
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("images")
            .join(&name);
        let (layout, root) = (folder.join("layout"), folder.join("root"));
        std::fs::create_dir_all(&folder)?;
        // Tests run in several threads.
        let lock = std::fs::File::create(folder.join("lock"))?;
        flock(&lock, FlockOperation::LockExclusive)?;
        let unpacked = folder.join("unpacked");
        let version = format!("{:?}", metadata.modified()?);
        let fresh = std::fs::read_to_string(&unpacked).is_ok_and(|text| text == version);
        if !fresh {
            for folder in [&layout, &root] {
                if folder.exists() {
                    std::fs::remove_dir_all(folder)?;
                }
                std::fs::create_dir(folder)?;
            }
            extract(&archive, &layout)?;
        }
        let read = |path: &str| -> anyhow::Result<Value> {
            Ok(serde_json::from_slice(&std::fs::read(layout.join(path))?)?)
        };
        let index = read("index.json")?;
        let manifest = read(&blob(&index["manifests"][0]))?;
        let mut compressed = 0;
        let layers = manifest["layers"].as_array();
        for layer in layers.context("the manifest has no layers")? {
            let path = layout.join(blob(layer));
            compressed += path.metadata()?.len();
            if !fresh {
                extract(&path, &root)?;
            }
        }
        let config = read(&blob(&manifest["config"]))?;
        std::fs::write(unpacked, version)?;
        Ok(Self {
            root,
            index,
            config: config["config"].clone(),
            architecture: config["architecture"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            compressed,
        })
    }

    /// Its root file system.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Whether this machine runs it by an emulator.
    pub(super) fn is_foreign(&self) -> bool {
        let own = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        self.architecture != own
    }

    /// A list of texts in its configuration.
    pub(super) fn texts(&self, field: &str) -> Vec<String> {
        let list = self.config[field].as_array();
        let texts = list.into_iter().flatten().filter_map(Value::as_str);
        texts.map(ToOwned::to_owned).collect()
    }

    /// Its environment.
    pub(super) fn environment(&self) -> BTreeMap<String, String> {
        let pairs = self.texts("Env");
        let pairs = pairs.iter().filter_map(|pair| pair.split_once('='));
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    /// Everything in it but `/`, without following links.
    pub(super) fn files(&self) -> anyhow::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder)? {
                let path = entry?.path();
                if path.symlink_metadata()?.is_dir() {
                    folders.push(path.clone());
                }
                files.push(path);
            }
        }
        Ok(files)
    }
}

/// The path of what a descriptor describes.
fn blob(descriptor: &Value) -> String {
    let digest = descriptor["digest"].as_str().unwrap_or_default();
    format!("blobs/{}", digest.replace(':', "/"))
}

fn extract(archive: &Path, folder: &Path) -> anyhow::Result<()> {
    let status = Command::new("tar")
        .args(["--extract", "--numeric-owner", "--same-permissions"])
        .arg("--file")
        .arg(archive)
        .arg("--directory")
        .arg(folder)
        .status()?;
    anyhow::ensure!(status.success(), "cannot unpack {}", archive.display());
    Ok(())
}
