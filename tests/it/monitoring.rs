//! Alerts and dashboard, as Prometheus' own tool understands them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use serde_json::{Value, json};

const CASES: &str = include_str!("../fixtures/monitoring/alerts.test.yaml");
const RULES: &str = include_str!("../../deploy/prometheus/rules.yaml");
const CONFIG: &str = include_str!("../../deploy/prometheus/prometheus.yaml");
const DASHBOARD: &str = include_str!("../../charts/edgemodel/dashboards/edgemodel.json");

/// Files for promtool, in a folder of their own.
struct Files(tempfile::TempDir);

impl Files {
    fn new(files: &[(&str, &str)]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text)?;
        }
        Ok(Self(folder))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

fn promtool(arguments: &[&str], file: &Path) -> anyhow::Result<()> {
    let output = Command::new("promtool").args(arguments).arg(file).output();
    let output = output.context("failed to start promtool, which tests/tools.sh installs")?;
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{said}");
    Ok(())
}

#[test]
fn the_alerts_fire_when_they_should_and_only_then() -> anyhow::Result<()> {
    // The rules link the runbooks of their version.
    let version = concat!("/blob/v", env!("CARGO_PKG_VERSION"), "/");
    let cases = CASES.replace("/blob/main/", version);
    let files = Files::new(&[("rules.yaml", RULES), ("cases.yaml", &cases)])?;
    promtool(
        &["check", "rules", "--lint-fatal"],
        &files.path("rules.yaml"),
    )?;
    promtool(&["test", "rules"], &files.path("cases.yaml"))
}

/// The example that people copy. Debian's promtool knows no cluster to find pods in, so those lines are left out.
#[test]
fn the_example_of_a_scrape_is_a_configuration() -> anyhow::Result<()> {
    let mut config = String::new();
    let mut searching = false;
    for line in CONFIG.lines() {
        searching &= line.starts_with("  -") || line.starts_with("   ");
        if line.trim() == "kubernetes_sd_configs:" {
            searching = true;
            config.push_str("  static_configs: [{targets: [\"127.0.0.1:9\"]}]\n");
        } else if !searching {
            config.push_str(&format!("{line}\n"));
        }
    }
    let files = Files::new(&[("prometheus.yaml", &config), ("rules.yaml", RULES)])?;
    promtool(&["check", "config"], &files.path("prometheus.yaml"))
}

/// Each query of the dashboard is one, with all that it has for Grafana's variables put in.
#[test]
fn the_queries_of_the_dashboard_are_queries() -> anyhow::Result<()> {
    let dashboard: Value = serde_json::from_str(DASHBOARD)?;
    let panels = dashboard["panels"].as_array().context("no panels")?;
    let targets = panels
        .iter()
        .filter_map(|panel| panel["targets"].as_array());
    let queries = targets
        .flatten()
        .filter_map(|target| target["expr"].as_str());
    let rules = queries.enumerate().map(|(number, query)| {
        let query = query
            .replace("$__rate_interval", "1m")
            .replace("$namespace", ".*")
            .replace("$runtime", ".*")
            .replace("$model", ".*");
        anyhow::ensure!(!query.contains('$'), "an unknown variable in {query}");
        Ok(json!({ "record": format!("query_{number}"), "expr": query }))
    });
    let rules = rules.collect::<anyhow::Result<Vec<_>>>()?;
    assert!(rules.len() > 25, "{}", rules.len());
    let text = json!({ "groups": [{ "name": "dashboard", "rules": rules }] }).to_string();
    let files = Files::new(&[("dashboard.yaml", &text)])?;
    promtool(&["check", "rules"], &files.path("dashboard.yaml"))
}

/// Grafana shows what shares an id once, and panels that overlap on top of each other.
#[test]
fn the_panels_of_the_dashboard_are_side_by_side() -> anyhow::Result<()> {
    let dashboard: Value = serde_json::from_str(DASHBOARD)?;
    let panels = dashboard["panels"].as_array().context("no panels")?;
    let mut ids = std::collections::BTreeSet::new();
    let mut cells = std::collections::BTreeSet::new();
    for panel in panels {
        assert!(ids.insert(panel["id"].to_string()), "{} twice", panel["id"]);
        let at = |key: &str| panel["gridPos"][key].as_u64().context("no position");
        for x in at("x")?..at("x")? + at("w")? {
            for y in at("y")?..at("y")? + at("h")? {
                assert!(
                    x < 24 && cells.insert((x, y)),
                    "{} overlaps",
                    panel["title"]
                );
            }
        }
    }
    Ok(())
}
