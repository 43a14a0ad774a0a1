//! Leaves out of a watch what is no news.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use futures_util::{Stream, TryStreamExt as _};
use kube::Resource;
use kube::api::ObjectMeta;
use kube::runtime::watcher::{self, Event};

use crate::echo::Echoes;

/// All but the operator's own reports.
pub(super) fn of_others<K: Resource>(
    events: impl Stream<Item = watcher::Result<Event<K>>>,
    echoes: Echoes,
) -> impl Stream<Item = watcher::Result<Event<K>>> {
    events.try_filter(move |event| {
        std::future::ready(match event {
            Event::Apply(object) => !echoes.is_echo(object.meta()),
            Event::Delete(object) => {
                echoes.forget(object.meta());
                true
            }
            Event::Init | Event::InitApply(_) | Event::InitDone => true,
        })
    })
}

/// All but changes of nothing but the status: an autoscaler counts several times a minute, and nobody here reads that.
pub(super) fn besides_status<K: Resource>(
    events: impl Stream<Item = watcher::Result<Event<K>>>,
) -> impl Stream<Item = watcher::Result<Event<K>>> {
    let mut seen = HashMap::<String, u64>::new();
    events.try_filter(move |event| {
        let uid = |object: &K| object.meta().uid.clone().unwrap_or_default();
        std::future::ready(match event {
            Event::Apply(object) | Event::InitApply(object) => {
                let now = fingerprint(object.meta());
                let before = seen.insert(uid(object), now);
                before != Some(now) || matches!(event, Event::InitApply(_))
            }
            Event::Delete(object) => {
                seen.remove(&uid(object));
                true
            }
            Event::Init => {
                // The list tells of those that are there.
                seen.clear();
                true
            }
            Event::InitDone => true,
        })
    })
}

/// Of who has written what and when, and of all other metadata that is somebody's, but not of the status.
fn fingerprint(object: &ObjectMeta) -> u64 {
    let mut hasher = DefaultHasher::new();
    object.generation.hash(&mut hasher);
    object.labels.hash(&mut hasher);
    object.annotations.hash(&mut hasher);
    object.finalizers.hash(&mut hasher);
    object.deletion_timestamp.is_some().hash(&mut hasher);
    for owner in object.owner_references.iter().flatten() {
        (&owner.uid, owner.controller).hash(&mut hasher);
    }
    let writers = object.managed_fields.iter().flatten();
    for writer in writers.filter(|writer| writer.subresource.as_deref() != Some("status")) {
        let time = writer.time.as_ref().map(|time| time.0.as_second());
        let fields = writer.fields_v1.as_ref().map(|fields| fields.0.to_string());
        (&writer.manager, &writer.operation, time, fields).hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt as _, stream};
    use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, Time};
    use k8s_openapi::jiff::Timestamp;

    use super::*;

    /// One that was last written at these seconds: but for its status, and its status.
    fn scaler(written: i64, counted: i64) -> HorizontalPodAutoscaler {
        let writer = |subresource: Option<&str>, second| ManagedFieldsEntry {
            manager: Some("somebody".to_owned()),
            subresource: subresource.map(str::to_owned),
            time: Timestamp::from_second(second).ok().map(Time),
            ..ManagedFieldsEntry::default()
        };
        let mut scaler = HorizontalPodAutoscaler::default();
        scaler.metadata.uid = Some("uid".to_owned());
        scaler.metadata.resource_version = Some(counted.to_string());
        scaler.metadata.managed_fields =
            Some(vec![writer(None, written), writer(Some("status"), counted)]);
        scaler
    }

    async fn told(events: Vec<Event<HorizontalPodAutoscaler>>) -> Vec<bool> {
        let versions = |event: watcher::Result<Event<HorizontalPodAutoscaler>>| match event {
            Ok(Event::Apply(_) | Event::InitApply(_)) => false,
            Ok(Event::Delete(_)) => true,
            other => panic!("{other:?}"),
        };
        let events = stream::iter(events.into_iter().map(Ok));
        besides_status(events).map(versions).collect().await
    }

    #[tokio::test]
    async fn an_autoscaler_that_counts_is_no_news_but_one_that_is_edited_or_deleted_is() {
        let counts = vec![
            Event::InitApply(scaler(1, 1)),
            Event::Apply(scaler(1, 2)),
            Event::Apply(scaler(1, 3)),
        ];
        assert_eq!(told(counts).await, [false]);
        let edited = vec![Event::Apply(scaler(1, 2)), Event::Apply(scaler(2, 2))];
        assert_eq!(told(edited).await, [false, false]);
        let deleted = vec![
            Event::Apply(scaler(1, 2)),
            Event::Delete(scaler(1, 2)),
            Event::Apply(scaler(1, 2)),
        ];
        assert_eq!(told(deleted).await, [false, true, false]);
        let listed_again = vec![
            Event::InitApply(scaler(1, 2)),
            Event::InitApply(scaler(1, 3)),
        ];
        assert_eq!(told(listed_again).await, [false, false]);
    }
}
