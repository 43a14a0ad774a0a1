//! Notices a storage that was restored from an older copy.
//!
//! Resource versions then decrease, and a watch that resumes from a previously seen one waits, without an error, until
//! the storage has reached it again: changes until then would go unnoticed.

use std::time::Duration;

use crds::EdgeModelRuntime;
use kube::api::ListParams;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::Store;
use kube::{Api, ResourceExt as _};

use crate::api;

type Runtime = PartialObjectMeta<EdgeModelRuntime>;

/// Resolves when the storage is older than what was seen of it; asks once in each `period`.
pub(super) async fn noticed(runtimes: &Api<Runtime>, store: &Store<Runtime>, period: Duration) {
    let mut newest = 0;
    loop {
        tokio::time::sleep(period).await;
        // Before the question: a list is never older than what was seen before it was asked for.
        let seen = store.state();
        let seen = seen
            .iter()
            .filter_map(|runtime| number(runtime.resource_version()));
        newest = seen.fold(newest, u64::max);
        let one = ListParams::default().limit(1);
        let Ok(list) = api::call(runtimes.list_metadata(&one)).await else {
            continue;
        };
        // Versions that aren't numbers cannot be compared.
        let Some(now) = number(list.metadata.resource_version) else {
            continue;
        };
        if now < newest {
            tracing::warn!(
                seen = newest,
                now,
                "API server storage was rolled back, reconciling all runtimes"
            );
            return;
        }
        newest = now;
    }
}

fn number(version: Option<String>) -> Option<u64> {
    version?.parse().ok()
}
