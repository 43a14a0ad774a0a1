//! `edgemodel pack`: writes the zip of a model's folder, after a trial run of that zip.

mod requirements;

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use hosts::samples;
use packages::{Draft, Limits, Listing, Packed, check_output};
use serde_json::json;

use super::trial::{Host, Times, Trial, Tried, show_output, told};
use super::{End, print};

/// A call that takes longer counts as failed, in seconds.
const CALL_TIMEOUT: u64 = 60;

/// Names of left out files to show; `--json` has all.
const SHOWN_NAMES: usize = 10;

/// What projects list their packages in.
const REQUIREMENTS: &str = "requirements.txt";

const EXAMPLES: &str = "\
Examples:
  edgemodel pack models/industry                        writes industry.zip and prints its digests
  edgemodel pack models/industry --python .venv/bin/python
  edgemodel pack models/industry --requirements requirements.txt --platform linux/amd64,linux/arm64 --python 3.11

Files that .edgemodelignore names are left out, and by default .env, .git, virtual environments, caches and /tests.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Folder that holds index.py.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Zip file to write. Default: the folder's name with .zip, in the current folder.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Python interpreter with the packages that the model imports, or its version, such as 3.11. Default:
    /// EDGEMODEL_PYTHON, else python3.
    #[arg(long, value_name = "PROGRAM")]
    python: Option<String>,
    /// Model host that runs the model.
    #[arg(long, value_enum, default_value = "auto")]
    host: Host,
    #[command(flatten)]
    wheels: requirements::WheelArguments,
    /// Timeout of the import in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "60",
        value_parser = clap::value_parser!(u64).range(1..=86_400))]
    start_timeout: u64,
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
    check_output(&arguments.folder, &output).context("failed to pack")?;
    let mut listing = Listing::read(&arguments.folder).context("failed to pack")?;
    let wheels = requirements::Wheels::download(&arguments.wheels, arguments.python.as_deref())?;
    for wheel in wheels.iter().flat_map(requirements::Wheels::files) {
        listing.add_wheel(wheel);
    }
    let draft = Draft::write(&listing, &output).context("failed to pack")?;
    let samples = try_out(arguments, &draft)?;
    let packed = draft.publish().context("failed to pack")?;
    let notes = notes(&listing);
    if arguments.json {
        let document = json!({
            "path": packed.path.display().to_string(),
            "modelMd5": packed.md5.to_string(),
            "modelSha256": packed.sha256.to_string(),
            "size": packed.size,
            "files": packed.files,
            "leftOut": listing.left_out,
            "notes": notes,
            "imported": !arguments.no_import,
            "samples": samples,
        });
        return print(&format!("{document:#}\n"));
    }
    print(&text(arguments, &packed, &listing, samples, &notes))
}

fn text(
    arguments: &Arguments,
    packed: &Packed,
    listing: &Listing,
    samples: usize,
    notes: &[String],
) -> String {
    let passed = match samples {
        0 => String::new(),
        count if arguments.no_import => format!(", {count} samples not run"),
        count => format!(", {count} samples passed"),
    };
    let mut text = format!(
        "{}: {} files, {} bytes{passed}\n  modelMd5: {}\n  modelSha256: {}\n",
        packed.path.display(),
        packed.files.len(),
        packed.size,
        packed.md5,
        packed.sha256,
    );
    if let Some(left_out) = left_out(&listing.left_out) {
        text += &format!("  left out: {left_out}\n");
    }
    for note in notes {
        text += &format!("  note: {note}\n");
    }
    text
}

/// The names that were left out, in one line.
fn left_out(names: &[String]) -> Option<String> {
    let (shown, rest) = names.split_at(names.len().min(SHOWN_NAMES));
    let more = match rest.len() {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    (!names.is_empty()).then(|| format!("{}{more}", shown.join(", ")))
}

/// What a user probably expects of the package and does not get.
fn notes(listing: &Listing) -> Vec<String> {
    let mut notes = Vec::new();
    let requirements = listing.files.keys().find(|name| is_requirements(name));
    let others = [
        "pyproject.toml",
        "setup.py",
        "Pipfile",
        "environment.yml",
        "environment.yaml",
    ];
    let other = others
        .into_iter()
        .find(|name| listing.files.contains_key(*name));
    let is_whole = listing.has_wheels();
    if let Some(name) = requirements.filter(|_| !is_whole) {
        notes.push(format!(
            "workers do not install {name}; add wheels with --requirements {name}, or install it into the interpreter of \
             funcs[].python"
        ));
    } else if let Some(name) = other.filter(|_| !is_whole) {
        notes.push(format!(
            "workers do not install what {name} names; list it in {REQUIREMENTS} and add wheels with --requirements \
             {REQUIREMENTS}, or install it into the interpreter of funcs[].python"
        ));
    }
    let is_source = |name: &&String| {
        name.starts_with("wheels/")
            && [".tar.gz", ".tar.bz2", ".egg", ".zip"]
                .iter()
                .any(|end| name.ends_with(end))
    };
    if let Some(name) = listing.files.keys().find(is_source) {
        notes.push(format!(
            "workers install only wheels (.whl) of wheels/, not {name}; make a wheel of it with `pip wheel`"
        ));
    }
    notes
}

/// Whether a file lists requirements as pip reads them, such as `requirements-prod.txt` or `requirements/base.txt`.
fn is_requirements(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let Some(stem) = name
        .strip_suffix(".txt")
        .or_else(|| name.strip_suffix(".in"))
    else {
        return false;
    };
    match stem.split_once('/') {
        Some((folder, file)) => folder == "requirements" && !file.contains('/'),
        None => stem.starts_with("requirements") || stem.ends_with("requirements"),
    }
}

/// Unpacks the zip into an empty folder, imports the model there and runs its samples as a worker does, so that mistakes
/// show here and not at the edge. Returns the number of samples.
fn try_out(arguments: &Arguments, draft: &Draft) -> anyhow::Result<usize> {
    show_output();
    if arguments.no_import {
        let target = tempfile::tempdir().context("failed to create a temporary folder")?;
        let zip = File::open(draft.path()).context("failed to read the zip")?;
        let root = packages::unpack(zip, target.path(), &Limits::default())
            .context("a worker would refuse the zip")?;
        return Ok(samples::read(&root)?.len());
    }
    let hint = "; use --no-import to pack without a trial run";
    let python = requirements::program(arguments.python.as_deref());
    let trial = Trial::prepare(
        draft.path(),
        python.as_deref(),
        arguments.host,
        Times {
            call: CALL_TIMEOUT,
            start: arguments.start_timeout,
        },
    )
    .map_err(|error| anyhow::anyhow!("{error:#}{hint}"))?;
    let samples = samples::read(&trial.options.directory)?;
    let tried = trial.run(&samples).map_err(|error| told(&error, hint))?;
    let failed: Vec<_> = tried.iter().filter_map(Tried::failed).collect();
    anyhow::ensure!(
        failed.is_empty(),
        "the model does not pass {} of its {} samples{hint}\n{}",
        failed.len(),
        samples.len(),
        failed.join("\n")
    );
    Ok(samples.len())
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
