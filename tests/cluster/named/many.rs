//! CC-13: many runtimes made at once, and then all changed at once. 30 of them, or 200 with `EDGEMODEL_LONG=plans`.

use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _};
use kube::api::{ListParams, Patch, PatchParams};
use tests::faults::Plan;
use tests::operator::cluster;
use tests::within;

use super::ready;
use crate::operator::{Site, runtime};

const CALLS: usize = 32;

/// On a machine that has other things to do.
const LIMIT: Duration = Duration::from_mins(4);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_runtimes_at_once_all_get_there_and_so_do_their_changes() -> anyhow::Result<()> {
    let count = match tests::long::long("plans").as_deref() {
        Some("") => 200,
        _ => 30,
    };
    // Looks at all of them every 2 s would be all that the operator gets to.
    let site = Site::quiet(cluster().await?, "cc13", &Plan::new()).await?;
    let runtimes = site.objects("edgemodelruntimes")?;
    for (generation, models) in [(1, &["alpha"][..]), (2, &["alpha", "beta"])] {
        futures_util::stream::iter(0..count)
            .map(async |number| {
                let name = format!("plant-{number}");
                let parameters = PatchParams::apply("user").force();
                let runtime = runtime(&name, models, &[]);
                let patch = Patch::Apply(&runtime);
                runtimes.patch(&name, &parameters, &patch).await.map(drop)
            })
            .buffer_unordered(CALLS)
            .try_collect::<()>()
            .await?;
        within(LIMIT, async || {
            let all = runtimes.list(&ListParams::default()).await?;
            let settled = all.items.iter().filter(|one| {
                let status = &one.data["status"];
                status["observedGeneration"] == generation && ready(status)
            });
            let settled = settled.count();
            anyhow::ensure!(settled == count, "{settled} of {count}");
            Ok(Some(()))
        })
        .await?;
    }
    let deployments = site.objects("deployments")?;
    let deployments = deployments.list(&ListParams::default()).await?;
    assert_eq!(deployments.items.len(), 2 * count);
    Ok(())
}
