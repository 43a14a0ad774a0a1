//! What Helm does not check: that the schema leaves nothing open, and that alerts, dashboard and pages name what there is.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context as _;
use serde_json::Value;

use super::{RULES, definition, schema};

const RUNBOOKS: &str = include_str!("../../../docs/runbooks.md");
const CASES: &str = include_str!("../../../tests/fixtures/monitoring/alerts.test.yaml");
const DASHBOARD: &str = include_str!("../../../charts/edgemodel/dashboards/edgemodel.json");
const OF_WORKERS: &str = include_str!("../../../docs/reference/metrics.md");
const OF_OPERATOR: &str = include_str!("../../../docs/reference/operator-metrics.md");

/// A key that is written wrong and accepted is a setting that silently does nothing.
#[test]
fn the_schema_is_closed_everywhere_and_describes_every_value() -> anyhow::Result<()> {
    fn closed(path: &str, schema: &Value, open: &mut Vec<String>) {
        if schema["type"] == "object" && schema.get("additionalProperties").is_none() {
            open.push(path.to_owned());
        }
        let children: Vec<_> = match schema {
            Value::Object(map) => map
                .iter()
                .map(|(key, value)| (key.clone(), value))
                .collect(),
            Value::Array(list) => list.iter().map(|one| (String::new(), one)).collect(),
            _ => Vec::new(),
        };
        for (key, value) in children {
            if key != "default" {
                closed(&format!("{path}/{key}"), value, open);
            }
        }
    }
    fn described(path: &str, schema: &Value, missing: &mut Vec<String>) {
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}.{name}");
            if field["description"].as_str().is_none_or(str::is_empty) {
                missing.push(path.clone());
            }
            if field.get("default").is_none() {
                described(&path, field, missing);
            }
        }
    }
    let schema = schema()?;
    let mut open = Vec::new();
    closed("", &schema, &mut open);
    // Whatever a chart around this one has for all its parts.
    assert_eq!(open, ["/properties/global"]);
    let mut missing = Vec::new();
    described("", &schema, &mut missing);
    assert_eq!(missing, Vec::<String>::new());
    Ok(())
}

/// The chart would install images that are not of this version.
#[test]
fn the_chart_installs_the_images_of_this_version() {
    let chart = include_str!("../../../charts/edgemodel/Chart.yaml");
    let line = format!("appVersion: {}", env!("CARGO_PKG_VERSION"));
    assert!(
        chart.lines().any(|one| one == line),
        "{line} is not in\n{chart}"
    );
}

/// A page that does not exist at night, from an alert, a note or a card in a catalogue.
#[test]
fn links_of_the_chart_lead_to_files_of_the_repository() -> anyhow::Result<()> {
    const HOME: &str = "https://github.com/edgemodel/edgemodel/blob/";
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let chart = root.join("charts/edgemodel");
    let mut checked = 0;
    for file in [
        "Chart.yaml",
        "README.md",
        "files/rules.yaml",
        "values.schema.json",
    ] {
        let text = std::fs::read_to_string(chart.join(file))?;
        for link in text.split(HOME).skip(1) {
            let end = link.find(|c: char| c.is_whitespace() || "#)\"".contains(c));
            let link = &link[..end.unwrap_or(link.len())];
            let (_, path) = link.split_once('/').context("no branch")?;
            assert!(root.join(path).is_file(), "{file}: {path}");
            checked += 1;
        }
    }
    assert!(checked > 20, "only {checked} links");
    // Templates build theirs from the chart's home and version.
    for file in ["NOTES.txt", "prometheus-rule.yaml"] {
        let text = std::fs::read_to_string(chart.join("templates").join(file))?;
        let pages = text.split("/docs/").chain(text.split("$docs }}/")).skip(1);
        let pages = pages.filter_map(|rest| rest.split(".md").next());
        let pages = pages.filter(|page| !page.contains(|c: char| !c.is_ascii_alphanumeric()));
        for page in pages {
            assert!(
                root.join("docs").join(page).with_extension("md").is_file(),
                "{file}: {page}"
            );
        }
        assert!(text.contains("/blob/v%s/docs"), "{file}");
    }
    let rules = super::rules();
    assert!(rules.contains(concat!(
        "/blob/v",
        env!("CARGO_PKG_VERSION"),
        "/docs/runbooks.md#"
    )));
    Ok(())
}

/// Artifact Hub shows what stands there, whatever the CRD is.
#[test]
fn the_catalogue_names_the_crd_of_the_code() {
    let chart = include_str!("../../../charts/edgemodel/Chart.yaml");
    let crd = crds::custom_resource::crd();
    let text = |pointer: &str| {
        crd.pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let version = text("/spec/versions/0/name");
    for line in [
        format!("- kind: {}", text("/spec/names/kind")),
        format!("version: {version}"),
        format!("name: {}", text("/metadata/name")),
        format!("- apiVersion: {}/{version}", text("/spec/group")),
    ] {
        assert!(chart.lines().any(|one| one.trim() == line), "{line}");
    }
}

/// Braces of a description would be run by Helm.
#[test]
fn braces_of_the_definition_reach_the_cluster() -> anyhow::Result<()> {
    let text = definition("metadata:\n  labels:\n    a: b\nspec: 'a {{ b }} {1,2}'\n")?;
    let escaped = "spec: 'a {{ \"{{\" }} b {{ \"}}\" }} {1,2}'\n";
    assert!(text.contains(escaped), "{text}");
    Ok(())
}

/// An alert at night without a word on what to do.
#[test]
fn every_alert_has_a_section_and_a_case_and_no_section_is_left_over() {
    let alerts = after(RULES, "alert: ");
    assert!(alerts.len() > 15, "{alerts:?}");
    let sections = after(RUNBOOKS, "## EdgeModel");
    let sections: BTreeSet<_> = sections
        .iter()
        .map(|one| format!("EdgeModel{one}"))
        .collect();
    assert_eq!(alerts, sections);
    let fires = after(CASES, "- alertname: ");
    assert_eq!(
        alerts, fires,
        "alerts, and those with a case in which they fire"
    );
    let pages = after(RULES, "docs/runbooks.md#");
    let anchors: BTreeSet<_> = alerts.iter().map(|one| one.to_lowercase()).collect();
    assert_eq!(anchors, pages);
}

/// What stands after `mark`, until the end of the word.
fn after(text: &str, mark: &str) -> BTreeSet<String> {
    let parts = text.split(mark).skip(1);
    let words = parts.filter_map(|part| part.split_whitespace().next());
    words.map(str::to_owned).collect()
}

/// A query for a metric that doesn't exist never shows anything.
#[test]
fn alerts_and_dashboard_ask_for_metrics_that_there_are() {
    let there: BTreeSet<_> = [OF_WORKERS, OF_OPERATOR]
        .into_iter()
        .flat_map(metrics)
        .collect();
    for text in [RULES, DASHBOARD] {
        let asked: Vec<_> = metrics(text).collect();
        assert!(asked.len() > 15, "{asked:?}");
        for name in asked {
            let part = ["_bucket", "_sum", "_count"];
            let family = part.iter().find_map(|part| name.strip_suffix(part));
            let known = |name: &str| there.contains(name);
            assert!(
                known(&name) || family.is_some_and(known),
                "there is no {name}"
            );
        }
    }
}

fn metrics(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let words = words.filter(|word| word.starts_with("edgemodel_"));
    words.map(str::to_owned)
}
