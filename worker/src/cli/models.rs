//! `edgemodel models`: lists and prunes the models directory.

use std::path::PathBuf;

use anyhow::Context as _;
use crds::contract::{argument, env};
use packages::{KEPT_VERSIONS, Store, Version};
use serde_json::json;

use super::{End, print};
use crate::settings;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List the installed versions of models, those of one model together, the last used first.
    Ls(Directory),
    /// Delete old versions. Versions that a worker serves are kept.
    Prune {
        #[command(flatten)]
        directory: Directory,
        /// Number of versions to keep of each model.
        #[arg(long, value_name = "N", default_value_t = KEPT_VERSIONS)]
        keep: usize,
        /// List what would be deleted.
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Debug, clap::Args)]
struct Directory {
    /// Directory of models. Default: edgemodel/models in the user's cache directory.
    #[arg(long = argument::MODELS_DIR, value_name = "DIR", env = env::MODELS_DIR)]
    models_dir: Option<PathBuf>,
    /// Print JSON instead of text.
    #[arg(long)]
    json: bool,
}

impl Directory {
    fn open(&self) -> anyhow::Result<Store> {
        let directory = self.models_dir.clone();
        let directory = directory.unwrap_or_else(settings::default_models_dir);
        // Opening would create it.
        anyhow::ensure!(
            directory.is_dir(),
            "{} isn't a folder; set --models-dir",
            directory.display()
        );
        Store::open(&directory).with_context(|| format!("failed to open {}", directory.display()))
    }
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<End> {
    match &arguments.action {
        Action::Ls(directory) => show(&directory.open()?.versions()?, directory.json),
        Action::Prune {
            directory,
            keep,
            dry_run,
        } => {
            let store = directory.open()?;
            let versions = if *dry_run {
                store.prunable(*keep)?
            } else {
                store.prune(*keep)?
            };
            show(&versions, directory.json)
        }
    }
}

fn show(versions: &[Version], as_json: bool) -> anyhow::Result<End> {
    if as_json {
        let list: Vec<_> = versions.iter().map(document).collect();
        return print(&format!("{:#}\n", json!(list)));
    }
    let mut text = String::new();
    for version in versions {
        let manifest = &version.manifest;
        let model = manifest.model.as_deref().unwrap_or("-");
        let in_use = if version.in_use { "  in use" } else { "" };
        text += &format!(
            "{model}  {}  {} bytes  used {}  {}{in_use}\n",
            manifest.sha256,
            manifest.size,
            used(version),
            manifest.address,
        );
    }
    print(&text)
}

fn document(version: &Version) -> serde_json::Value {
    let manifest = &version.manifest;
    json!({
        "model": manifest.model,
        "sha256": manifest.sha256,
        "md5": manifest.md5,
        "size": manifest.size,
        "address": manifest.address,
        "installed": manifest.installed_at,
        "used": used(version),
        "inUse": version.in_use,
        "folder": version.folder.display().to_string(),
    })
}

/// RFC 3339, in whole seconds.
fn used(version: &Version) -> String {
    jiff::Timestamp::try_from(version.used)
        .ok()
        .and_then(|time| time.round(jiff::Unit::Second).ok())
        .map_or_else(|| "-".to_owned(), |time| time.to_string())
}
