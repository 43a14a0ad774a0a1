//! Watches KEDA's ScaledObjects where the cluster has them: their kind comes with KEDA and goes with it, also while the
//! operator runs.
//!
//! The watch begins when a look has found the kind: a cluster that has none is not asked for it again and again.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt as _, stream};
use kube::core::{DynamicObject, PartialObjectMeta};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher::{self, watcher};
use kube::{Api, Client, ResourceExt as _};
use tokio::sync::Notify;

use super::retry::Steady;
use super::{Runtime, event_filter, tell};
use crate::kind::Kind;
use crate::metrics::Metrics;

/// Least time from the end of a watch to the beginning of the next: a right that is missing is not asked for at every look.
const PAUSE: Duration = Duration::from_secs(5);

type ScaledObject = PartialObjectMeta<DynamicObject>;

/// The runtimes whose ScaledObjects change, from the moment on that `found` is told that the cluster has the kind.
pub(super) fn owners(
    client: &Client,
    namespace: Option<&str>,
    query: watcher::Config,
    found: Arc<Notify>,
    metrics: Metrics,
) -> impl Stream<Item = ObjectRef<Runtime>> + Send + 'static {
    let resource = Kind::ScaledObject.resource();
    let objects: Api<ScaledObject> = match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    };
    let found = stream::repeat(found).then(async |found| found.notified().await);
    found.flat_map(move |()| {
        let pause = stream::once(tokio::time::sleep(PAUSE)).filter_map(|()| ready(None));
        until_refused(objects.clone(), query.clone(), metrics.clone()).chain(pause)
    })
}

/// Ends when the kind is gone, or may not be watched.
fn until_refused(
    objects: Api<ScaledObject>,
    query: watcher::Config,
    metrics: Metrics,
) -> impl Stream<Item = ObjectRef<Runtime>> + Send {
    let events =
        event_filter::besides_status(watcher(objects, query).backoff(Steady)).touched_objects();
    let events = events.take_while(|event| {
        let refused = event.as_ref().err().and_then(refusal);
        if refused == Some(403) {
            let kind = Kind::ScaledObject.as_str();
            tracing::warn!(
                kind,
                "Not watched, the right is missing; changes by hand are seen at the next look"
            );
        }
        ready(!matches!(refused, Some(403 | 404)))
    });
    events.filter_map(move |event| {
        ready(match event {
            Ok(object) => owner(&object),
            Err(error) => {
                metrics.watch_error();
                tell(&error);
                None
            }
        })
    })
}

fn refusal(error: &watcher::Error) -> Option<u16> {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchError(status) => Some(status.code),
        _ => None,
    }
}

fn owner(object: &ScaledObject) -> Option<ObjectRef<Runtime>> {
    let mut owners = object.owner_references().iter();
    let owner = owners.find(|owner| owner.controller == Some(true))?;
    let is_runtime = owner.kind == "EdgeModelRuntime";
    is_runtime.then_some(ObjectRef::new(&owner.name).within(&object.namespace()?))
}
