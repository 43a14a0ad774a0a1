//! What an object was, one after the other.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::TryStreamExt as _;
use kube::Api;
use kube::core::DynamicObject;
use kube::runtime::watcher::{self, watcher};
use kube::runtime::{WatchStreamExt as _, watcher::DefaultBackoff};
use serde_json::Value;
use tokio::task::AbortHandle;

/// Follows an object until it is dropped.
pub(super) struct History {
    values: Arc<Mutex<Vec<Value>>>,
    task: AbortHandle,
}

impl Drop for History {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl History {
    /// Remembers what `part` takes of the object `name`, each time that it changes.
    pub(super) fn of(
        objects: Api<DynamicObject>,
        name: &str,
        part: impl Fn(&Value) -> Value + Send + Sync + 'static,
    ) -> Self {
        let values = Arc::<Mutex<Vec<Value>>>::default();
        let config = watcher::Config::default().fields(&format!("metadata.name={name}"));
        let seen = Arc::clone(&values);
        let task = tokio::spawn(async move {
            let events = watcher(objects, config)
                .backoff(DefaultBackoff::default())
                .applied_objects();
            let _ = events
                .try_for_each(|object| {
                    let value = part(&serde_json::to_value(object).unwrap_or_default());
                    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                    if seen.last() != Some(&value) {
                        seen.push(value);
                    }
                    std::future::ready(Ok(()))
                })
                .await;
        });
        Self {
            values,
            task: task.abort_handle(),
        }
    }

    /// All of it so far.
    pub(super) fn values(&self) -> Vec<Value> {
        let values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        values.clone()
    }

    /// Waits until it has seen `count` values.
    pub(super) async fn until(&self, count: usize) -> anyhow::Result<()> {
        tests::eventually(async || Ok((self.values().len() >= count).then_some(()))).await
    }
}
