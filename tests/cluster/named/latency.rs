//! EN-07: every call takes half a minute, longer than a lease.

use std::time::Duration;

use operator::run::End;
use tests::control_plane::Kubelet;
use tests::eventually;
use tests::faults::Plan;
use tests::operator::{Operator, candidate, cluster, settings};

use super::{plant, ready};
use crate::operator::Site;

#[tokio::test]
async fn a_leader_whose_calls_take_half_a_minute_makes_way_and_writes_nothing_more()
-> anyhow::Result<()> {
    let control_plane = cluster().await?;
    let namespace = control_plane.namespace("en07").await?;
    let plan = Plan::new();
    let mut elected = candidate(&namespace, "slow");
    if let Some(election) = &mut elected.election {
        election.duration = Duration::from_secs(3);
    }
    let client = control_plane.client_through(&plan.layer())?;
    let slow = Operator::start(client, elected);
    let kubelet = Kubelet::start(control_plane.client()?, Some(&namespace));
    let mut site = Site {
        control_plane,
        namespace,
        kubelet,
        operator: slow,
    };
    site.put(&plant(1)).await?;
    site.until("plant", ready).await?;
    plan.delay(Duration::from_secs(30));
    eventually(async || Ok(site.operator.has_ended().then_some(()))).await?;
    let written = plan.writes().len();
    let client = control_plane.client()?;
    let next = Operator::start(client, settings(&site.namespace));
    let slow = std::mem::replace(&mut site.operator, next);
    assert_eq!(slow.stop().await?, End::LeaseLost);
    site.put(&plant(2)).await?;
    site.until("plant", ready).await?;
    assert_eq!(plan.writes().len(), written);
    Ok(())
}

/// Without a second operator it waits, and goes on when the network does.
#[tokio::test]
async fn an_operator_that_is_alone_goes_on_when_its_calls_are_fast_again() -> anyhow::Result<()> {
    let plan = Plan::new();
    let site = Site::with(cluster().await?, "en07-alone", &plan).await?;
    site.put(&plant(1)).await?;
    site.until("plant", ready).await?;
    plan.delay(Duration::from_secs(30));
    site.put(&plant(2)).await?;
    // A call of before the change is under way.
    let looked = site.looked(&plan, 0);
    tokio::time::timeout(Duration::from_secs(5), looked)
        .await
        .unwrap_err();
    plan.delay(Duration::ZERO);
    site.until("plant", ready).await?;
    assert!(!site.operator.has_ended());
    Ok(())
}
