//! pyboot's sample configuration, applied as it is.

use super::{Site, condition, seed};

/// The whole promise in one: what a user applies is what runs, and the status tells the truth about the model that
/// cannot.
#[tokio::test]
async fn the_sample_becomes_workers_ports_and_a_status_that_says_which_model_is_refused()
-> anyhow::Result<()> {
    let site = Site::start("seed").await?;
    site.apply(&seed("sample")).await?;
    let runtime = site
        .until("sample", |status| {
            status["models"][0]["ready"] == true && status["exposedSummary"] == "38080"
        })
        .await?;
    let status = &runtime["status"];
    assert_eq!(status["models"][1]["reason"], "InvalidDigest");
    assert_eq!(status["modelsSummary"], "1/2");
    for (kind, expected, reason) in [
        ("Accepted", "True", "Valid"),
        ("ModelsReady", "False", "InvalidDigest"),
        ("Exposed", "True", "Exposed"),
        ("Ready", "False", "InvalidDigest"),
        ("Reconciling", "False", "Settled"),
        ("Stalled", "True", "InvalidDigest"),
    ] {
        let condition = condition(status, kind);
        assert_eq!(
            (condition["status"].as_str(), condition["reason"].as_str()),
            (Some(expected), Some(reason)),
            "{kind}"
        );
    }
    let deployments = site.get(&["deployments"]).await?;
    assert_eq!(deployments["items"].as_array().unwrap().len(), 1);
    // The story in one line, and the rest for who asks.
    let table = site.kubectl(&["get", "emr"]).await?;
    let row: Vec<_> = table
        .lines()
        .nth(1)
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    assert_eq!(
        row[..5],
        ["sample", "False", "InvalidDigest", "1/2", "38080"],
        "{table}"
    );
    let told = site.kubectl(&["describe", "emr", "sample"]).await?;
    let warning = told
        .lines()
        .find(|line| line.contains("Warning") && line.contains("InvalidDigest"));
    assert!(warning.is_some(), "{told}");
    site.kubectl(&["delete", "emr", "sample"]).await?;
    site.until_nothing_is_left().await
}
