//! The ways in which people apply a runtime, one after the other, to the same object.

mod conflicts;
mod waiting;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tests::control_plane::{ControlPlane, Kubelet};
use tests::eventually;
use tests::faults::{Plan, Verb};
use tests::operator::{Operator, settings};

use super::{Site, condition};

const SAMPLE: &str = include_str!("../../../deploy/samples/edgemodel.yaml");
const NAME: &str = "edgemodel";
const CHART: &str = "apiVersion: v2\nname: plant\nversion: 0.1.0\n";

/// A control plane on which the sample's port is free.
async fn control_plane() -> anyhow::Result<ControlPlane> {
    let control_plane = ControlPlane::start(tests::operator::options()).await?;
    Ok(control_plane)
}

async fn site<'a>(control_plane: &'a ControlPlane, plan: &Plan) -> anyhow::Result<Site<'a>> {
    let namespace = control_plane.namespace("applying").await?;
    let mut settings = settings(&namespace);
    settings.resync = Duration::from_secs(1);
    let client = control_plane.client_through(&plan.layer())?;
    Ok(Site {
        control_plane,
        kubelet: Kubelet::start(control_plane.client()?, Some(&namespace)),
        operator: Operator::alone(client, settings),
        namespace,
    })
}

/// Whoever changes the tool must not meet conflicts, and must not restart a worker.
#[tokio::test]
async fn the_sample_is_applied_by_kubectl_by_the_server_and_by_helm_and_nothing_is_touched()
-> anyhow::Result<()> {
    let control_plane = control_plane().await?;
    let plan = Plan::new();
    let site = site(&control_plane, &plan).await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("edgemodel.yaml");
    std::fs::write(&file, SAMPLE)?;
    let file = file.to_str().unwrap();
    let chart = chart(folder.path(), SAMPLE)?;
    let namespace = site.namespace.as_str();

    let answer = site.kubectl(&["apply", "-f", file]).await?;
    assert_eq!(answer, "edgemodelruntime.edgemodel.io/edgemodel created\n");
    site.until(NAME, |status| {
        status["models"][0]["ready"] == true
            && status["exposedSummary"] == "38080"
            && condition(status, "Reconciling")["status"] == "False"
    })
    .await?;
    let first = Seen::look(&site).await?;
    assert_eq!(first.generation, 1);

    let answer = site.kubectl(&["apply", "-f", file]).await?;
    assert_eq!(
        answer,
        "edgemodelruntime.edgemodel.io/edgemodel unchanged\n"
    );
    first.is_still(&site, &plan).await?;

    // No --force-conflicts: the fields are taken over from client-side apply, values being the same.
    for _ in 0..2 {
        let answer = site
            .kubectl(&["apply", "--server-side", "-f", file])
            .await?;
        assert_eq!(
            answer,
            "edgemodelruntime.edgemodel.io/edgemodel serverside-applied\n"
        );
        first.is_still(&site, &plan).await?;
    }

    let install = ["install", "plant", &chart, "-n", namespace];
    let refused = control_plane.helm(&install).await.unwrap_err().to_string();
    assert!(
        refused.contains("cannot be imported into the current release"),
        "{refused}"
    );
    first.is_still(&site, &plan).await?;
    let taken = [&install[..], &["--take-ownership"]].concat();
    control_plane.helm(&taken).await?;
    first.is_still(&site, &plan).await?;
    let upgrade = ["upgrade", "--install", "plant", &chart, "-n", namespace];
    control_plane.helm(&upgrade).await?;
    first.is_still(&site, &plan).await?;

    // And back.
    site.kubectl(&["apply", "--server-side", "-f", file])
        .await?;
    site.kubectl(&["apply", "-f", file]).await?;
    first.is_still(&site, &plan).await?;
    let managers = managers(&site).await?;
    let of_operator = managers.get("edgemodel-operator").map(String::as_str);
    assert_eq!(of_operator, Some("f:status"), "{managers:?}");

    let answer = site.kubectl(&["delete", "-f", file]).await?;
    assert!(answer.contains("\"edgemodel\" deleted"), "{answer}");
    nothing_is_left(&site).await
}

/// A chart that holds a runtime and nothing else.
fn chart(folder: &Path, runtime: &str) -> anyhow::Result<String> {
    let chart = folder.join("plant");
    std::fs::create_dir_all(chart.join("templates"))?;
    std::fs::write(chart.join("Chart.yaml"), CHART)?;
    std::fs::write(chart.join("templates/edgemodel.yaml"), runtime)?;
    Ok(chart.display().to_string())
}

/// The runtime's generation, and UID and version of all children: each is another when anything was written.
#[derive(Debug, PartialEq)]
struct Seen {
    generation: i64,
    children: BTreeMap<String, (Value, Value)>,
}

impl Seen {
    async fn look(site: &Site<'_>) -> anyhow::Result<Self> {
        let of = ["deployments,replicasets,pods,services,configmaps"];
        let label = ["-l", "edgemodel.io/runtime"];
        let children = site.get(&[&of[..], &label].concat()).await?;
        let children = children["items"].as_array().into_iter().flatten();
        let children = children.map(|child| {
            let metadata = &child["metadata"];
            let name = format!("{} {}", child["kind"], metadata["name"]);
            let version = metadata["resourceVersion"].clone();
            (name, (metadata["uid"].clone(), version))
        });
        let runtime = site.get(&["emr", NAME]).await?;
        Ok(Self {
            generation: runtime["metadata"]["generation"]
                .as_i64()
                .unwrap_or_default(),
            children: children.collect(),
        })
    }

    /// After the operator has looked again, from the beginning to the end.
    async fn is_still(&self, site: &Site<'_>, plan: &Plan) -> anyhow::Result<()> {
        let looks = || plan.count(Verb::Get, "edgemodelruntimes.edgemodel.io");
        // One look may be under way; the second to begin does so when the first of them has ended.
        let before = looks();
        eventually(async || Ok((looks() >= before + 2).then_some(()))).await?;
        let now = Self::look(site).await?;
        anyhow::ensure!(now == *self, "{now:#?} instead of {self:#?}");
        Ok(())
    }
}

/// Which part of the runtime each field manager has.
async fn managers(site: &Site<'_>) -> anyhow::Result<BTreeMap<String, String>> {
    let runtime = site.get(&["emr", NAME, "--show-managed-fields"]).await?;
    let entries = runtime["metadata"]["managedFields"].as_array();
    let entries = entries.into_iter().flatten().map(|entry| {
        let fields = entry["fieldsV1"].as_object().into_iter().flatten();
        let fields: Vec<_> = fields.map(|(name, _)| name.as_str()).collect();
        let manager = entry["manager"].as_str().unwrap_or_default();
        (manager.to_owned(), fields.join(" "))
    });
    Ok(entries.collect())
}

async fn nothing_is_left(site: &Site<'_>) -> anyhow::Result<()> {
    eventually(async || {
        let get = ["get", "all,cm,hpa,emr", "-o", "name"];
        let left = site.kubectl(&get).await?;
        anyhow::ensure!(left == "configmap/kube-root-ca.crt\n", "left:\n{left}");
        Ok(Some(()))
    })
    .await
}
