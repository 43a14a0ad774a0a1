//! Which changes of an object are a reason to reconcile. What is left out here is seen after the resync at the latest.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use futures_util::{Stream, TryStreamExt as _};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::Resource;
use kube::runtime::watcher::{self, Event};

use crate::desired::labels;

/// A digest of a runtime that changes with all but the operator's own reports: with the spec, with annotations, and
/// with what others write into the status. Times are whole seconds: a second change of a status by the same hand in the
/// same second is not told from the first.
pub(super) fn written_by_others<K: Resource>(object: &K) -> u64 {
    let meta = object.meta();
    let mut hasher = DefaultHasher::new();
    meta.generation.hash(&mut hasher);
    meta.annotations.hash(&mut hasher);
    let writers = meta.managed_fields.iter().flatten();
    for writer in writers.filter(|writer| !is_own_report(writer)) {
        let time = writer.time.as_ref().map(|time| time.0.as_second());
        (&writer.manager, &writer.subresource, time).hash(&mut hasher);
    }
    hasher.finish()
}

fn is_own_report(writer: &ManagedFieldsEntry) -> bool {
    writer.subresource.as_deref() == Some("status")
        && writer.manager.as_deref() == Some(labels::OPERATOR)
}

/// The objects that are deleted. An autoscaler counts several times a minute, and nothing here reads that.
pub(super) fn deletions<K: Send>(
    events: impl Stream<Item = watcher::Result<Event<K>>> + Send,
) -> impl Stream<Item = watcher::Result<K>> + Send {
    events.try_filter_map(|event| {
        std::future::ready(Ok(match event {
            Event::Delete(object) => Some(object),
            Event::Apply(_) | Event::Init | Event::InitApply(_) | Event::InitDone => None,
        }))
    })
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt as _, stream};
    use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
    use k8s_openapi::jiff::Timestamp;

    use super::*;

    /// Any object: its spec was last written in this second, and its status by these in these.
    fn object(spec: i64, status: &[(&str, i64)]) -> HorizontalPodAutoscaler {
        let writer = |manager: &str, subresource: Option<&str>, second| ManagedFieldsEntry {
            manager: Some(manager.to_owned()),
            subresource: subresource.map(str::to_owned),
            time: Timestamp::from_second(second).ok().map(Time),
            ..ManagedFieldsEntry::default()
        };
        let status = status.iter();
        let status = status.map(|(name, second)| writer(name, Some("status"), *second));
        let mut object = HorizontalPodAutoscaler::default();
        object.metadata.managed_fields = Some(
            [writer("user", None, spec)]
                .into_iter()
                .chain(status)
                .collect(),
        );
        object
    }

    #[track_caller]
    fn check(before: &HorizontalPodAutoscaler, after: &HorizontalPodAutoscaler, same: bool) {
        let (before, after) = (written_by_others(before), written_by_others(after));
        assert_eq!(before == after, same);
    }

    #[test]
    fn the_operators_own_reports_are_no_reason_to_reconcile() {
        check(&object(1, &[]), &object(1, &[(labels::OPERATOR, 2)]), true);
        let (first, second) = (&[(labels::OPERATOR, 2)], &[(labels::OPERATOR, 3)]);
        check(&object(1, first), &object(1, second), true);
    }

    #[test]
    fn what_others_write_is_a_reason_to_reconcile() {
        check(&object(1, &[]), &object(2, &[]), false);
        check(&object(1, &[]), &object(1, &[("kubectl", 2)]), false);
        let (first, second) = (&[("kubectl", 2)], &[("kubectl", 3)]);
        check(&object(1, first), &object(1, second), false);
        let mut paused = object(1, &[]);
        paused.metadata.annotations = Some([(labels::PAUSED.to_owned(), "true".to_owned())].into());
        check(&object(1, &[]), &paused, false);
    }

    #[tokio::test]
    async fn of_an_autoscaler_only_the_deletion_counts() {
        let events = [
            Event::Init,
            Event::InitApply(object(1, &[])),
            Event::InitDone,
            Event::Apply(object(1, &[("kube-controller-manager", 2)])),
            Event::Delete(object(1, &[("kube-controller-manager", 2)])),
        ];
        let deleted = deletions(stream::iter(events.into_iter().map(Ok)));
        assert_eq!(deleted.count().await, 1);
    }
}
