//! From install to uninstall, with the operator that the chart's Deployment starts.

mod monitoring;
mod namespaces;
mod surroundings;
mod verify;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use serde_json::{Value, json};
use tests::control_plane::{ControlPlane, Kubelet, Options};
use tests::eventually;

use super::{CHART, OPERATOR, RELEASE, SYSTEM, Values};
use crate::operator::{condition, runtime};
use crate::process::{Process, Start};

const DEFINITION: &str = "crd/edgemodelruntimes.edgemodel.io";
const IN_SYSTEM: [&str; 2] = ["--namespace", SYSTEM];

struct Life {
    control_plane: ControlPlane,
    _kubelet: Kubelet,
    /// Where the runtime is.
    namespace: String,
}

impl Life {
    async fn start() -> anyhow::Result<Self> {
        let control_plane = ControlPlane::start(Options {
            node_port_range: Some("30000-60000".to_owned()),
            ..Options::default()
        })
        .await?;
        let kubelet = Kubelet::start(control_plane.client()?, None);
        let namespace = control_plane.namespace("plant").await?;
        Ok(Self {
            control_plane,
            _kubelet: kubelet,
            namespace,
        })
    }

    async fn helm(&self, arguments: &[&str], values: &Value) -> anyhow::Result<String> {
        let values = Values::new(values)?;
        let arguments = [arguments, &IN_SYSTEM, &values.arguments()].concat();
        self.control_plane.helm(&arguments).await
    }

    async fn get(&self, what: &[&str]) -> anyhow::Result<Value> {
        let get = [&["get", "-o", "json"], what].concat();
        let text = self.control_plane.kubectl(&get).await?;
        Ok(serde_json::from_str(&text)?)
    }

    /// Waits until the operator's Deployment is rolled out, and gives it.
    async fn operator(&self) -> anyhow::Result<Value> {
        let name = format!("deployment/{OPERATOR}");
        let status = ["rollout", "status", &name, "-n", SYSTEM, "--timeout=60s"];
        self.control_plane.kubectl(&status).await?;
        self.get(&[&name, "-n", SYSTEM]).await
    }

    /// Starts the program as a pod of `deployment` would: as its account, with its arguments.
    async fn run(&self, deployment: &Value) -> anyhow::Result<Process> {
        let pod = &deployment["spec"]["template"]["spec"];
        let account = pod["serviceAccountName"].as_str().context("no account")?;
        let arguments = pod["containers"][0]["args"].as_array();
        let arguments = arguments.context("no arguments")?;
        let mut arguments = arguments.iter().filter_map(Value::as_str);
        anyhow::ensure!(arguments.next() == Some("run"), "{pod}");
        let control_plane = &self.control_plane;
        let token = control_plane.service_account_token(SYSTEM, account).await?;
        let kubeconfig = control_plane.kubeconfig_with_token(account, &token)?;
        let operator = Process::start(Start {
            arguments: arguments.map(str::to_owned).collect(),
            environment: vec![
                ("POD_NAMESPACE", SYSTEM.into()),
                ("POD_NAME", account.into()),
            ],
            ..Start::alone(&kubeconfig)
        })
        .await?;
        operator.until_leading().await?;
        Ok(operator)
    }

    /// Waits until the runtime is ready.
    async fn until_ready(&self) -> anyhow::Result<()> {
        self.until_ready_in(&self.namespace).await
    }

    /// Waits until the runtime of a namespace is ready with its present spec.
    async fn until_ready_in(&self, namespace: &str) -> anyhow::Result<()> {
        eventually(async || {
            let found = self.get(&["emr", "plant", "-n", namespace]).await?;
            let fresh = found["status"]["observedGeneration"] == found["metadata"]["generation"];
            let ready = condition(&found["status"], "Ready")["status"] == "True";
            Ok((fresh && ready).then_some(()))
        })
        .await
    }

    /// The UID and generation of each worker's Deployment, and its pods' names.
    async fn workers(&self) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
        let of = ["-n", &self.namespace, "-l", "edgemodel.io/runtime"];
        let all = self.get(&[&["deployments,pods"], &of[..]].concat()).await?;
        let mut found = BTreeMap::new();
        for object in all["items"].as_array().into_iter().flatten() {
            let metadata = &object["metadata"];
            let name = format!("{}/{}", object["kind"], metadata["name"]);
            let template = object["spec"]["template"].to_string();
            let generation = metadata["generation"].to_string();
            found.insert(
                name,
                vec![metadata["uid"].to_string(), generation, template],
            );
        }
        anyhow::ensure!(found.len() >= 4, "{found:#?}");
        Ok(found)
    }
}

/// The chart as it was before, with a version of its own.
async fn previous(control_plane: &ControlPlane, directory: &Path) -> anyhow::Result<String> {
    let folder = directory.to_str().context("a path that is text")?;
    let package = [
        "package",
        CHART,
        "--version",
        "0.0.9",
        "--destination",
        folder,
    ];
    control_plane.helm(&package).await?;
    Ok(format!("{folder}/edgemodel-0.0.9.tgz"))
}

