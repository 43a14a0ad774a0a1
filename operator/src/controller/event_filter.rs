//! Leaves out of a watch what is no news.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use futures_util::{Stream, TryStreamExt as _};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::Resource;
use kube::api::ObjectMeta;
use kube::runtime::watcher::{self, Event};

use crate::desired::labels;

/// All but what the operator itself has reported in a status.
pub(super) fn besides_own_status<K: Resource>(
    events: impl Stream<Item = watcher::Result<Event<K>>>,
) -> impl Stream<Item = watcher::Result<Event<K>>> {
    besides(events, |writer| {
        is_of_status(writer) && writer.manager.as_deref() == Some(labels::OPERATOR)
    })
}

/// All but what anybody has reported in a status: an autoscaler counts several times a minute, and nobody here reads that.
pub(super) fn besides_status<K: Resource>(
    events: impl Stream<Item = watcher::Result<Event<K>>>,
) -> impl Stream<Item = watcher::Result<Event<K>>> {
    besides(events, is_of_status)
}

fn is_of_status(writer: &ManagedFieldsEntry) -> bool {
    writer.subresource.as_deref() == Some("status")
}

/// All but changes of what only the `ignored` have written.
fn besides<K: Resource>(
    events: impl Stream<Item = watcher::Result<Event<K>>>,
    ignored: fn(&ManagedFieldsEntry) -> bool,
) -> impl Stream<Item = watcher::Result<Event<K>>> {
    let mut seen = HashMap::<String, u64>::new();
    events.try_filter(move |event| {
        let uid = |object: &K| object.meta().uid.clone().unwrap_or_default();
        std::future::ready(match event {
            Event::Apply(object) | Event::InitApply(object) => {
                let now = fingerprint(object.meta(), ignored);
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

/// Of who has written what and when, and of all other metadata that is somebody's. Times are whole seconds: a second change
/// by the same hand to the same fields of a status in the same second is not told from the first.
fn fingerprint(object: &ObjectMeta, ignored: fn(&ManagedFieldsEntry) -> bool) -> u64 {
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
    for writer in writers.filter(|writer| !ignored(writer)) {
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
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
    use k8s_openapi::jiff::Timestamp;

    use super::*;

    /// Any object: its spec was last written at this second, and its status by these at these.
    fn object(spec: i64, status: &[(&str, i64)]) -> HorizontalPodAutoscaler {
        let writer = |manager: &str, subresource: Option<&str>, second| ManagedFieldsEntry {
            manager: Some(manager.to_owned()),
            subresource: subresource.map(str::to_owned),
            time: Timestamp::from_second(second).ok().map(Time),
            ..ManagedFieldsEntry::default()
        };
        let mut object = HorizontalPodAutoscaler::default();
        object.metadata.uid = Some("uid".to_owned());
        let mut writers = vec![writer("somebody", None, spec)];
        writers.extend(
            status
                .iter()
                .map(|(name, second)| writer(name, Some("status"), *second)),
        );
        object.metadata.managed_fields = Some(writers);
        object
    }

    type Events = Vec<Event<HorizontalPodAutoscaler>>;

    /// How many of the events are told.
    async fn told<S>(
        events: Events,
        news: impl FnOnce(stream::BoxStream<'static, Told>) -> S,
    ) -> usize
    where
        S: Stream<Item = Told>,
    {
        news(stream::iter(events.into_iter().map(Ok)).boxed())
            .count()
            .await
    }

    type Told = watcher::Result<Event<HorizontalPodAutoscaler>>;

    #[tokio::test]
    async fn an_autoscaler_that_counts_is_no_news_but_one_that_is_edited_or_deleted_is() {
        let counted = |second| object(1, &[("kube-controller-manager", second)]);
        let counts = vec![
            Event::InitApply(counted(1)),
            Event::Apply(counted(2)),
            Event::Apply(counted(3)),
        ];
        assert_eq!(told(counts, besides_status).await, 1);
        let edited = vec![Event::Apply(object(1, &[])), Event::Apply(object(2, &[]))];
        assert_eq!(told(edited, besides_status).await, 2);
        let deleted = vec![
            Event::Apply(counted(1)),
            Event::Delete(counted(1)),
            Event::Apply(counted(1)),
        ];
        assert_eq!(told(deleted, besides_status).await, 3);
        let listed_again = vec![Event::InitApply(counted(1)), Event::InitApply(counted(1))];
        assert_eq!(told(listed_again, besides_status).await, 2);
    }

    #[tokio::test]
    async fn a_report_of_the_operator_is_no_news_but_what_others_make_of_it_is() {
        let reports = vec![
            Event::Apply(object(1, &[])),
            Event::Apply(object(1, &[(labels::OPERATOR, 2)])),
            Event::Apply(object(1, &[(labels::OPERATOR, 3)])),
        ];
        assert_eq!(told(reports, besides_own_status).await, 1);
        let overwritten = vec![
            Event::Apply(object(1, &[(labels::OPERATOR, 2)])),
            Event::Apply(object(1, &[(labels::OPERATOR, 2), ("kubectl", 3)])),
            Event::Apply(object(1, &[(labels::OPERATOR, 2), ("kubectl", 4)])),
        ];
        assert_eq!(told(overwritten, besides_own_status).await, 3);
    }
}
