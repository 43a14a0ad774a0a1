//! What belongs to others is not touched, and what others do to ours is undone.

use operator::desired::names;
use serde_json::json;
use tests::eventually;
use tests::faults::Plan;
use tests::operator::cluster;

use super::{Site, condition, runtime};

#[tokio::test]
async fn an_object_of_somebody_else_is_a_conflict_and_stays_as_it_is() -> anyhow::Result<()> {
    let site = Site::start("conflict").await?;
    let deployment = names::deployment("plant", "alpha");
    let service = names::service("plant", "monitor");
    site.kubectl(&["create", "deployment", &deployment, "--image=theirs"])
        .await?;
    site.kubectl(&["create", "service", "clusterip", &service, "--tcp=80"])
        .await?;
    let theirs = async || {
        let found = site
            .get(&[
                &format!("deployment/{deployment}"),
                &format!("service/{service}"),
            ])
            .await?;
        let objects = found["items"].as_array().cloned().unwrap_or_default();
        // The controller manager writes status and revision; what people write is compared.
        anyhow::Ok(
            objects
                .into_iter()
                .map(|one| {
                    (
                        one["metadata"]["uid"].clone(),
                        one["metadata"]["labels"].clone(),
                        one["spec"].clone(),
                    )
                })
                .collect::<Vec<_>>(),
        )
    };
    let before = theirs().await?;
    site.put(&runtime(
        "plant",
        &["alpha", "beta"],
        &[("monitor", 8080, 31091)],
    ))
    .await?;
    let found = site
        .until("plant", |status| {
            status["models"][0]["reason"] == "NameConflict"
                && status["expose"][0]["reason"] == "NameConflict"
                && status["models"][1]["ready"] == true
        })
        .await?;
    let message = found["status"]["models"][0]["message"]
        .as_str()
        .unwrap_or_default();
    assert!(
        message.contains(&deployment) && message.contains("delete it"),
        "{message}"
    );
    assert_eq!(theirs().await?, before);
    site.kubectl(&["delete", "deployment", &deployment]).await?;
    site.kubectl(&["delete", "service", &service]).await?;
    site.until("plant", |status| {
        condition(status, "Ready")["status"] == "True"
    })
    .await?;
    Ok(())
}

#[tokio::test]
async fn a_status_that_somebody_overwrote_is_restored_and_their_condition_kept()
-> anyhow::Result<()> {
    // Only the watch tells of it.
    let site = Site::quiet(cluster().await?, "status", &Plan::new()).await?;
    site.put(&runtime("plant", &["alpha"], &[])).await?;
    let found = site
        .until("plant", |status| {
            condition(status, "Ready")["status"] == "True"
        })
        .await?;
    let mut conditions = found["status"]["conditions"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    for one in &mut conditions {
        one["status"] = "Unknown".into();
    }
    conditions.push(json!({
        "type": "example.com/Theirs", "status": "True", "reason": "Theirs", "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }));
    let patch =
        json!({ "status": { "conditions": conditions, "modelsSummary": "9/9" } }).to_string();
    site.kubectl(&[
        "patch",
        "emr",
        "plant",
        "--subresource=status",
        "--type=merge",
        "-p",
        &patch,
    ])
    .await?;
    site.until("plant", |status| {
        condition(status, "Ready")["status"] == "True"
            && status["modelsSummary"] == "1/1"
            && condition(status, "example.com/Theirs")["status"] == "True"
    })
    .await?;
    Ok(())
}

#[tokio::test]
async fn a_child_with_a_foreign_finalizer_holds_up_nothing_else() -> anyhow::Result<()> {
    let site = Site::start("finalizer").await?;
    site.put(&runtime("plant", &["alpha", "beta"], &[])).await?;
    site.until("plant", |status| {
        condition(status, "Ready")["status"] == "True"
    })
    .await?;
    let deployment = names::deployment("plant", "alpha");
    let finalizers = |list: &str| format!(r#"{{"metadata":{{"finalizers":{list}}}}}"#);
    let patch = |list| site.kubectl_patch(&deployment, finalizers(list));
    patch(r#"["example.com/wait"]"#).await?;
    site.put(&runtime("plant", &["beta"], &[])).await?;
    site.until("plant", |status| status["modelsSummary"] == "1/1")
        .await?;
    let left = site.get(&["deployment", &deployment]).await?;
    assert!(left["metadata"]["deletionTimestamp"].is_string());
    patch("null").await?;
    eventually(async || {
        let left = site.get(&["deployments"]).await?;
        Ok((left["items"].as_array().map(Vec::len) == Some(1)).then_some(()))
    })
    .await
}

impl Site<'_> {
    async fn kubectl_patch(&self, deployment: &str, patch: String) -> anyhow::Result<String> {
        self.kubectl(&[
            "patch",
            "deployment",
            deployment,
            "--type=merge",
            "-p",
            &patch,
        ])
        .await
    }
}
