//! `edgemodel check`: reports the problems of a configuration, and the models that it would refuse.

use serde_json::json;

use super::addresses::Addresses;
use super::{End, print, read};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Configuration in YAML or JSON, or `-` for stdin.
    #[arg(long, short, value_name = "FILE")]
    config: String,
    /// Print JSON instead of text.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<End> {
    let (text, source) = read(&arguments.config)?;
    let (report, end) = match crds::load(&text, &source) {
        Ok(runtime) => {
            let addresses = Addresses::resolve(&runtime);
            let warnings = crds::warnings(&runtime, |one, other| addresses.same(one, other));
            let report = if arguments.json {
                accepted_json(&runtime, &warnings)
            } else {
                accepted_text(&runtime, &warnings, &source)
            };
            (report, End::Done)
        }
        Err(problems) if arguments.json => (rejected_json(&problems), End::BadConfiguration),
        Err(problems) => {
            let count = problems.list.len();
            let noun = if count == 1 { "problem" } else { "problems" };
            (
                format!("{problems}\n{source}: {count} {noun}\n"),
                End::BadConfiguration,
            )
        }
    };
    print(&report)?;
    Ok(end)
}

fn accepted_text(
    runtime: &crds::ValidatedRuntime,
    warnings: &[crds::Warning],
    source: &str,
) -> String {
    let warnings = warnings.iter();
    let mut lines: Vec<_> = warnings
        .map(|warning| format!("{source}: warning: {warning}"))
        .collect();
    for func in &runtime.funcs {
        let name = &func.name;
        if let Err(refusal) = &func.digest {
            lines.push(format!(
                "{source}: model {name:?} would be refused: {refusal}"
            ));
        }
        if func.devices.is_empty() {
            lines.push(format!(
                "{source}: model {name:?} has no devices and would get no messages"
            ));
        }
    }
    let refused = runtime
        .funcs
        .iter()
        .filter(|func| func.digest.is_err())
        .count();
    lines.push(format!(
        "{source}: valid; {} of {} models would be served, over {} rules and {} brokers\n",
        runtime.funcs.len() - refused,
        runtime.funcs.len(),
        runtime.rules.len(),
        runtime.mqtts.len(),
    ));
    lines.join("\n")
}

fn accepted_json(runtime: &crds::ValidatedRuntime, warnings: &[crds::Warning]) -> String {
    let model = |func: &crds::validated::ValidatedFunc| {
        let refusal = func.digest.as_ref().err();
        json!({
            "name": func.name,
            "devices": func.devices.len(),
            "refused": refusal.map(|refusal| json!({
                "reason": refusal.reason,
                "message": refusal.message,
            })),
        })
    };
    let models: Vec<_> = runtime.funcs.iter().map(model).collect();
    let warning = |warning: &crds::Warning| {
        json!({
            "path": warning.path,
            "message": warning.message,
            "remedy": warning.remedy,
        })
    };
    let warnings: Vec<_> = warnings.iter().map(warning).collect();
    format!(
        "{:#}\n",
        json!({ "valid": true, "models": models, "problems": [], "warnings": warnings })
    )
}

fn rejected_json(problems: &crds::Problems) -> String {
    let problem = |problem: &crds::Problem| {
        json!({
            "path": problem.path,
            "line": problem.position.map(|position| position.line),
            "column": problem.position.map(|position| position.column),
            "message": problem.message,
            "remedy": problem.remedy,
        })
    };
    let list: Vec<_> = problems.list.iter().map(problem).collect();
    format!(
        "{:#}\n",
        json!({ "valid": false, "models": [], "problems": list, "warnings": [] })
    )
}
