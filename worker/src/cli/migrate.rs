//! `edgemodel migrate`: writes today's configuration for an old one of pyboot's, and lists what changes.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::Path;

use ::migrate::{self as old, Comparison, Migrated};
use anyhow::Context as _;
use serde_json::{Value, json};

use super::{End, print, print_error, read, read_bytes};

const EXAMPLES: &str = "\
Examples:
  edgemodel migrate old.yaml > new.yaml               write the configuration, list what changes
  edgemodel migrate old.yaml --messages day.jsonl     also list the messages that fare otherwise
  edgemodel migrate old.yaml --kubernetes | kubectl apply -f -";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Configuration of pyboot, of any generation, in YAML or JSON, or `-` for stdin.
    #[arg(value_name = "FILE")]
    config: String,
    /// Write an EdgeModelRuntime instead of a file for `edgemodel run`.
    #[arg(long)]
    kubernetes: bool,
    /// Name of the EdgeModelRuntime. Default: the file's, as far as Kubernetes takes it.
    #[arg(long, value_name = "NAME", requires = "kubernetes")]
    name: Option<String>,
    /// Messages, one JSON text a line, or `-` for stdin: list those that a model got in pyboot and does not get now, or the
    /// other way, or more than once.
    #[arg(long, value_name = "FILE")]
    messages: Option<String>,
    /// Print configuration, changes and messages as one JSON document.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<End> {
    let (text, source) = read(&arguments.config)?;
    let migrated = match old::migrate(&text, &source) {
        Ok(migrated) => migrated,
        Err(problems) => {
            print_error(&problems.to_string());
            return Ok(End::BadConfiguration);
        }
    };
    let messages = arguments.messages.as_deref().map(read_bytes).transpose()?;
    let compared = messages.and_then(|(bytes, name)| {
        old::compare(&migrated, bytes.split(|byte| *byte == b'\n')).map(|compared| (compared, name))
    });
    let document = if arguments.kubernetes {
        let stem = Path::new(&arguments.config).file_stem();
        let stem = stem.map(OsStr::to_string_lossy).unwrap_or_default();
        let name = arguments
            .name
            .clone()
            .unwrap_or_else(|| old::object_name(&stem));
        old::object(&migrated.config, &name)
    } else {
        migrated.config.clone()
    };
    if arguments.json {
        let compared = compared.as_ref().map(|(compared, _)| compared);
        print(&format!("{:#}\n", report(&document, &migrated, compared)))?;
    } else {
        let yaml = old::write(&document)
            .map_err(anyhow::Error::msg)
            .context("failed to write YAML")?;
        print(&format!("{}\n", yaml.trim_end()))?;
        print_error(listed(&migrated, compared.as_ref(), &source).trim_end());
    }
    Ok(if migrated.runtime.is_ok() {
        End::Done
    } else {
        End::Failed
    })
}

fn listed(migrated: &Migrated, compared: Option<&(Comparison, String)>, source: &str) -> String {
    let mut text = format!("{source}: {}\n", migrated.generation);
    for change in &migrated.changes {
        // Writing to a String cannot fail.
        let _ = match (change.position, change.path.as_str()) {
            (Some(position), path) => writeln!(
                text,
                "{source}:{}: {path}: {}",
                position.line, change.message
            ),
            (None, "") => writeln!(text, "{source}: {}", change.message),
            (None, path) => writeln!(text, "{source}: {path}: {}", change.message),
        };
    }
    if let Some((compared, name)) = compared {
        text += &fates(compared, name);
    }
    if let Err(problems) = &migrated.runtime {
        let _ = writeln!(
            text,
            "{problems}\n{source}: the configuration that was written is not valid yet; correct it there, then compare messages"
        );
    }
    text
}

fn fates(compared: &Comparison, name: &str) -> String {
    let mut text = String::new();
    for one in &compared.differences {
        let _ = writeln!(
            text,
            "{name}:{}: model {:?}: {} in pyboot, {} now: {}",
            one.line,
            one.model,
            results(one.before),
            one.now,
            one.why
        );
    }
    for one in &compared.unknown {
        let _ = writeln!(
            text,
            "{name}:{}: model {:?}: cannot be told: {}",
            one.line, one.model, one.why
        );
    }
    if let Some(first) = compared.ended.first() {
        let _ = writeln!(
            text,
            "{name}: pyboot raised {} exceptions, and each ended one of the ten threads of a process; the first: line {}, model {:?}, {}",
            compared.ended.len(),
            first.line,
            first.model,
            first.exception
        );
    }
    let _ = writeln!(
        text,
        "{name}: {} messages; {} differences, {} cannot be told",
        compared.messages,
        compared.differences.len(),
        compared.unknown.len()
    );
    text
}

fn results(count: usize) -> String {
    match count {
        1 => "1 result".to_owned(),
        count => format!("{count} results"),
    }
}

fn report(document: &Value, migrated: &Migrated, compared: Option<&Comparison>) -> Value {
    let change = |change: &old::Change| {
        json!({
            "path": change.path,
            "line": change.position.map(|position| position.line),
            "message": change.message,
        })
    };
    let problems = migrated
        .runtime
        .as_ref()
        .err()
        .map(|problems| &problems.list);
    let problem = |problem: &crds::Problem| json!({ "path": problem.path, "message": problem.message, "remedy": problem.remedy });
    json!({
        "generation": migrated.generation.to_string(),
        "config": document,
        "changes": migrated.changes.iter().map(change).collect::<Vec<_>>(),
        "problems": problems.into_iter().flatten().map(problem).collect::<Vec<_>>(),
        "messages": compared.map(compared_json),
    })
}

fn compared_json(compared: &Comparison) -> Value {
    let difference = |one: &old::Difference| json!({ "line": one.line, "model": one.model, "before": one.before, "now": one.now, "why": one.why });
    let unknown =
        |one: &old::Unknown| json!({ "line": one.line, "model": one.model, "why": one.why });
    let ended = |one: &old::Ended| json!({ "line": one.line, "model": one.model, "exception": one.exception });
    json!({
        "read": compared.messages,
        "differences": compared.differences.iter().map(difference).collect::<Vec<_>>(),
        "unknown": compared.unknown.iter().map(unknown).collect::<Vec<_>>(),
        "exceptions": compared.ended.iter().map(ended).collect::<Vec<_>>(),
    })
}
