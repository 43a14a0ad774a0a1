//! What a runtime says of models that do not serve, in the words of their worker or of the cluster.

use crds::termination::Termination;
use kube::api::ListParams;
use serde_json::{Value, json};
use tests::control_plane::PodState;
use tests::eventually;

use super::{Site, condition, runtime};

/// The digest of the first model, as a status shows it.
const FIRST: &str = "md5:AAAAAAAAAAAAAAAAAAAAAQ==";
/// Of `f` in hex.
const REFUSED: &str = "md5://///////////////////w==";
/// Of `e` in hex, and as columns show it.
const LAST: &str = "md5:7u7u7u7u7u7u7u7u7u7u7g==";
const SHORT: &str = "7u7u7u7u7u7u";

/// Quotas and Pod Security refuse pods, not Deployments: their words reach the status.
#[tokio::test]
async fn what_the_cluster_refuses_is_told_in_its_words() -> anyhow::Result<()> {
    let site = Site::start("refused").await?;
    site.kubectl(&["create", "quota", "none", "--hard=pods=0"])
        .await?;
    site.put(&runtime("plant", &["alpha"], &[])).await?;
    let found = site
        .until("plant", |status| {
            status["models"][0]["reason"] == "FailedCreate"
        })
        .await?;
    let model = &found["status"]["models"][0];
    assert!(
        model["message"]
            .as_str()
            .is_some_and(|text| text.contains("exceeded quota")),
        "{model}"
    );
    site.kubectl(&["delete", "quota", "none"]).await?;
    Ok(())
}

#[tokio::test]
async fn workers_pass_the_restricted_pod_security_standard() -> anyhow::Result<()> {
    let site = Site::start("restricted").await?;
    let label = "pod-security.kubernetes.io/enforce=restricted";
    site.control_plane
        .kubectl(&["label", "namespace", &site.namespace, label])
        .await?;
    site.put(&runtime("plant", &["alpha"], &[])).await?;
    site.until("plant", |status| {
        condition(status, "Ready")["status"] == "True"
    })
    .await?;
    Ok(())
}

/// A model that does not give the results that it brings along never serves, and what serves stays.
#[tokio::test]
async fn a_model_whose_sample_fails_says_so_and_the_worker_before_it_serves_on()
-> anyhow::Result<()> {
    let site = Site::start("sample").await?;
    let mut plant = runtime("plant", &["alpha", "beta"], &[]);
    site.put(&plant).await?;
    site.until("plant", |status| {
        condition(status, "Ready")["status"] == "True"
    })
    .await?;
    let alpha = ["pods", "-l", "edgemodel.io/model=alpha"];
    let before = site.get(&alpha).await?["items"][0]["metadata"].clone();
    let said = Termination {
        reason: "SampleFailed".into(),
        message: "samples/low.json: event 2, ['level']: expected 3, got 4".to_owned(),
    };
    let labels = [("edgemodel.io/model", "alpha")];
    // First it has just ended, and then again and again.
    site.kubelet.report_new(
        &labels,
        PodState::Terminated {
            exit_code: 1,
            message: said.to_json(),
        },
    );
    plant["spec"]["funcs"][0]["modelMd5"] = "f".repeat(32).into();
    site.put(&plant).await?;
    let told = |status: &Value| {
        let model = &status["models"][0];
        model["reason"] == said.reason.as_str() && model["message"] == *said.message
    };
    site.until("plant", told).await?;
    site.kubelet.report_new(
        &labels,
        PodState::CrashLoop {
            exit_code: 1,
            message: said.to_json(),
            restarts: 3,
        },
    );
    let pods = site.objects("pods")?;
    let selector = ListParams::default().labels(alpha[2]);
    eventually(async || {
        let all = pods.list(&selector).await?;
        let mut all = all
            .iter()
            .map(|pod| &pod.data["status"]["containerStatuses"][0]);
        Ok(all.any(|one| one["restartCount"] == 3).then_some(()))
    })
    .await?;
    let found = site.until("plant", told).await?;
    let status = &found["status"];
    let ready = condition(status, "Ready");
    assert_eq!(ready["reason"], "SampleFailed", "{ready}");
    assert_eq!(ready["status"], "False", "{ready}");
    assert_eq!(status["models"][0]["ready"], false);
    assert_eq!(status["models"][1]["ready"], true);
    let serving = pods
        .get(before["name"].as_str().unwrap_or_default())
        .await?;
    assert_eq!(serving.metadata.uid.as_deref(), before["uid"].as_str());
    assert_eq!(serving.metadata.deletion_timestamp, None);
    let conditions = serving.data["status"]["conditions"].as_array();
    let mut conditions = conditions.into_iter().flatten();
    assert!(conditions.any(|one| one["type"] == "Ready" && one["status"] == "True"));
    // A zip that passes takes its place.
    plant["spec"]["funcs"][0]["modelMd5"] = "e".repeat(32).into();
    let told = pods.list(&selector).await?.items;
    let refused: Vec<_> = told
        .into_iter()
        .map(|pod| pod.metadata.uid)
        .filter(|uid| uid.as_deref() != before["uid"].as_str())
        .collect();
    site.put(&plant).await?;
    // Else the refused one would be said to be ready, too.
    eventually(async || {
        let all = pods.list(&selector).await?.items;
        let left = all.iter().any(|pod| refused.contains(&pod.metadata.uid));
        Ok((!left).then_some(()))
    })
    .await?;
    site.kubelet.forget(&labels);
    let served = |status: &Value| status["models"][0]["serving"]["digest"] == LAST;
    let found = site
        .until("plant", |status| {
            condition(status, "Ready")["status"] == "True" && served(status)
        })
        .await?;
    let model = &found["status"]["models"][0];
    assert_eq!(model["wanted"], LAST);
    let node = &model["serving"]["node"];
    let nodes: Vec<_> = pods.list(&selector).await?.items;
    assert_eq!(*node, nodes[0].data["spec"]["nodeName"], "{model}");
    let history = model["history"].as_array().into_iter().flatten();
    let history: Vec<_> = history
        .map(|one| [&one["digest"], &one["ended"], &one["reason"]])
        .collect();
    let expected = json!([
        [FIRST, "Replaced", null],
        [REFUSED, "Refused", "SampleFailed"]
    ]);
    assert_eq!(json!(history), expected);
    // A column of kubectl shows one value only, so all models are in it.
    let table = site.kubectl(&["get", "emr", "-o", "wide"]).await?;
    let columns = format!("{SHORT},AAAAAAAAAAAA");
    assert_eq!(table.matches(&columns).count(), 2, "{table}");
    Ok(())
}
