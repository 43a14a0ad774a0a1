//! Of several operators one writes, and any of them may end at any moment.

use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::{Patch, PatchParams};
use operator::lease;
use operator::run::Ended;
use serde_json::json;
use tests::control_plane::Kubelet;
use tests::eventually;
use tests::faults::{Answer, Plan, Verb, WriteFault};
use tests::operator::{Operator, candidate, cluster};

use super::{RUNTIMES, Site, condition, runtime};

async fn holder(leases: &Api<Lease>) -> anyhow::Result<Option<String>> {
    let lease = leases.get_opt(lease::NAME).await?;
    let holder = lease.and_then(|lease| lease.spec?.holder_identity);
    Ok(holder.filter(|holder| !holder.is_empty()))
}

async fn until_holder(leases: &Api<Lease>, name: &str) -> anyhow::Result<()> {
    eventually(async || Ok((holder(leases).await?.as_deref() == Some(name)).then_some(()))).await
}

#[tokio::test]
async fn a_leader_that_is_told_to_end_hands_over_at_once() -> anyhow::Result<()> {
    let control_plane = cluster().await?;
    let namespace = control_plane.namespace("handover").await?;
    let client = control_plane.client()?;
    let leases = Api::<Lease>::namespaced(client.clone(), &namespace);
    let first = Operator::start(client.clone(), candidate(&namespace, "first"));
    until_holder(&leases, "first").await?;
    let second = Operator::start(client.clone(), candidate(&namespace, "second"));
    assert_eq!(first.stop().await?, Ended::Stopped);
    // Released, so that the lease's fifteen seconds need not pass.
    let lease = leases.get(lease::NAME).await?.spec.unwrap_or_default();
    assert_ne!(lease.holder_identity.as_deref(), Some("first"));
    until_holder(&leases, "second").await?;
    assert_eq!(second.stop().await?, Ended::Stopped);
    Ok(())
}

/// As when its last renewal was still on its way.
#[tokio::test]
async fn a_lease_whose_release_meets_a_conflict_is_released_all_the_same() -> anyhow::Result<()> {
    let control_plane = cluster().await?;
    let namespace = control_plane.namespace("handover").await?;
    let client = control_plane.client()?;
    let leases = Api::<Lease>::namespaced(client, &namespace);
    // The first write makes the Lease.
    let conflict = WriteFault::Answer(Answer::CONFLICT);
    let plan = Plan::counting(|_| true).at_write(2, conflict);
    let through = control_plane.client_through(&plan.layer())?;
    let operator = Operator::alone(through, candidate(&namespace, "first"));
    until_holder(&leases, "first").await?;
    assert_eq!(operator.stop().await?, Ended::Stopped);
    let lease = leases.get(lease::NAME).await?.spec.unwrap_or_default();
    assert_eq!(lease.holder_identity.as_deref(), Some(""));
    Ok(())
}

#[tokio::test]
async fn a_leader_that_is_told_to_end_before_it_has_seen_anything_hands_over_too()
-> anyhow::Result<()> {
    let control_plane = cluster().await?;
    let namespace = control_plane.namespace("handover").await?;
    let leases = Api::<Lease>::namespaced(control_plane.client()?, &namespace);
    let plan = Plan::new();
    plan.refuse(Verb::List, RUNTIMES, Answer::UNAVAILABLE);
    let client = control_plane.client_through(&plan.layer())?;
    let operator = Operator::alone(client, candidate(&namespace, "first"));
    until_holder(&leases, "first").await?;
    eventually(async || Ok((plan.count(Verb::List, RUNTIMES) > 0).then_some(()))).await?;
    assert_eq!(operator.stop().await?, Ended::Stopped);
    let lease = leases.get(lease::NAME).await?.spec.unwrap_or_default();
    assert_eq!(lease.holder_identity.as_deref(), Some(""));
    Ok(())
}

#[tokio::test]
async fn an_operator_whose_lease_is_taken_ends() -> anyhow::Result<()> {
    let control_plane = cluster().await?;
    let namespace = control_plane.namespace("stolen").await?;
    let client = control_plane.client()?;
    let leases = Api::<Lease>::namespaced(client.clone(), &namespace);
    let operator = Operator::start(client, candidate(&namespace, "first"));
    until_holder(&leases, "first").await?;
    let thief = json!({ "spec": { "holderIdentity": "thief", "leaseDurationSeconds": 60 } });
    leases
        .patch(lease::NAME, &PatchParams::default(), &Patch::Merge(&thief))
        .await?;
    eventually(async || Ok(operator.has_ended().then_some(()))).await?;
    assert_eq!(operator.stop().await?, Ended::LeaseLost);
    assert_eq!(holder(&leases).await?.as_deref(), Some("thief"));
    Ok(())
}

/// Two operators without any lease, and each killed again and again in the middle of its work.
#[tokio::test]
async fn operators_that_are_killed_again_and_again_end_in_the_same_state() -> anyhow::Result<()> {
    let site = Site::start("killed").await?;
    let client = site.control_plane.client()?;
    for round in 0..6_u16 {
        let models: &[&str] = if round % 2 == 0 {
            &["alpha", "beta"]
        } else {
            &["beta", "gamma"]
        };
        site.put(&runtime(
            "plant",
            models,
            &[("monitor", 8080, 31101 + round % 2)],
        ))
        .await?;
        let other = Operator::alone(client.clone(), tests::operator::settings(&site.namespace));
        site.until("plant", |status| {
            status["models"].as_array().map(Vec::len) == Some(2)
        })
        .await?;
        other.kill();
    }
    site.until("plant", |status| {
        condition(status, "Ready")["status"] == "True"
            && condition(status, "Reconciling")["status"] == "False"
    })
    .await?;
    let found = site
        .get(&[
            "deployments,configmaps,services",
            "-l",
            "edgemodel.io/runtime",
        ])
        .await?;
    assert_eq!(found["items"].as_array().map(Vec::len), Some(6));
    Ok(())
}

/// A leader that was stopped for longer than its lease finds itself without the right to write.
#[tokio::test]
async fn a_candidate_waits_while_another_leads() -> anyhow::Result<()> {
    let control_plane = cluster().await?;
    let namespace = control_plane.namespace("waiting").await?;
    let client = control_plane.client()?;
    let _kubelet = Kubelet::start(client.clone(), Some(&namespace));
    let leases = Api::<Lease>::namespaced(client.clone(), &namespace);
    let first = Operator::start(client.clone(), candidate(&namespace, "first"));
    until_holder(&leases, "first").await?;
    let plan = Plan::new();
    let waiting = control_plane.client_through(&plan.layer())?;
    let second = Operator::start(waiting, candidate(&namespace, "second"));
    let text = runtime("plant", &["alpha"], &[]).to_string();
    control_plane
        .kubectl_with_input(&["apply", "-n", &namespace, "-f", "-"], &text)
        .await?;
    control_plane
        .kubectl(&[
            "wait",
            "-n",
            &namespace,
            "--for=condition=Ready",
            "--timeout=60s",
            "emr/plant",
        ])
        .await?;
    assert!(plan.writes().is_empty(), "{:?}", plan.writes());
    drop((first, second));
    Ok(())
}
