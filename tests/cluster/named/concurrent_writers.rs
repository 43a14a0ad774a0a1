//! Others who write at the same time: a thief of the lease, a leader who was away, a user.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::{Patch, PatchParams};
use operator::desired::names;
use operator::lease;
use operator::run::Ended;
use rustix::process::Signal;
use serde_json::{Value, json};
use tests::control_plane::Kubelet;
use tests::eventually;
use tests::faults::Plan;
use tests::operator::{Operator, cluster, settings};

use super::stale::configuration;
use super::{brief, elected, plant, ready, start};
use crate::operator::{Site, runtime};
use crate::process::{Process, Start};

/// CC-01: the lease is stolen when the first write of a change is done.
#[tokio::test]
async fn a_lease_that_is_stolen_in_the_middle_of_a_change_ends_in_the_right_state()
-> anyhow::Result<()> {
    let plan = Plan::new();
    let mut site = elected("cc01", "first", &plan).await?;
    let control_plane = site.control_plane;
    site.put(&plant(1)).await?;
    site.until("plant", ready).await?;
    // Slow, so that the theft comes between two writes.
    plan.delay(Duration::from_millis(400));
    let before = plan.writes().len();
    let mut changed = plant(9);
    changed["spec"]["funcs"][1]["modelMd5"] = format!("{:032x}", 8).into();
    site.put(&changed).await?;
    eventually(async || Ok((plan.writes().len() > before).then_some(()))).await?;
    let leases = Api::<Lease>::namespaced(control_plane.client()?, &site.namespace);
    let thief = json!({ "spec": { "holderIdentity": "thief", "leaseDurationSeconds": 1 } });
    leases
        .patch(lease::NAME, &PatchParams::default(), &Patch::Merge(&thief))
        .await?;
    eventually(async || Ok(site.operator.has_ended().then_some(()))).await?;
    let next = Operator::alone(control_plane.client()?, settings(&site.namespace));
    let first = std::mem::replace(&mut site.operator, next);
    assert_eq!(first.stop().await?, Ended::LeaseLost);
    site.until("plant", ready).await?;
    let maps = site
        .get(&["configmaps", "-l", "edgemodel.io/runtime"])
        .await?;
    assert_eq!(maps["items"].as_array().map(Vec::len), Some(2), "{maps:#}");
    Ok(())
}

/// What one operator writes for a change of `plant`: two ConfigMaps, two Deployments, a Service, and four times the status.
const WRITES: usize = 9;

/// CC-02: two operators look at the same runtimes, and neither knows of the other.
#[tokio::test]
async fn two_operators_without_a_lease_make_the_same_state_with_few_writes() -> anyhow::Result<()> {
    let (first, second) = (Plan::new(), Plan::new());
    let site = Site::with(cluster().await?, "cc02", &first).await?;
    let client = site.control_plane.client_through(&second.layer())?;
    let other = Operator::alone(client, settings(&site.namespace));
    let writes = || first.writes().len() + second.writes().len();
    let mut before = 0;
    for number in [1, 9, 8] {
        site.put(&plant(number)).await?;
        site.until("plant", ready).await?;
        for plan in [&first, &second] {
            site.looked(plan, 1).await?;
        }
        let made = writes() - before;
        before = writes();
        assert!(
            made <= 2 * WRITES,
            "{:?} {:?}",
            first.writes(),
            second.writes()
        );
    }
    for plan in [&first, &second] {
        site.looked(plan, 3).await?;
    }
    assert_eq!(writes(), before, "they write when all is done");
    let maps = site
        .get(&["configmaps", "-l", "edgemodel.io/runtime"])
        .await?;
    assert_eq!(maps["items"].as_array().map(Vec::len), Some(2), "{maps:#}");
    assert!(
        maps.to_string().contains(&format!("{:032x}", 8)),
        "{maps:#}"
    );
    other.stop().await?;
    Ok(())
}

