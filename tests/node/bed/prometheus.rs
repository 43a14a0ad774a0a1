//! A real Prometheus on the node. Debian's is built without what finds pods in Kubernetes, so the bed reads the pods'
//! annotations and tells it, as the usual `kubernetes_sd_configs` with their relabelling would.

use std::ffi::OsString;
use std::path::Path;

use anyhow::Context as _;
use serde_json::{Value, json};
use tests::control_plane::Program;
use tests::mosquitto::free_port;
use tests::running::get;

use super::{Bed, write};

/// The alerts that come with edgemodel.
pub(crate) const RULES: &str = include_str!("../../../deploy/prometheus/rules.yaml");

const TARGETS: &str = "targets.json";

/// A running Prometheus.
#[derive(Debug)]
pub(crate) struct Prometheus {
    program: Program,
    port: u16,
}

impl Prometheus {
    /// Starts one with alert rules.
    ///
    /// # Errors
    /// It does not start; its log is in the error.
    pub(crate) async fn start(bed: &Bed, rules: &str) -> anyhow::Result<Self> {
        let folder = &bed.folder;
        let rules = write(folder, "rules.yaml", rules)?;
        let config = config(&rules, &folder.join(TARGETS));
        let config = write(folder, "prometheus.yaml", &config)?;
        let port = free_port()?;
        let flags = [
            format!("--config.file={}", config.display()),
            format!(
                "--storage.tsdb.path={}",
                folder.join("prometheus").display()
            ),
            format!("--web.listen-address=127.0.0.1:{port}"),
            // A line from before a scrape that failed is no answer.
            "--query.lookback-delta=10s".to_owned(),
        ];
        let flags = flags.into_iter().map(OsString::from).collect();
        let program = Program::start(Path::new("/usr/bin"), "prometheus", flags, folder)?;
        let prometheus = Self { program, port };
        tests::eventually(async || {
            prometheus.program.check()?;
            let (code, _) = prometheus.get("/-/ready").await?;
            Ok((code == 200).then_some(()))
        })
        .await?;
        bed.tell_prometheus().await?;
        Ok(prometheus)
    }

    /// Its port on loopback.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The series that a query finds.
    ///
    /// # Errors
    /// It is not a query.
    pub(crate) async fn query(&self, query: &str) -> anyhow::Result<Vec<Value>> {
        let mut url = url::form_urlencoded::Serializer::new(String::new());
        url.append_pair("query", query);
        let (_, text) = self.get(&format!("/api/v1/query?{}", url.finish())).await?;
        let answer: Value = serde_json::from_str(&text)?;
        let found = answer["data"]["result"].as_array().cloned();
        found.with_context(|| format!("{query}: {text}"))
    }

    /// Names of the alerts that fire.
    ///
    /// # Errors
    /// It does not answer.
    pub(crate) async fn firing(&self) -> anyhow::Result<Vec<String>> {
        let (_, text) = self.get("/api/v1/alerts").await?;
        let answer: Value = serde_json::from_str(&text)?;
        let alerts = answer["data"]["alerts"].as_array().cloned();
        let alerts = alerts.into_iter().flatten();
        let firing = alerts.filter(|alert| alert["state"] == "firing");
        let names =
            firing.filter_map(|alert| alert["labels"]["alertname"].as_str().map(str::to_owned));
        Ok(names.collect())
    }

    async fn get(&self, path: &str) -> anyhow::Result<(u16, String)> {
        get((std::net::Ipv4Addr::LOCALHOST, self.port).into(), path).await
    }
}

impl Bed {
    /// Tells a Prometheus which pods there are.
    ///
    /// # Errors
    /// The API server does not answer.
    pub(crate) async fn tell_prometheus(&self) -> anyhow::Result<()> {
        let pods = self.get(&["pods", "--all-namespaces"]).await?;
        let new = write(&self.folder, "targets.new", &targets(&pods).to_string())?;
        Ok(std::fs::rename(new, self.folder.join(TARGETS))?)
    }
}

/// Where pods that want to be scraped are, by their annotations.
fn targets(pods: &Value) -> Value {
    let pods = pods["items"].as_array().into_iter().flatten();
    // A label that is empty is none.
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let wanted = pods.filter_map(|pod| {
        let annotations = &pod["metadata"]["annotations"];
        let address = pod["status"]["podIP"].as_str()?;
        let port = annotations["prometheus.io/port"].as_str()?;
        (annotations["prometheus.io/scrape"] == "true").then(|| {
            json!({
                "targets": [format!("{address}:{port}")],
                "labels": {
                    "namespace": text(&pod["metadata"]["namespace"]),
                    "pod": text(&pod["metadata"]["name"]),
                    "runtime": text(&annotations["edgemodel.io/runtime-name"]),
                },
            })
        })
    });
    wanted.collect()
}

fn config(rules: &Path, targets: &Path) -> String {
    format!(
        r#"global:
  scrape_interval: 1s
  evaluation_interval: 1s
rule_files: ["{rules}"]
scrape_configs:
- job_name: pods
  file_sd_configs:
  - files: ["{targets}"]
    refresh_interval: 1s
"#,
        rules = rules.display(),
        targets = targets.display(),
    )
}
