//! Who scales the workers.

use serde_json::json;
use tests::eventually;
use tests::faults::{Answer, Plan, Verb};
use tests::operator::cluster;

use super::{Site, condition, ready, runtime};

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

/// It would go on to decide the number of workers, against the spec; also where its model goes altogether.
#[tokio::test]
async fn an_autoscaler_that_cannot_be_deleted_at_first_goes_later() -> anyhow::Result<()> {
    let plan = Plan::new();
    let site = Site::with(cluster().await?, "scaling", &plan).await?;
    let scalers = async || {
        let found = site.get(&["hpa"]).await?;
        anyhow::Ok(found["items"].as_array().map(Vec::len))
    };
    let kind = "horizontalpodautoscalers.autoscaling";
    for models in [&["alpha", "beta"][..], &["beta"]] {
        let mut scaled = runtime("plant", &["alpha", "beta"], &[]);
        scaled["spec"]["funcs"][0]["autoscaling"] = json!({ "class": "hpa", "maxReplicas": 3 });
        site.put(&scaled).await?;
        site.until("plant", ready).await?;
        plan.refuse(Verb::Delete, kind, Answer::INTERNAL_ERROR);
        site.put(&runtime("plant", models, &[])).await?;
        site.looked(&plan, 2).await?;
        assert_eq!(scalers().await?, Some(1), "{models:?}");
        plan.accept(Verb::Delete, kind);
        site.until("plant", ready).await?;
        assert_eq!(scalers().await?, Some(0), "{models:?}");
    }
    Ok(())
}
