//! What happens around the operator: an API server that is slow, overloaded or restarted, a kind that goes, a namespace
//! that is deleted.

use std::time::Duration;

use kube::Api;
use kube::api::DeleteParams;
use tests::control_plane::ControlPlane;
use tests::eventually;
use tests::faults::{Answer, Plan, WriteFault};
use tests::operator::{DEFINITION, cluster};

use super::{Site, condition, runtime};

fn ready(status: &serde_json::Value) -> bool {
    condition(status, "Ready")["status"] == "True"
}

/// IS-20: a runtime whose write is put off by the API server holds up no other.
#[tokio::test]
async fn an_overloaded_api_server_holds_up_one_runtime_and_not_the_next() -> anyhow::Result<()> {
    let busy = WriteFault::Answer(Answer::TOO_MANY_REQUESTS.retry_after(30));
    let plan = Plan::new().at_write(2, busy);
    let site = Site::with(cluster().await?, "busy", &plan).await?;
    site.put(&runtime("one", &["alpha"], &[])).await?;
    eventually(async || Ok((plan.writes().len() >= 2).then_some(()))).await?;
    site.put(&runtime("two", &["alpha"], &[])).await?;
    site.until("two", ready).await?;
    site.until("one", ready).await?;
    Ok(())
}

/// F10: every call takes two seconds.
#[tokio::test]
async fn a_slow_api_server_is_waited_for() -> anyhow::Result<()> {
    let plan = Plan::new();
    let site = Site::with(cluster().await?, "slow", &plan).await?;
    plan.delay(Duration::from_secs(2));
    site.put(&runtime("plant", &["alpha"], &[])).await?;
    site.until("plant", ready).await?;
    Ok(())
}

/// CC-14: nothing is left of a runtime that is deleted while its children are being made.
#[tokio::test]
async fn a_runtime_that_is_deleted_at_once_leaves_nothing() -> anyhow::Result<()> {
    let site = Site::start("brief").await?;
    for _ in 0..5 {
        site.put(&runtime(
            "plant",
            &["alpha", "beta"],
            &[("monitor", 8080, 31111)],
        ))
        .await?;
        site.kubectl(&["delete", "emr", "plant", "--wait=false"])
            .await?;
    }
    site.until_nothing_is_left().await
}

/// W18: nothing is made in a namespace that goes, and the operator of it goes on.
#[tokio::test]
async fn a_namespace_can_be_deleted_with_all_that_is_in_it() -> anyhow::Result<()> {
    let site = Site::start("leaving").await?;
    site.put(&runtime("plant", &["alpha"], &[])).await?;
    site.until("plant", ready).await?;
    let namespaces =
        Api::<k8s_openapi::api::core::v1::Namespace>::all(site.control_plane.client()?);
    namespaces
        .delete(&site.namespace, &DeleteParams::default())
        .await?;
    eventually(async || {
        Ok(namespaces
            .get_opt(&site.namespace)
            .await?
            .is_none()
            .then_some(()))
    })
    .await?;
    assert!(!site.operator.has_ended());
    Ok(())
}

/// EN-01 and UN-15: an API server that is killed at any write, and a definition that is taken away and given back.
#[tokio::test]
async fn a_restarted_api_server_and_a_definition_that_comes_back_need_no_help() -> anyhow::Result<()>
{
    let control_plane = ControlPlane::start(tests::operator::options()).await?;
    let plan = Plan::new();
    let site = Site::with(&control_plane, "restarted", &plan).await?;
    // All eight writes of the workload take half a minute more.
    let all = tests::long::long("plans").is_some_and(|part| part.is_empty());
    for writes in (1..=8).filter(|writes| all || [1, 3, 6].contains(writes)) {
        let before = plan.writes().len();
        let name = format!("plant-{writes}");
        site.put(&runtime(
            &name,
            &["alpha", "beta"],
            &[("monitor", 8080, 31120 + writes)],
        ))
        .await?;
        let wanted = before + usize::from(writes);
        eventually(async || Ok((plan.writes().len() >= wanted).then_some(()))).await?;
        control_plane.restart_apiserver().await?;
        site.until(&name, ready).await?;
    }
    control_plane
        .kubectl(&["delete", "crd", "edgemodelruntimes.edgemodel.io"])
        .await?;
    control_plane.define(DEFINITION).await?;
    // When its children go is the garbage collector's affair, which has to learn the kind anew.
    site.put(&runtime("again", &["alpha"], &[("monitor", 8080, 31129)]))
        .await?;
    site.until("again", ready).await?;
    Ok(())
}
