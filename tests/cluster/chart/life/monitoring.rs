//! What Prometheus gets to see: of the operator its gauges, of the workers the pods that the chart points it to.

use serde_json::{Value, json};
use tests::eventually;

use super::super::{OPERATOR, RELEASE, SYSTEM, render};
use super::{CHART, Life};
use crate::operator::runtime;
use crate::process::Process;

/// An alert on a gauge that never comes, or never goes, is worse than none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operator_tells_of_each_model_and_port_while_it_is_there() -> anyhow::Result<()> {
    let life = Life::start().await?;
    let install = ["install", RELEASE, CHART, "--create-namespace"];
    let values = json!({ "leaderElection": { "enabled": false } });
    life.helm(&install, &values).await?;
    let operator = life.run(&life.operator().await?).await?;
    let mut plant = runtime("plant", &["good", "bad"], &[("monitor", 8080, 38_080)]);
    plant["spec"]["funcs"][1]["modelMd5"] = "no digest".into();
    let mut paused = runtime("paused", &["model"], &[]);
    paused["metadata"]["annotations"] = json!({ "edgemodel.io/paused": "true" });
    life.put(&plant).await?;
    let namespace = &life.namespace;
    let of = |name: &str, labels: &str| {
        format!("edgemodel_operator_{name}{{{labels}")
            .replace("NS", &format!("namespace=\"{namespace}\""))
    };
    let good = of("model_ready", "model=\"good\",NS,runtime=\"plant\"} 1");
    let bad = of("model_ready", "model=\"bad\",NS,runtime=\"plant\"} 0");
    let port = of("port_exposed", "NS,port=\"monitor\",runtime=\"plant\"} 1");
    let ready = of(
        "runtime_condition",
        "NS,runtime=\"plant\",type=\"Ready\"} 0",
    );
    until(&operator, &[&good, &bad, &port, &ready], &[]).await?;
    // It has no children: nothing but the list of runtimes tells that it is gone.
    life.put(&paused).await?;
    let waits = of(
        "runtime_condition",
        "NS,runtime=\"paused\",type=\"Reconciling\"} 0",
    );
    until(&operator, &[&waits], &[]).await?;
    for (name, gone) in [
        ("paused", "runtime=\"paused\""),
        ("plant", "runtime=\"plant\""),
    ] {
        let delete = ["delete", "emr", name, "-n", namespace];
        life.control_plane.kubectl(&delete).await?;
        until(&operator, &["edgemodel_operator_leader 1"], &[gone]).await?;
    }
    Ok(())
}

/// Waits until the operator says all of `these` and none of `those`.
async fn until(operator: &Process, these: &[&str], those: &[&str]) -> anyhow::Result<()> {
    eventually(async || {
        let text = operator.metrics().await?;
        let says = |line: &&&str| text.contains(**line);
        let missing: Vec<_> = these.iter().filter(|line| !says(line)).collect();
        let left: Vec<_> = those.iter().filter(says).collect();
        anyhow::ensure!(
            missing.is_empty() && left.is_empty(),
            "{missing:?} is not in, or {left:?} is in\n{text}"
        );
        Ok(Some(()))
    })
    .await
}

