//! A runtime that is to be left alone.

use serde_json::Value;
use tests::faults::Plan;
use tests::operator::cluster;

use super::{Site, condition, runtime};

/// Whoever waits for a runtime must neither be told that a spec serves which does not, nor wait for what nobody does.
#[tokio::test]
async fn a_runtime_that_is_changed_while_paused_says_that_it_waits_for_somebody()
-> anyhow::Result<()> {
    let plan = Plan::new();
    let site = Site::with(cluster().await?, "paused", &plan).await?;
    let ready = |status: &Value| condition(status, "Ready")["status"] == "True";
    let paused = |status: &Value| condition(status, "Reconciling")["reason"] == "Paused";
    let deployments = async || -> anyhow::Result<Value> {
        let found = site.get(&["deployments"]).await?;
        let items = found["items"].as_array().into_iter().flatten();
        Ok(items
            .map(|one| one["metadata"]["generation"].clone())
            .collect())
    };
    site.put(&runtime("plant", &["alpha"], &[])).await?;
    site.until("plant", ready).await?;
    let before = deployments().await?;
    let annotate = ["annotate", "emr", "plant"];
    site.kubectl(&[&annotate[..], &["edgemodel.io/paused=true"]].concat())
        .await?;
    let found = site.until("plant", paused).await?;
    assert!(ready(&found["status"]), "{found:#}");

    site.put(&runtime("plant", &["alpha", "beta"], &[])).await?;
    let found = site
        .until("plant", |status| {
            condition(status, "Stalled")["status"] == "True"
        })
        .await?;
    let status = &found["status"];
    assert_eq!(status["observedGeneration"], 2);
    for (kind, expected) in [
        ("Accepted", "Unknown"),
        ("ModelsReady", "Unknown"),
        ("Exposed", "Unknown"),
        ("Ready", "False"),
        ("Reconciling", "False"),
    ] {
        let condition = condition(status, kind);
        assert_eq!(condition["status"], expected, "{kind}");
        assert_eq!(condition["reason"], "Paused", "{kind}");
    }
    assert_eq!(status["models"][0]["reason"], "Paused");
    let written = plan.writes().len();
    site.looked(&plan, 2).await?;
    assert_eq!(plan.writes().len(), written, "{:?}", plan.writes());
    assert_eq!(deployments().await?, before);

    site.kubectl(&[&annotate[..], &["edgemodel.io/paused-"]].concat())
        .await?;
    let found = site.until("plant", ready).await?;
    assert_eq!(found["status"]["modelsSummary"], "2/2");
    Ok(())
}
