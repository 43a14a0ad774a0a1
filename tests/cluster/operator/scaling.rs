//! Who scales the workers.

use std::time::Duration;

use serde_json::{Value, json};
use tests::control_plane::Kubelet;
use tests::eventually;
use tests::faults::{Answer, Plan, Verb};
use tests::operator::{Operator, cluster, settings};

use super::{Site, condition, runtime};

/// A deletion by hand is undone at once, not at the next look in minutes.
#[tokio::test]
async fn an_autoscaler_that_somebody_deletes_comes_back_at_once() -> anyhow::Result<()> {
    let control_plane = cluster().await?;
    let namespace = control_plane.namespace("scaling").await?;
    let mut quiet = settings(&namespace);
    quiet.resync = Duration::from_mins(30);
    let client = tests::operator::client(control_plane, &Plan::new()).await?;
    let site = Site {
        control_plane,
        kubelet: Kubelet::start(control_plane.client()?, Some(&namespace)),
        operator: Operator::start(client, quiet),
        namespace,
    };
    let mut plant = runtime("plant", &["alpha"], &[]);
    plant["spec"]["funcs"][0]["autoscaling"] = json!({ "class": "hpa", "maxReplicas": 3 });
    site.put(&plant).await?;
    site.until("plant", |status| {
        condition(status, "Ready")["status"] == "True"
    })
    .await?;
    let scalers = site.objects("horizontalpodautoscalers")?;
    let found = site.get(&["hpa"]).await?["items"][0]["metadata"].clone();
    let name = found["name"].as_str().unwrap_or_default();
    site.kubectl(&["delete", "hpa", name]).await?;
    eventually(async || {
        let again = scalers.get_opt(name).await?;
        let again = again.filter(|one| one.metadata.uid.as_deref() != found["uid"].as_str());
        Ok(again.map(drop))
    })
    .await
}

/// It would go on to decide the number of workers, against the spec.
#[tokio::test]
async fn an_autoscaler_that_cannot_be_deleted_at_first_goes_later() -> anyhow::Result<()> {
    let plan = Plan::new();
    let site = Site::with(cluster().await?, "scaling", &plan).await?;
    let ready = |status: &Value| {
        condition(status, "Ready")["status"] == "True"
            && condition(status, "Reconciling")["status"] == "False"
    };
    let mut scaled = runtime("plant", &["alpha"], &[]);
    scaled["spec"]["funcs"][0]["autoscaling"] = json!({ "class": "hpa", "maxReplicas": 3 });
    site.put(&scaled).await?;
    site.until("plant", ready).await?;
    let kind = "horizontalpodautoscalers.autoscaling";
    plan.refuse(Verb::Delete, kind, Answer::INTERNAL_ERROR);
    site.put(&runtime("plant", &["alpha"], &[])).await?;
    site.looked(&plan, 2).await?;
    assert_eq!(
        site.get(&["hpa"]).await?["items"].as_array().map(Vec::len),
        Some(1)
    );
    plan.accept(Verb::Delete, kind);
    site.until("plant", ready).await?;
    assert_eq!(
        site.get(&["hpa"]).await?["items"].as_array().map(Vec::len),
        Some(0)
    );
    Ok(())
}
