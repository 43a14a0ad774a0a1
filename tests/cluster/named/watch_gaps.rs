//! What happens while nobody watches.

use std::time::Duration;

use operator::desired::names;
use tests::eventually;
use tests::faults::Verb;
use tests::operator::{Operator, settings};

use super::stale::configuration;
use super::{DEPLOYMENTS, RUNTIMES, plant, ready, start};
use crate::operator::{condition, runtime};

/// UN-01: a spec that was changed and changed back is the one that is reported.
#[tokio::test]
async fn a_change_and_the_way_back_in_a_gap_end_where_they_began() -> anyhow::Result<()> {
    let (site, plan) = start("un01").await?;
    let deployment = ["deployment", &names::deployment("plant", "alpha")];
    let before = site.get(&deployment).await?;
    plan.pause(RUNTIMES);
    for digest in [9, 1] {
        site.put(&plant(digest)).await?;
    }
    plan.expire(RUNTIMES);
    let found = site.until("plant", ready).await?;
    assert_eq!(found["status"]["observedGeneration"], 3);
    let after = site.get(&deployment).await?;
    assert_eq!(configuration(&after), configuration(&before));
    assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"]);
    Ok(())
}

/// UN-04: of two children the one that is gone comes back, and the other is left alone.
#[tokio::test]
async fn one_of_two_children_that_is_deleted_in_a_gap_comes_back() -> anyhow::Result<()> {
    let (site, plan) = start("un04").await?;
    let resources = [DEPLOYMENTS, "configmaps", "services", "pods"];
    for resource in resources {
        plan.pause(resource);
    }
    let of_model = ["configmaps", "-l", "edgemodel.io/model=alpha"];
    let configuration = site.get(&of_model).await?["items"][0]["metadata"].clone();
    let name = configuration["name"].as_str().unwrap_or_default();
    let deployment = ["deployment", &names::deployment("plant", "alpha")];
    let before = site.get(&deployment).await?["metadata"]["uid"].clone();
    site.kubectl(&["delete", "configmap", name]).await?;
    for resource in resources {
        plan.expire(resource);
    }
    let maps = site.objects("configmaps")?;
    eventually(async || {
        let found = maps.get_opt(name).await?;
        let again =
            found.filter(|map| map.metadata.uid.as_deref() != configuration["uid"].as_str());
        Ok(again.map(drop))
    })
    .await?;
    assert_eq!(site.get(&deployment).await?["metadata"]["uid"], before);
    Ok(())
}

/// UN-11: an hour in which nothing but bookmarks comes is not a problem, and the watch resumes from the last of them.
#[tokio::test]
async fn a_watch_on_which_only_bookmarks_come_goes_on_from_the_last() -> anyhow::Result<()> {
    let (mut site, plan) = start("un11").await?;
    // One that looks at nothing, and lists nothing, unless a watch tells it to.
    let mut quiet = settings(&site.namespace);
    quiet.resync = Duration::from_mins(30);
    let client = tests::operator::client(site.control_plane, &plan).await?;
    let before = std::mem::replace(&mut site.operator, Operator::alone(client, quiet));
    before.stop().await?;
    site.looked(&plan, 1).await?;
    let resources = [RUNTIMES, DEPLOYMENTS, "configmaps", "services", "pods"];
    let lists = || plan.count(Verb::List, RUNTIMES);
    let before = lists();
    for _minute in 0..60 {
        let now = site.control_plane.revision().await?;
        for resource in resources {
            plan.bookmark(resource, now);
        }
    }
    // The connection breaks in the first event that comes after it.
    plan.cut(Verb::Watch, RUNTIMES);
    site.put(&runtime("plant", &["alpha", "gamma"], &[]))
        .await?;
    let found = site.until("plant", ready).await?;
    assert_eq!(found["status"]["modelsSummary"], "2/2");
    assert!(!plan.cut_pending());
    assert_eq!(lists(), before, "the runtimes were listed again");
    assert_eq!(condition(&found["status"], "Stalled")["status"], "False");
    Ok(())
}