/// Labels, port and annotation are agreed on by nobody but this test.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_finds_the_pods_of_workers_and_operator() -> anyhow::Result<()> {
    let life = Life::start().await?;
    let install = ["install", RELEASE, CHART, "--create-namespace"];
    life.helm(&install, &json!({})).await?;
    let _operator = life.run(&life.operator().await?).await?;
    life.put(&runtime("plant", &["one", "two"], &[])).await?;
    life.until_ready().await?;

    let monitoring = json!({ "monitoring": { "podMonitor": { "enabled": true }, "serviceMonitor": { "enabled": true } } });
    let text = render(&life.control_plane, SYSTEM, &monitoring).await?;
    let monitor = rendered(&life, &text, "PodMonitor").await?;
    let endpoint = &monitor["spec"]["podMetricsEndpoints"][0];
    let pods = life.selected(&monitor["spec"]["selector"]).await?;
    assert_eq!(pods.len(), 2, "{pods:#?}");
    let source = endpoint["relabelings"][0]["sourceLabels"][0].as_str();
    for pod in pods {
        let ports = pod["spec"]["containers"][0]["ports"].as_array();
        let mut ports = ports.into_iter().flatten();
        assert!(
            ports.any(|port| port["name"] == endpoint["port"]),
            "{pod:#}"
        );
        let annotations = pod["metadata"]["annotations"].as_object();
        let mut annotations = annotations.into_iter().flatten();
        let runtime = annotations.find(|(name, _)| Some(meta(name).as_str()) == source);
        assert_eq!(runtime.map(|(_, value)| value), Some(&json!("plant")));
    }
    let service = rendered(&life, &text, "Service").await?;
    let selector = json!({ "matchLabels": service["spec"]["selector"] });
    let pods = life.selected(&selector).await?;
    assert_eq!(pods.len(), 1, "{pods:#?}");
    assert_eq!(
        pods[0]["metadata"]["labels"]["app.kubernetes.io/component"],
        "operator"
    );
    let owner = pods[0]["metadata"]["name"].as_str().unwrap_or_default();
    assert!(owner.starts_with(OPERATOR), "{owner}");
    let monitor = rendered(&life, &text, "ServiceMonitor").await?;
    let wanted = monitor["spec"]["selector"]["matchLabels"].as_object();
    for (name, value) in wanted.into_iter().flatten() {
        assert_eq!(service["metadata"]["labels"][name], *value);
    }

    // The example for a Prometheus without the Prometheus operator.
    let example = include_str!("../../../../deploy/prometheus/prometheus.yaml");
    for words in [
        "app.kubernetes.io/name=edgemodel,app.kubernetes.io/component=worker",
        "app.kubernetes.io/name=edgemodel,app.kubernetes.io/component=operator",
        source.unwrap_or_default(),
        &meta("prometheus.io/scrape"),
        &meta("prometheus.io/port"),
    ] {
        assert!(example.contains(words), "{words}");
    }
    Ok(())
}

/// Prometheus' name for an annotation of a pod.
fn meta(annotation: &str) -> String {
    let name = annotation.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    format!("__meta_kubernetes_pod_annotation_{name}")
}

/// An object of a rendered chart, by kind.
pub(super) async fn rendered(life: &Life, text: &str, kind: &str) -> anyhow::Result<Value> {
    let line = format!("kind: {kind}");
    let mut documents = text.split("\n---\n");
    let document = documents.find(|one| one.lines().any(|other| other == line));
    let document = document.ok_or_else(|| anyhow::anyhow!("no {kind}"))?;
    // The one program here that turns YAML into JSON, without asking what kinds there are.
    let convert = [
        "patch",
        "--local",
        "-f",
        "-",
        "--type=merge",
        "-p",
        "{}",
        "-o",
        "json",
    ];
    let text = life.control_plane.kubectl_with_input(&convert, document);
    Ok(serde_json::from_str(&text.await?)?)
}

impl Life {
    async fn put(&self, object: &Value) -> anyhow::Result<()> {
        let apply = ["apply", "-n", &self.namespace, "-f", "-"];
        let text = object.to_string();
        self.control_plane.kubectl_with_input(&apply, &text).await?;
        Ok(())
    }

    /// The pods of all namespaces that have the labels of a selector.
    async fn selected(&self, selector: &Value) -> anyhow::Result<Vec<Value>> {
        let labels = selector["matchLabels"].as_object();
        let labels = labels.into_iter().flatten();
        let labels = labels.map(|(name, value)| {
            let value = value.as_str().unwrap_or_default();
            format!("{name}={value}")
        });
        let labels = labels.collect::<Vec<_>>().join(",");
        let pods = self.get(&["pods", "-A", "-l", &labels]).await?;
        Ok(pods["items"].as_array().cloned().unwrap_or_default())
    }
}
