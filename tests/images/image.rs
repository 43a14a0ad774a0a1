//! An image as `make images` writes it: its configuration, its layers and its files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use serde_json::Value;

/// An image, unpacked into a folder of its own.
#[derive(Debug)]
pub(super) struct Image {
    folder: tempfile::TempDir,
    /// `index.json` of the archive.
    pub(super) index: Value,
    /// What to run, as whom, and what the image says about itself.
    pub(super) config: Value,
    /// Bytes that a node downloads.
    pub(super) compressed: u64,
}

impl Image {
    /// Unpacks `target/images/NAME.tar`.
    pub(super) fn open(name: &str) -> anyhow::Result<Self> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let archive = workspace.join(format!("target/images/{name}.tar"));
        anyhow::ensure!(
            archive.is_file(),
            "{} is missing; run `make images` first",
            archive.display()
        );
        let folder = tempfile::tempdir()?;
        let layout = folder.path().join("layout");
        let root = folder.path().join("root");
        std::fs::create_dir_all(&layout)?;
        std::fs::create_dir_all(&root)?;
        extract(&archive, &layout)?;
        let read = |path: &str| -> anyhow::Result<Value> {
            Ok(serde_json::from_slice(&std::fs::read(layout.join(path))?)?)
        };
        let index = read("index.json")?;
        let blob = |value: &Value| {
            let digest = value["digest"].as_str().unwrap_or_default();
            format!("blobs/{}", digest.replace(':', "/"))
        };
        let manifest = read(&blob(&index["manifests"][0]))?;
        let mut compressed = 0;
        let layers = manifest["layers"].as_array();
        for layer in layers.context("the manifest has no layers")? {
            let path = layout.join(blob(layer));
            compressed += path.metadata()?.len();
            extract(&path, &root)?;
        }
        let config = read(&blob(&manifest["config"]))?;
        Ok(Self {
            folder,
            index,
            config: config["config"].clone(),
            compressed,
        })
    }

    /// Its root file system.
    pub(super) fn root(&self) -> PathBuf {
        self.folder.path().join("root")
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
        let mut folders = vec![self.root()];
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
