//! What is remembered of runtimes between reconciles: failures in a row, and namespaces that are being deleted.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kube::runtime::reflector::ObjectRef;
use kube::{Resource as _, ResourceExt as _};

use super::Runtime;

/// How long a runtime is left alone whose namespace is being deleted, whatever happens there: the namespace does not
/// come back, and may be held for days by the pods of a node that is away.
pub(super) const TERMINATING: Duration = Duration::from_mins(5);

/// What is remembered.
#[derive(Default)]
pub(super) struct Attempts(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// Failures in a row of each runtime.
    failures: HashMap<ObjectRef<Runtime>, u32>,
    /// UIDs of runtimes whose namespaces are being deleted, and until when each is left alone.
    terminating: HashMap<String, Instant>,
}

impl Attempts {
    /// Failures of the runtime in a row.
    pub(super) fn failures(&self, runtime: &Runtime) -> u32 {
        let inner = self.inner();
        let failures = inner.failures.get(&ObjectRef::from_obj(runtime));
        failures.copied().unwrap_or(0)
    }

    /// Counts a failure; gives how many there are now in a row.
    pub(super) fn failed(&self, runtime: &Runtime) -> u32 {
        let mut inner = self.inner();
        let failures = inner.failures.entry(ObjectRef::from_obj(runtime));
        let failures = failures.or_insert(0);
        *failures = failures.saturating_add(1);
        *failures
    }

    /// Forgets the failures of the runtime.
    pub(super) fn succeeded(&self, runtime: &Runtime) {
        self.inner().failures.remove(&ObjectRef::from_obj(runtime));
    }

    /// How much longer the runtime is to be left alone.
    pub(super) fn pause(&self, runtime: &Runtime, now: Instant) -> Option<Duration> {
        let until = *self.inner().terminating.get(runtime.meta().uid.as_ref()?)?;
        let left = until.saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }

    /// Leaves the runtime alone from now on, for [`TERMINATING`].
    pub(super) fn leave_alone(&self, runtime: &Runtime, now: Instant) {
        let terminating = &mut self.inner().terminating;
        // The others are gone by now, or are reconciled again and come back.
        terminating.retain(|_, until| *until > now);
        terminating.extend(runtime.uid().map(|uid| (uid, now + TERMINATING)));
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use kube::api::ObjectMeta;
    use kube::core::PartialObjectMetaExt as _;

    use super::*;

    fn runtime(name: &str, uid: &str) -> Runtime {
        let meta = ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some("plant".to_owned()),
            uid: Some(uid.to_owned()),
            ..ObjectMeta::default()
        };
        meta.into_response_partial()
    }

    #[test]
    fn failures_are_counted_in_a_row_and_for_each_runtime() {
        let attempts = Attempts::default();
        let (a, b) = (runtime("a", "1"), runtime("b", "2"));
        assert_eq!((attempts.failed(&a), attempts.failed(&a)), (1, 2));
        assert_eq!((attempts.failures(&a), attempts.failures(&b)), (2, 0));
        attempts.succeeded(&a);
        assert_eq!(attempts.failures(&a), 0);
    }

    #[test]
    fn a_runtime_whose_namespace_is_being_deleted_is_left_alone_but_not_its_successor() {
        let attempts = Attempts::default();
        let (now, a) = (Instant::now(), runtime("a", "1"));
        assert_eq!(attempts.pause(&a, now), None);
        attempts.leave_alone(&a, now);
        assert_eq!(attempts.pause(&a, now), Some(TERMINATING));
        assert_eq!(attempts.pause(&runtime("a", "2"), now), None);
        assert_eq!(attempts.pause(&a, now + TERMINATING), None);
    }
}
