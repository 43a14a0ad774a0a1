//! OP-60 to OP-71: what one model cannot do harms no other, is told with its exact reason, and is over when the spec is
//! put right, without a hand on anything else.

use anyhow::Context as _;
use kube::api::ListParams;
use serde_json::{Value, json};
use tests::control_plane::ControlPlane;
use tests::faults::Plan;
use tests::operator::{Operator, settings};

use super::misoperation::{self, Misoperation};
use crate::campaign;
use crate::operator::condition;
use crate::plans::runner::Runner;
use crate::plans::spec::{base, with};
use crate::plans::state;
use crate::plans::workload::Action;

/// The pods of the second model.
pub(super) const BETA: [(&str, &str); 1] = [("edgemodel.io/model", "beta")];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_cannot_serve_says_why_harms_no_other_and_recovers_by_its_spec()
-> anyhow::Result<()> {
    let control_plane = tests::operator::cluster().await?;
    let all = campaign::sliced(misoperation::all())?;
    let run = async |misoperation: &Misoperation| run(control_plane, misoperation).await;
    campaign::all(&all, |misoperation| misoperation.name.to_owned(), run).await?;
    Ok(())
}

async fn run(control_plane: &ControlPlane, misoperation: &Misoperation) -> anyhow::Result<()> {
    let runner = Runner::start(control_plane, "misoperation").await?;
    let client = tests::operator::client(control_plane, &Plan::new()).await?;
    let operator = Operator::start(client, settings(&runner.namespace));
    half_a_secret(&runner).await?;
    runner.act(&Action::Apply(base())).await?;
    let before = runner.settled(None, "").await.context("before")?;
    let healthy = Healthy::look(&runner, misoperation.all).await?;

    apply(&runner, misoperation).await?;
    let status = told(&runner, misoperation).await?;
    anyhow::ensure!(
        condition(&status, "Accepted")["status"] == "True",
        "{status:#}"
    );
    anyhow::ensure!(
        condition(&status, "Ready")["reason"] == misoperation.reason,
        "{status:#}"
    );
    let goes_on = condition(&status, "Reconciling")["status"] == "True";
    let is_stuck = condition(&status, "Stalled")["status"] == "True";
    anyhow::ensure!(goes_on != is_stuck, "{status:#}");
    if !misoperation.all {
        anyhow::ensure!(status["models"][0]["ready"] == true, "{status:#}");
    }
    anyhow::ensure!(
        condition(&status, "Exposed")["status"] == "True",
        "{status:#}"
    );
    let now = Healthy::look(&runner, misoperation.all).await?;
    anyhow::ensure!(
        now == healthy,
        "others suffer: {now:#?} instead of {healthy:#?}"
    );

    runner.kubelet.forget(&BETA);
    runner.act(&Action::Apply(base())).await?;
    let back = runner.settled(Some(&before), "").await;
    back.context("with the spec put right")?;
    let now = Healthy::look(&runner, misoperation.all).await?;
    anyhow::ensure!(
        now == healthy,
        "others suffered: {now:#?} instead of {healthy:#?}"
    );
    anyhow::ensure!(!operator.has_ended(), "the operator panicked");
    operator.stop().await?;
    runner.leave().await
}

/// Does what cannot work.
pub(super) async fn apply(runner: &Runner<'_>, misoperation: &Misoperation) -> anyhow::Result<()> {
    if let Some(pods) = &misoperation.pods {
        runner.kubelet.report_new(&BETA, pods.clone());
    }
    runner
        .act(&Action::Apply(with(misoperation.spec)))
        .await
        .context("it was not taken")
}

/// Waits until the runtime tells of it; gives its status.
pub(super) async fn told(
    runner: &Runner<'_>,
    misoperation: &Misoperation,
) -> anyhow::Result<Value> {
    let runtimes = state::api(&runner.client, &runner.namespace, "edgemodelruntimes");
    let mut last = Value::Null;
    let told = runner.until(async || {
        let runtime = runtimes.get("plant").await?;
        last = runtime.data["status"].clone();
        let beta = &last["models"][1];
        let fresh = last["observedGeneration"].as_i64() == runtime.metadata.generation;
        let message = beta["message"].as_str().unwrap_or_default();
        let told = beta["reason"] == misoperation.reason && message.contains(misoperation.words);
        Ok((fresh && told).then_some(()))
    });
    let told = told.await;
    told.with_context(|| format!("not told: {last:#}"))?;
    Ok(last)
}

/// A Secret that lacks a key.
pub(super) async fn half_a_secret(runner: &Runner<'_>) -> anyhow::Result<()> {
    let secrets = kube::Api::<k8s_openapi::api::core::v1::Secret>::namespaced(
        runner.client.clone(),
        &runner.namespace,
    );
    let secret = json!({ "metadata": { "name": "half" }, "stringData": { "username": "edge" } });
    let secret = serde_json::from_value(secret)?;
    secrets
        .create(&kube::api::PostParams::default(), &secret)
        .await?;
    Ok(())
}

/// What must not change: UIDs and generations of the other model's Deployment and of the Services, and its pods.
#[derive(Debug, PartialEq)]
struct Healthy(Vec<Value>);

impl Healthy {
    /// Of all models, or of the first alone.
    async fn look(runner: &Runner<'_>, all: bool) -> anyhow::Result<Self> {
        let model = if all {
            "edgemodel.io/model"
        } else {
            "edgemodel.io/model=alpha"
        };
        let mut seen = Vec::new();
        for (plural, labels) in [
            ("deployments", model),
            ("pods", model),
            ("services", "edgemodel.io/runtime,!edgemodel.io/model"),
        ] {
            let objects = state::api(&runner.client, &runner.namespace, plural);
            let found = objects.list(&ListParams::default().labels(labels)).await?;
            // Decoys have the labels too, and are checked by the invariant watcher.
            let owned = found
                .items
                .into_iter()
                .filter(|one| one.metadata.owner_references.is_some());
            seen.extend(owned.map(|one| {
                let available = &one.data["status"]["availableReplicas"];
                json!([
                    plural,
                    one.metadata.name,
                    one.metadata.uid,
                    one.metadata.generation,
                    available
                ])
            }));
        }
        Ok(Self(seen))
    }
}