/// CC-03: a leader is stopped for longer than its lease, and goes on when another leads.
#[tokio::test]
async fn a_leader_that_was_stopped_for_longer_than_its_lease_writes_nothing_more()
-> anyhow::Result<()> {
    let control_plane = cluster().await?;
    let namespace = control_plane.namespace("cc03").await?;
    let kubeconfig = control_plane.kubeconfig();
    let kubelet = Kubelet::start(control_plane.client()?, Some(&namespace));
    let start = |name| {
        let mut start = Start::candidate(&kubeconfig, &namespace, name);
        start.arguments.push("--lease-duration=3".to_owned());
        Process::start(start)
    };
    let mut old = start("old").await?;
    old.until_leading().await?;
    let new = brief(&namespace, "new");
    let site = Site {
        control_plane,
        kubelet,
        operator: Operator::alone(control_plane.client()?, new),
        namespace: namespace.clone(),
    };
    site.put(&plant(1)).await?;
    site.until("plant", ready).await?;
    // A change that it hears of and does not get to.
    old.signal(Signal::STOP)?;
    site.put(&plant(9)).await?;
    site.until("plant", ready).await?;
    let children = async || -> anyhow::Result<Value> {
        let of = ["deployments,configmaps,services,emr"];
        let found = site.get(&of).await?;
        let items = found["items"].as_array().into_iter().flatten();
        // Without what a rollout that is over writes to the Deployment.
        let specs = items.map(|one| {
            json!([
                one["metadata"]["name"],
                one["metadata"]["generation"],
                one["spec"],
                one["data"]
            ])
        });
        Ok(specs.collect())
    };
    let before = children().await?;
    old.signal(Signal::CONT)?;
    let ended = eventually(async || old.ended()).await?;
    assert_eq!(ended.code(), Some(1), "{}", old.log());
    assert!(
        old.log().contains("Lease") && !old.log().contains("panicked"),
        "{}",
        old.log()
    );
    assert_eq!(children().await?, before);
    assert!(!site.operator.has_ended());
    Ok(())
}

/// CC-05: the user edits the runtime between two writes of a look.
#[tokio::test]
async fn a_change_in_the_middle_of_a_look_is_not_lost() -> anyhow::Result<()> {
    let (site, plan) = start("cc05").await?;
    plan.delay(Duration::from_millis(300));
    let deployment = names::deployment("plant", "alpha");
    let rolled = site.history("deployments", &deployment, configuration)?;
    rolled.until(1).await?;
    let said = site.history("edgemodelruntimes", "plant", |runtime| {
        let generation = &runtime["metadata"]["generation"];
        json!([generation, runtime["status"]["observedGeneration"]])
    })?;
    let before = plan.writes().len();
    site.put(&plant(7)).await?;
    eventually(async || Ok((plan.writes().len() > before).then_some(()))).await?;
    let mut last = runtime("plant", &["alpha", "gamma"], &[]);
    last["spec"]["funcs"][0]["modelMd5"] = format!("{:032x}", 8).into();
    site.put(&last).await?;
    plan.delay(Duration::ZERO);
    let found = site.until("plant", ready).await?;
    assert_eq!(found["status"]["observedGeneration"], 3);
    let names = found["status"]["models"].as_array().into_iter().flatten();
    let names: Vec<_> = names.map(|model| &model["name"]).collect();
    assert_eq!(names, ["alpha", "gamma"]);
    let said = said.values();
    let ahead = said
        .iter()
        .find(|value| value[0].as_i64() < value[1].as_i64());
    assert_eq!(ahead, None, "{said:?}");
    // Never back to what was once left.
    let rolled = rolled.values();
    let mut once = rolled.clone();
    once.dedup();
    once.sort_by_key(ToString::to_string);
    once.dedup();
    assert_eq!(once.len(), rolled.len(), "{rolled:?}");
    Ok(())
}
