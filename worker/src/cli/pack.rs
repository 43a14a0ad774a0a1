//! `edgemodel pack`: a model's folder as the zip that a configuration refers to.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;
use tokio::runtime::Builder;

use crate::host;
use crate::metrics::Metrics;
use crate::model::pack::pack;
use crate::telemetry::{self, LogFormat};

use super::{End, print};

/// An import that takes longer is no use to anybody who waits for it.
const IMPORT_TIMEOUT: Duration = Duration::from_mins(1);

const EXAMPLES: &str = "\
Examples:
  edgemodel pack models/industry                        writes industry.zip and prints its digests
  edgemodel pack models/industry --python .venv/bin/python";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The folder that holds index.py.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The zip to write. Default: the folder's name with .zip, in the current folder.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The Python interpreter that has what the model imports. Default: EDGEMODEL_PYTHON, else
    /// python3.
    #[arg(long, value_name = "PROGRAM")]
    python: Option<String>,
    /// Do not try to import the model.
    #[arg(long)]
    no_import: bool,
    /// Print one JSON document instead of text.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<End> {
    let output = match &arguments.output {
        Some(output) => output.clone(),
        None => default_output(&arguments.folder)?,
    };
    if !arguments.no_import && arguments.folder.join("index.py").is_file() {
        import(arguments)?;
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

/// Imports the model as a worker would, so that a mistake shows here and not at the edge.
fn import(arguments: &Arguments) -> anyhow::Result<()> {
    telemetry::init(LogFormat::Text, "warn");
    let hint = "; give --no-import to pack without trying";
    let directory = arguments.folder.canonicalize()?;
    let options = host::Options {
        model: "model".to_owned(),
        directory,
        wheels: None,
        python: host::python(arguments.python.as_deref())
            .map_err(|error| anyhow::anyhow!("{error}{hint}"))?,
        library: host::library().map_err(|error| anyhow::anyhow!("{error}{hint}"))?,
        hosts: 1,
        devices: Vec::new(),
        timeout: IMPORT_TIMEOUT,
        start_timeout: IMPORT_TIMEOUT,
        queue_size: 1,
        queue_bytes: 1,
    };
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .context("failed to start a runtime")?;
    let metrics = Metrics::new().model("model");
    runtime
        .block_on(host::check(options, &metrics))
        .map_err(|error| {
            let traceback = error.traceback().unwrap_or_default().trim_end();
            anyhow::anyhow!("{error}{hint}\n{traceback}")
        })
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
