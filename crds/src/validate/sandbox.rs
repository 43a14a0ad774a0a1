//! What a model may do besides computing.

use super::Report;
use super::value::Field;
use crate::validated::{SandboxMode, SandboxNetwork, ValidatedSandbox};

/// Reads `sandbox` of a model.
pub(super) fn sandbox(func: &Field, report: &mut Report) -> ValidatedSandbox {
    let Some(field) = func.get("sandbox") else {
        return ValidatedSandbox::default();
    };
    let default = ValidatedSandbox::default();
    ValidatedSandbox {
        processes: field.number("processes").unwrap_or(default.processes),
        memory: memory(&field, report),
        mode: match field.text("mode").as_deref() {
            Some("off") => SandboxMode::Off,
            _ => SandboxMode::Enforce,
        },
        network: match field.text("network").as_deref() {
            Some("none") => SandboxNetwork::None,
            _ => SandboxNetwork::All,
        },
        read: paths(&field, "read", report),
        write: paths(&field, "write", report),
        required: field.bool("required").unwrap_or(false),
    }
}

fn memory(field: &Field, report: &mut Report) -> Option<u64> {
    let memory = field.get("memory")?;
    let text = memory.as_text()?;
    let bytes = bytes(text);
    if bytes.is_none() {
        let remedy = "write it as 500Mi or 2Gi";
        memory.report(
            report,
            format!("{text:?} is not an amount of memory"),
            remedy,
        );
    }
    bytes
}

/// A number with a unit, as Kubernetes writes memory.
fn bytes(text: &str) -> Option<u64> {
    const UNITS: [(&str, u64); 6] = [
        ("Ki", 1 << 10),
        ("Mi", 1 << 20),
        ("Gi", 1 << 30),
        ("k", 1_000),
        ("M", 1_000_000),
        ("G", 1_000_000_000),
    ];
    let found = UNITS
        .iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)));
    let (number, factor) = found.unwrap_or((text, 1));
    let digits = number.len() <= 9 && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = number.parse().ok().filter(|number| digits && *number > 0)?;
    number.checked_mul(factor)
}

fn paths(field: &Field, name: &str, report: &mut Report) -> Vec<String> {
    let items = field.items(name);
    let paths = items.iter().filter_map(|item| {
        let path = item.as_text()?;
        if !path.starts_with('/') {
            let remedy = "write it from the root on, as /var/lib/plant";
            item.report(report, format!("{path:?} is not an absolute path"), remedy);
        }
        Some(path.to_owned())
    });
    paths.collect()
}
