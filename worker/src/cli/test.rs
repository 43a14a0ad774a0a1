//! `edgemodel test`: runs a model's golden samples, or records one.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use crds::validated::Format;
use hosts::Program;
use hosts::samples::{self, Fault, Sample};
use serde_json::json;

use super::trial::{Host, Times, Trial, Tried, show_output, told};
use super::{End, print, print_error, read_bytes};

const EXAMPLES: &str = "\
A golden sample is an event with the result that the model must give for it, in the folder samples/.

Examples:
  edgemodel test models/industry                       runs models/industry/samples/*.json
  edgemodel test industry.zip --json                   runs those of a packed model, for scripts
  edgemodel test models/industry --record event.json   records samples/event.json
  edgemodel test models/industry --record on.json --record off.json
                                                       records both, in this order, into samples/on.json
  edgemodel test models/industry --record frame.bin --decode cbor
                                                       records a message that is not JSON

Samples of one file are a sequence: one process of the model gets them, and no others.

Exit codes: 0 all samples passed, 1 a sample failed, 2 no samples or an invalid file.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Folder that holds index.py, or a zip of it.
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// Event to record as a sample, with the current result of the model; `-` for stdin. Several make one file, named
    /// after the first.
    #[arg(long, value_name = "EVENT")]
    record: Vec<String>,
    /// Topic of the recorded event.
    #[arg(long, requires = "record")]
    topic: Option<String>,
    /// Device of the recorded event.
    #[arg(long, requires = "record")]
    device: Option<String>,
    /// Format of the recorded event, as in `funcs[].decode`. Default: JSON.
    #[arg(long, requires = "record", value_parser = format)]
    decode: Option<Format>,
    /// Python interpreter with the packages that the model imports. Default: EDGEMODEL_PYTHON, else
    /// python3.
    #[arg(long, value_name = "PROGRAM")]
    python: Option<String>,
    /// Model host that runs the model.
    #[arg(long, value_enum, default_value = "auto")]
    host: Host,
    /// Timeout of a call in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "10",
        value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
    /// Timeout of the import in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "60",
        value_parser = clap::value_parser!(u64).range(1..=86_400))]
    start_timeout: u64,
    /// Print JSON instead of text.
    #[arg(long)]
    json: bool,
}

fn format(text: &str) -> Result<Format, String> {
    let found = Format::ALL
        .into_iter()
        .find(|format| format.as_str() == text);
    found.ok_or_else(|| format!("use one of {}", Format::ALL.map(Format::as_str).join(", ")))
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<End> {
    show_output();
    let times = Times {
        call: arguments.timeout,
        start: arguments.start_timeout,
    };
    let trial = Trial::prepare(
        &arguments.model,
        arguments.python.as_deref(),
        arguments.host,
        times,
    )?;
    if let Some(first) = arguments.record.first() {
        return record(arguments, first, &trial);
    }
    let samples = match samples::read(&trial.options.directory) {
        Ok(samples) => samples,
        Err(error) => {
            print_error(&format!("error: {error}"));
            return Ok(End::BadConfiguration);
        }
    };
    if samples.is_empty() {
        print_error(&format!(
            "error: {} has no samples; record one with --record EVENT.json",
            arguments.model.display()
        ));
        return Ok(End::BadConfiguration);
    }
    let tried = trial.run(&samples).map_err(|error| told(&error, ""))?;
    let failed = tried.iter().filter(|one| one.fault.is_some()).count();
    if arguments.json {
        let document = json!({
            "host": trial.program.kind(),
            "python": trial.program.python(),
            "samples": tried.iter().map(document).collect::<Vec<_>>(),
            "passed": tried.len() - failed,
            "failed": failed,
        });
        print(&format!("{document:#}\n"))?;
    } else {
        print(&text(&trial.program, &tried, failed))?;
    }
    Ok(if failed == 0 { End::Done } else { End::Failed })
}

fn text(program: &Program, tried: &[Tried<'_>], failed: usize) -> String {
    let (host, python) = (program.kind().as_str(), program.python());
    let mut text = format!("host    {host}, {python}\n");
    for one in tried {
        text += &match one.failed() {
            None => format!("passed  {}\n", one.sample.name),
            Some(failed) => format!("FAILED  {failed}\n"),
        };
        let traceback = one.fault.as_ref().and_then(Fault::traceback);
        for line in traceback.into_iter().flat_map(str::lines) {
            text += &format!("        {line}\n");
        }
    }
    let passed = tried.len() - failed;
    text + &format!("{passed} passed, {failed} failed\n")
}

fn document(one: &Tried<'_>) -> serde_json::Value {
    let mut document = json!({ "name": one.sample.name, "passed": one.fault.is_none() });
    if let Some(fault) = &one.fault {
        document["reason"] = json!(fault.reason());
        document["message"] = fault.to_string().into();
        if let Fault::Differs(differences) = fault {
            document["differences"] = json!(differences);
        }
    }
    document
}

/// Writes samples, unless a file of that name exists: a slip must not overwrite it.
fn record(arguments: &Arguments, first: &str, trial: &Trial) -> anyhow::Result<End> {
    anyhow::ensure!(
        arguments.model.is_dir(),
        "{} is not a folder; record into the model's folder and pack it again",
        arguments.model.display()
    );
    let stem = match first {
        "-" => "sample".as_ref(),
        path => Path::new(path)
            .file_stem()
            .context("--record needs a file's name")?,
    };
    let folder = arguments.model.join(samples::FOLDER);
    let mut file = folder.join(stem);
    file.as_mut_os_string().push(".json");
    anyhow::ensure!(
        !file.exists(),
        "{} is there already; remove it to record it again, or rename the event's file",
        file.display()
    );
    let mut context = serde_json::Map::new();
    for (name, value) in [("device", &arguments.device), ("topic", &arguments.topic)] {
        if let Some(value) = value {
            context.insert(name.to_owned(), value.as_str().into());
        }
    }
    let events = arguments.record.iter();
    let samples = events.map(|event| unrecorded(arguments, event));
    let samples = samples.collect::<anyhow::Result<Vec<_>>>()?;
    let results = trial.results(&samples).map_err(|error| told(&error, ""))?;
    let mut recorded = Vec::new();
    for (sample, result) in samples.iter().zip(results) {
        let text = result.and_then(|result| samples::recorded(sample, result.as_deref(), &context));
        recorded.push(text.map_err(|fault| {
            let traceback = fault.traceback().unwrap_or_default().trim_end();
            anyhow::anyhow!("{}: {fault}\n{traceback}", sample.name)
        })?);
    }
    let recorded = match recorded.as_slice() {
        [one] => format!("{one}\n"),
        several => format!("[{}]\n", several.join(",\n")),
    };
    std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(&file, recorded))
        .with_context(|| format!("failed to write {}", file.display()))?;
    if arguments.json {
        let document = json!({ "recorded": file.display().to_string() });
        return print(&format!("{document:#}\n"));
    }
    print(&format!(
        "{} holds the model's present result; look whether it is right\n",
        file.display()
    ))
}

/// An event as a sample whose result is not known yet.
fn unrecorded(arguments: &Arguments, event: &str) -> anyhow::Result<Sample> {
    let (bytes, source) = read_bytes(event)?;
    let bytes = match arguments.decode {
        Some(_) => bytes,
        None => payload::json_text(&bytes)
            .with_context(|| format!("{source} is neither UTF-8 nor UTF-16 nor UTF-32"))?
            .trim()
            .into(),
    };
    Ok(Sample {
        name: event.to_owned(),
        file: event.to_owned(),
        event: bytes,
        decode: arguments.decode,
        result: jiter::JsonValue::Null,
        tolerance: None,
        context: samples::SampleContext {
            topic: arguments.topic.clone().unwrap_or_default(),
            device: arguments.device.clone().unwrap_or_default(),
            received_at: None,
        },
    })
}