/// A new version of the chart is not a reason to stop a worker, or the operator.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_of_the_chart_replaces_no_pod_and_an_uninstall_keeps_the_runtimes()
-> anyhow::Result<()> {
    let life = Life::start().await?;
    let directory = tempfile::tempdir()?;
    let previous = previous(&life.control_plane, directory.path()).await?;
    let notes = life
        .helm(
            &["install", RELEASE, &previous, "--create-namespace"],
            &json!({}),
        )
        .await?;
    for words in [
        "helm test edgemodel --namespace edgemodel-system",
        "--service-node-port-range=30000-60000",
    ] {
        assert!(notes.contains(words), "{notes}");
    }
    // What the notes tell to apply is taken as it stands.
    let first = notes.split("<<'END'\n").nth(1);
    let first = first.and_then(|rest| rest.split("\nEND\n").next());
    let dry = ["apply", "--dry-run=server", "--validate=strict", "-f", "-"];
    let applied = life
        .control_plane
        .kubectl_with_input(&dry, first.context("no example")?)
        .await?;
    assert!(applied.contains("edgemodelruntime"), "{applied}");
    let before = life.operator().await?;
    let operator = life.run(&before).await?;
    let apply = ["apply", "-n", &life.namespace, "-f", "-"];
    let plant = runtime("plant", &["one", "two"], &[("monitor", 8080, 38_080)]);
    life.control_plane
        .kubectl_with_input(&apply, &plant.to_string())
        .await?;
    life.until_ready().await?;
    let workers = life.workers().await?;

    // Values of which no pod knows.
    let values = json!({
        "labels": { "team": "edge" },
        "podDisruptionBudget": { "enabled": true },
        "monitoring": { "dashboard": { "enabled": true } },
        "admissionPolicy": { "enabled": true, "allowedModelHosts": ["models.example"] },
        "networkPolicy": { "enabled": true },
    });
    life.helm(&["upgrade", RELEASE, CHART], &values).await?;
    let after = life.operator().await?;
    assert_eq!(
        after["metadata"]["labels"]["helm.sh/chart"],
        "edgemodel-0.1.0"
    );
    assert_eq!(after["spec"]["template"], before["spec"]["template"]);
    let sets = life.get(&["replicasets", "-n", SYSTEM]).await?;
    assert_eq!(sets["items"].as_array().map(Vec::len), Some(1), "{sets:#}");
    // The operator as the new release starts it finds nothing to change.
    drop(operator);
    let operator = life.run(&after).await?;
    let looked = "edgemodel_operator_reconciles_total{result=\"ok\"}";
    eventually(async || Ok(operator.metrics().await?.contains(looked).then_some(()))).await?;
    assert_eq!(life.workers().await?, workers);
    assert!(!operator.metrics().await?.contains("kind=\"Deployment\""));

    // What concerns the pods does replace them: the template is not just ignored.
    life.helm(&["upgrade", RELEASE, CHART], &json!({ "resync": 60 }))
        .await?;
    let resync = &life.operator().await?["spec"]["template"];
    assert_ne!(*resync, before["spec"]["template"]);
    // From one strategy to the other, and back.
    for (enabled, strategy) in [(false, "Recreate"), (true, "RollingUpdate")] {
        let values = json!({ "leaderElection": { "enabled": enabled } });
        life.helm(&["upgrade", RELEASE, CHART], &values).await?;
        assert_eq!(life.operator().await?["spec"]["strategy"]["type"], strategy);
    }

    drop(operator);
    uninstalls(&life, &workers).await
}

async fn uninstalls(life: &Life, workers: &BTreeMap<String, Vec<String>>) -> anyhow::Result<()> {
    let uninstall = ["uninstall", RELEASE, "--namespace", SYSTEM];
    life.control_plane.helm(&uninstall).await?;
    let runtime = ["emr", "plant", "-n", &life.namespace];
    for kept in [&[DEFINITION][..], &runtime] {
        // What is on its way out is still there, for a moment.
        let object = life.get(kept).await?;
        let leaves = &object["metadata"]["deletionTimestamp"];
        assert!(leaves.is_null(), "{kept:?} goes: {leaves}");
    }
    assert_eq!(life.workers().await?, *workers);
    let of_operator = [
        "all,configmaps,clusterroles,clusterrolebindings,roles,rolebindings,validatingadmissionpolicies",
    ];
    let by_label = ["-n", SYSTEM, "-l", "app.kubernetes.io/instance=edgemodel"];
    let left = life.get(&[&of_operator[..], &by_label].concat()).await;
    eventually(async || {
        let left = life.get(&[&of_operator[..], &by_label].concat()).await?;
        let none = left["items"].as_array().is_some_and(Vec::is_empty);
        Ok(none.then_some(()))
    })
    .await
    .with_context(|| format!("{left:#?}"))?;

    // A kept definition is taken over, and may go for good.
    let again = ["install", RELEASE, CHART, "--take-ownership"];
    life.helm(&again, &json!({ "crds": { "keep": false } }))
        .await?;
    life.control_plane.helm(&uninstall).await?;
    eventually(async || {
        let get = ["get", DEFINITION, "--ignore-not-found"];
        let text = life.control_plane.kubectl(&get).await?;
        Ok(text.is_empty().then_some(()))
    })
    .await
}
