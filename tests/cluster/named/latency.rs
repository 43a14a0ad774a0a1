//! EN-07: every call takes half a minute, longer than a lease.

use std::time::Duration;

use operator::run::Ended;
use tests::eventually;
use tests::faults::Plan;
use tests::operator::{Operator, cluster, settings};

use super::{elected, plant, ready};
use crate::operator::Site;

#[tokio::test]
async fn a_leader_whose_calls_take_half_a_minute_makes_way_and_writes_nothing_more()
-> anyhow::Result<()> {
    let plan = Plan::new();
    let mut site = elected("en07", "slow", &plan).await?;
    site.put(&plant(1)).await?;
    site.until("plant", ready).await?;
    plan.delay(Duration::from_secs(30));
    eventually(async || Ok(site.operator.has_ended().then_some(()))).await?;
    let written = plan.writes().len();
    let client = site.control_plane.client()?;
    let next = Operator::alone(client, settings(&site.namespace));
    let slow = std::mem::replace(&mut site.operator, next);
    assert_eq!(slow.stop().await?, Ended::LeaseLost);
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
