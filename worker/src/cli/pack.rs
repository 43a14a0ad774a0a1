//! `edgemodel pack`: a model's folder as the zip that a configuration refers to.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::json;

use super::{End, print};
use crate::model::pack::pack;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The folder that holds index.py.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The zip to write. Default: the folder's name with .zip, in the current folder.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print one JSON document instead of text.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<End> {
    let output = match &arguments.output {
        Some(output) => output.clone(),
        None => default_output(&arguments.folder)?,
    };
    let packed = pack(&arguments.folder, &output).context("failed to pack")?;
    let path = packed.path.display().to_string();
    if arguments.json {
        let document = json!({
            "path": path,
            "modelMd5": packed.md5.to_string(),
            "modelSha256": packed.sha256.to_string(),
            "size": packed.size,
            "files": packed.files,
        });
        return print(&format!("{document:#}\n"));
    }
    print(&format!(
        "{path}: {} files, {} bytes\n  modelMd5: {}\n  modelSha256: {}\n",
        packed.files.len(),
        packed.size,
        packed.md5,
        packed.sha256,
    ))
}

fn default_output(folder: &Path) -> anyhow::Result<PathBuf> {
    let folder = folder
        .canonicalize()
        .with_context(|| format!("failed to find {}", folder.display()))?;
    let name = folder
        .file_name()
        .context("the root folder has no name; give --output")?;
    let mut name = name.to_owned();
    name.push(".zip");
    Ok(name.into())
}
