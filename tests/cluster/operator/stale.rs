//! Watches that lie, are silent or break: what is written is decided on what is there now.

use operator::desired::names;
use tests::eventually;
use tests::faults::{Answer, Plan, Verb};
use tests::operator::cluster;

use super::{DEPLOYMENTS, RUNTIMES, Site, ready, runtime, start};

/// ST-03: the operator still sees the spec without the model when the model is back.
#[tokio::test]
async fn a_view_of_an_older_spec_deletes_nothing_that_is_wanted_again() -> anyhow::Result<()> {
    let plan = Plan::new();
    // What a resync finds between the two specs is to be deleted.
    let site = Site::quiet(cluster().await?, "st03", &plan).await?;
    site.put(&runtime("plant", &["alpha", "beta"], &[])).await?;
    site.until("plant", ready).await?;
    let name = names::deployment("plant", "alpha");
    let before = site.get(&["deployment", &name]).await?;
    plan.pause(RUNTIMES);
    site.put(&runtime("plant", &["beta"], &[])).await?;
    let version = site.get(&["emr", "plant"]).await?["metadata"]["resourceVersion"].clone();
    site.put(&runtime("plant", &["alpha", "beta"], &[])).await?;
    let looks = || plan.count(Verb::Get, RUNTIMES);
    let before_the_event = looks();
    plan.freeze(RUNTIMES, version.as_str().unwrap_or_default().parse()?);
    eventually(async || Ok((looks() > before_the_event).then_some(()))).await?;
    site.until("plant", ready).await?;
    plan.resume(RUNTIMES);
    site.until("plant", ready).await?;
    let after = site.get(&["deployment", &name]).await?;
    assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"]);
    Ok(())
}

/// UN-03: a deletion that no watch tells of is healed by the next look.
#[tokio::test]
async fn a_child_that_is_deleted_in_a_gap_comes_back() -> anyhow::Result<()> {
    let (site, plan) = start("un03").await?;
    for resource in [DEPLOYMENTS, "configmaps", "services", "pods"] {
        plan.pause(resource);
    }
    let name = names::deployment("plant", "alpha");
    let before = site.get(&["deployment", &name]).await?["metadata"]["uid"].clone();
    site.kubectl(&["delete", "deployment", &name]).await?;
    for resource in [DEPLOYMENTS, "configmaps", "services", "pods"] {
        plan.expire(resource);
    }
    eventually(async || {
        let found = site.get(&["deployments"]).await?;
        let mut found = found["items"].as_array().into_iter().flatten();
        Ok(found
            .any(|one| one["metadata"]["name"] == *name && one["metadata"]["uid"] != before)
            .then_some(()))
    })
    .await
}

/// UN-02: another runtime under the same name, seen by no watch.
#[tokio::test]
async fn a_runtime_that_was_made_again_in_a_gap_is_a_new_one() -> anyhow::Result<()> {
    let (site, plan) = start("un02").await?;
    plan.pause(RUNTIMES);
    let before = site.get(&["emr", "plant"]).await?["metadata"]["uid"].clone();
    site.kubectl(&["delete", "emr", "plant"]).await?;
    site.put(&runtime("plant", &["beta"], &[])).await?;
    site.until("plant", ready).await?;
    plan.expire(RUNTIMES);
    let found = site.get(&["deployments"]).await?;
    let owners: Vec<_> = found["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| one["metadata"]["ownerReferences"][0]["uid"].clone())
        .collect();
    assert!(owners.len() == 1 && owners[0] != before, "{owners:?}");
    Ok(())
}

#[tokio::test]
async fn watches_that_expire_or_break_off_in_an_event_go_on() -> anyhow::Result<()> {
    let (site, plan) = start("un10").await?;
    for resource in [RUNTIMES, DEPLOYMENTS, "pods"] {
        plan.expire(resource);
        plan.cut(Verb::Watch, resource);
    }
    site.put(&runtime("plant", &["alpha", "beta", "gamma"], &[]))
        .await?;
    let found = site.until("plant", ready).await?;
    assert_eq!(found["status"]["modelsSummary"], "3/3");
    Ok(())
}

/// EN-02: a right that is missing is told of what needs it, and comes back without help.
#[tokio::test]
async fn a_missing_right_is_a_condition_that_heals() -> anyhow::Result<()> {
    let (site, plan) = start("en02").await?;
    plan.refuse(Verb::Patch, DEPLOYMENTS, Answer::FORBIDDEN);
    site.put(&runtime("plant", &["alpha", "beta", "gamma"], &[]))
        .await?;
    let found = site
        .until("plant", |status| {
            status["models"][2]["reason"] == "Forbidden"
        })
        .await?;
    assert_eq!(found["status"]["models"][0]["ready"], true);
    plan.accept(Verb::Patch, DEPLOYMENTS);
    site.until("plant", ready).await?;
    Ok(())
}

/// EN-03: events are a courtesy.
#[tokio::test]
async fn without_the_right_to_write_events_everything_else_works() -> anyhow::Result<()> {
    let (site, plan) = start("en03").await?;
    for verb in [Verb::Create, Verb::Patch] {
        plan.refuse(verb, "events.events.k8s.io", Answer::FORBIDDEN);
    }
    site.put(&runtime("plant", &["alpha", "gamma"], &[]))
        .await?;
    site.until("plant", ready).await?;
    Ok(())
}
