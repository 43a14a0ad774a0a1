//! `edgemodel pack`: writes the zip of a model's folder, after a trial run.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use hosts::samples::{self, Sample};
use packages::pack;
use serde_json::json;

use crate::telemetry::{self, LogFormat};

use super::trial::{Trial, Tried, told};
use super::{End, print};

/// A call that takes longer counts as failed.
const CALL_TIMEOUT: Duration = Duration::from_mins(1);

const EXAMPLES: &str = "\
Examples:
  edgemodel pack models/industry                        writes industry.zip and prints its digests
  edgemodel pack models/industry --python .venv/bin/python";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Folder that holds index.py.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Zip file to write. Default: the folder's name with .zip, in the current folder.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Python interpreter with the packages that the model imports. Default: EDGEMODEL_PYTHON, else
    /// python3.
    #[arg(long, value_name = "PROGRAM")]
    python: Option<String>,
    /// Skip the import of the model and its samples.
    #[arg(long)]
    no_import: bool,
    /// Print JSON instead of text.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<End> {
    let output = match &arguments.output {
        Some(output) => output.clone(),
        None => default_output(&arguments.folder)?,
    };
    let samples = samples::read(&arguments.folder)?;
    if !arguments.no_import && arguments.folder.join("index.py").is_file() {
        try_out(arguments, &samples)?;
    }
    let packed = pack(&arguments.folder, &output).context("failed to pack")?;
    let path = packed.path.display().to_string();
    if arguments.json {
        let document = json!({
            "path": path,
            "modelMd5": packed.md5.to_string(),
            "modelSha256": packed.sha256.to_string(),
            "size": packed.size,
            "files": packed.files,
            "imported": !arguments.no_import,
            "samples": samples.len(),
        });
        return print(&format!("{document:#}\n"));
    }
    let passed = match samples.len() {
        0 => String::new(),
        count if arguments.no_import => format!(", {count} samples not run"),
        count => format!(", {count} samples passed"),
    };
    print(&format!(
        "{path}: {} files, {} bytes{passed}\n  modelMd5: {}\n  modelSha256: {}\n",
        packed.files.len(),
        packed.size,
        packed.md5,
        packed.sha256,
    ))
}

/// Imports the model and runs its samples as a worker would, so that a mistake shows here and not at the edge.
fn try_out(arguments: &Arguments, samples: &[Sample]) -> anyhow::Result<()> {
    telemetry::init(LogFormat::Text, "warn");
    let hint = "; give --no-import to pack without trying";
    let trial = Trial::prepare(&arguments.folder, arguments.python.as_deref(), CALL_TIMEOUT)
        .map_err(|error| anyhow::anyhow!("{error:#}{hint}"))?;
    let tried = trial.run(samples).map_err(|error| told(&error, hint))?;
    let failed: Vec<_> = tried.iter().filter_map(Tried::failed).collect();
    anyhow::ensure!(
        failed.is_empty(),
        "the model does not pass {} of its {} samples{hint}\n{}",
        failed.len(),
        samples.len(),
        failed.join("\n")
    );
    Ok(())
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
