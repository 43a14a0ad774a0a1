//! Watches a namespace while a plan runs, and remembers what must never be (O6), however short it was.

mod record;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::StreamExt as _;
use futures_util::stream::select_all;
use kube::core::DynamicObject;
use kube::runtime::watcher::{self, Event, watcher};
use kube::runtime::{WatchStreamExt as _, watcher::DefaultBackoff};
use kube::{Client, ResourceExt as _};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::{decoys, state};
use record::Record;

/// A task that follows a namespace; ends when it is dropped.
pub(crate) struct InvariantWatcher {
    record: Arc<Mutex<Record>>,
    leaving: Arc<AtomicBool>,
    changes: watch::Receiver<()>,
    task: AbortHandle,
}

impl Drop for InvariantWatcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl InvariantWatcher {
    pub(crate) fn start(client: Client, namespace: &str) -> Self {
        let record = Arc::<Mutex<Record>>::default();
        let leaving = Arc::<AtomicBool>::default();
        let (changed, changes) = watch::channel(());
        let task = follow(
            client,
            namespace.to_owned(),
            Arc::clone(&record),
            Arc::clone(&leaving),
            changed,
        );
        Self {
            record,
            leaving,
            changes,
            task: tokio::spawn(task).abort_handle(),
        }
    }

    /// From now on everything is deleted, decoys too.
    pub(crate) fn let_go(&self) {
        self.leaving.store(true, Ordering::Relaxed);
    }

    /// Marked as changed whenever a runtime or one of its children is.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changes.clone()
    }

    /// What these bytes say must not be seen anywhere.
    pub(crate) fn keep_secret(&self, text: &str) {
        lock(&self.record).keep_secret(text);
    }

    /// Fails when something was seen that must never be.
    pub(crate) fn verdict(&self) -> anyhow::Result<()> {
        let violations = lock(&self.record).violations();
        anyhow::ensure!(violations.is_empty(), "O6: {}", violations.join("\n  "));
        Ok(())
    }
}

fn lock(record: &Mutex<Record>) -> MutexGuard<'_, Record> {
    record.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn follow(
    client: Client,
    namespace: String,
    record: Arc<Mutex<Record>>,
    leaving: Arc<AtomicBool>,
    changed: watch::Sender<()>,
) {
    let kinds = state::KINDS.into_iter().map(|kind| (kind.2, kind.3));
    let kinds = kinds.chain([("Event", "events")]);
    let streams = kinds.map(|(kind, plural)| {
        let objects = state::api(&client, &namespace, plural);
        watcher(objects, watcher::Config::default())
            .backoff(DefaultBackoff::default())
            .map(move |event| (kind, event))
            .boxed()
    });
    let mut events = select_all(streams);
    let mut decoyed = BTreeSet::new();
    while let Some((kind, event)) = events.next().await {
        if kind != "Event" {
            changed.send_replace(());
        }
        match event {
            Ok(Event::Apply(object) | Event::InitApply(object)) => {
                let uid = object.uid().unwrap_or_default();
                lock(&record).seen(kind, &value(&object));
                // Errors come from a namespace that is gone.
                if kind == "EdgeModelRuntime" && decoyed.insert(uid.clone()) {
                    let _ = decoys::make(&client, &namespace, &uid).await;
                }
            }
            Ok(Event::Delete(object)) => {
                let leaving = leaving.load(Ordering::Relaxed);
                lock(&record).gone(kind, &value(&object), leaving);
            }
            // Of watches that break and begin anew; what is there now is told again.
            Ok(Event::Init | Event::InitDone) | Err(_) => {}
        }
    }
}

fn value(object: &DynamicObject) -> Value {
    serde_json::to_value(object).unwrap_or_default()
}
