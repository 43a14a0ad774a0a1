//! Who scales the workers.

use serde_json::json;
use tests::eventually;
use tests::faults::Plan;
use tests::operator::cluster;

use super::{Site, condition, runtime};

/// A deletion by hand is undone at once, not at the next look in minutes.
#[tokio::test]
async fn an_autoscaler_that_somebody_deletes_comes_back_at_once() -> anyhow::Result<()> {
    let site = Site::quiet(cluster().await?, "scaling", &Plan::new()).await?;
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
