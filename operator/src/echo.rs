//! The operator's own reports come back by its watch, and say nothing that it does not know.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kube::api::ObjectMeta;

/// The versions that runtimes got by the operator's own reports, until its watch has told of them.
///
/// A report is written for the very version that a look has read, so nothing lies between the two that would be
/// missed.
#[derive(Debug, Clone, Default)]
pub struct Echoes {
    /// Resource version by UID.
    expected: Arc<Mutex<HashMap<String, String>>>,
}

impl Echoes {
    /// A report has made this of a runtime.
    pub fn expect(&self, runtime: &ObjectMeta) {
        if let (Some(uid), Some(version)) = (&runtime.uid, &runtime.resource_version) {
            self.expected().insert(uid.clone(), version.clone());
        }
    }

    /// Whether the watch tells of the operator's own report.
    pub fn is_echo(&self, runtime: &ObjectMeta) -> bool {
        let mut expected = self.expected();
        let uid = runtime.uid.as_deref().unwrap_or_default();
        let is_echo = runtime.resource_version.is_some()
            && expected.get(uid) == runtime.resource_version.as_ref();
        if is_echo {
            expected.remove(uid);
        }
        is_echo
    }

    /// A runtime is gone.
    pub fn forget(&self, runtime: &ObjectMeta) {
        let uid = runtime.uid.as_deref().unwrap_or_default();
        self.expected().remove(uid);
    }

    fn expected(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.expected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime(uid: &str, version: &str) -> ObjectMeta {
        ObjectMeta {
            uid: Some(uid.to_owned()),
            resource_version: Some(version.to_owned()),
            ..ObjectMeta::default()
        }
    }

    #[test]
    fn only_the_version_that_a_report_made_is_an_echo_and_only_once() {
        let echoes = Echoes::default();
        assert!(!echoes.is_echo(&runtime("a", "1")));
        echoes.expect(&runtime("a", "2"));
        assert!(!echoes.is_echo(&runtime("a", "1")));
        assert!(!echoes.is_echo(&runtime("b", "2")));
        assert!(echoes.is_echo(&runtime("a", "2")));
        assert!(
            !echoes.is_echo(&runtime("a", "2")),
            "a new list tells of it again"
        );
        echoes.expect(&runtime("a", "3"));
        echoes.forget(&runtime("a", "9"));
        assert!(!echoes.is_echo(&runtime("a", "3")));
    }
}
