//! The loop: watches say which runtime to look at, each is looked at alone, and again when that failed.
//!
//! Watches carry metadata only and limit themselves to what is ours; everything else is read in
//! [`crate::reconcile`] when it is needed.

mod event_filter;
mod retry;
mod scaled_objects;
mod storage_rollback;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crds::EdgeModelRuntime;
use futures_util::{FutureExt as _, StreamExt as _};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Service};
use kube::api::ListParams;
use kube::core::PartialObjectMeta;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::controller::{self, Action, Config, Controller};
use kube::runtime::reflector::{self, ObjectRef};
use kube::runtime::watcher::{self, watcher};
use kube::{Api, Client, Resource, ResourceExt as _};
use tokio::sync::oneshot;

use crate::desired::labels;
use crate::reconcile::{self, Context, Error, Next};
use retry::{Steady, jittered};

/// How long a runtime is left alone whose namespace is being deleted, whatever happens there: the namespace does not come
/// back, and may be held for days by the pods of a node that is away.
const TERMINATING: Duration = Duration::from_mins(5);

/// Changes that come together are looked at together.
const DEBOUNCE: Duration = Duration::from_millis(200);

type Runtime = PartialObjectMeta<EdgeModelRuntime>;

/// What the loop works with.
struct Loop {
    ctx: Context,
    /// Failures in a row of each runtime.
    failures: Mutex<HashMap<ObjectRef<Runtime>, u32>>,
    /// UIDs of runtimes whose namespaces are being deleted, and until when each is left alone.
    terminating: Mutex<HashMap<String, Instant>>,
}

/// Runs until `stop` resolves and the looks that were begun have ended.
pub async fn run(
    ctx: Context,
    namespace: Option<&str>,
    concurrency: u16,
    ready: Arc<AtomicBool>,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let context = Arc::new(Loop {
        ctx,
        failures: Mutex::default(),
        terminating: Mutex::default(),
    });
    let stop = stop.shared();
    while stop.peek().is_none() {
        follow(
            Arc::clone(&context),
            namespace,
            concurrency,
            Arc::clone(&ready),
            stop.clone(),
        )
        .await;
    }
}

/// Follows from the beginning; ends when `stop` resolves, or when it has to begin anew.
async fn follow(
    context: Arc<Loop>,
    namespace: Option<&str>,
    concurrency: u16,
    ready: Arc<AtomicBool>,
    stop: impl Future<Output = ()> + Clone + Send + 'static,
) {
    let (client, metrics) = (context.ctx.client.clone(), context.ctx.metrics.clone());
    let runtimes = api::<EdgeModelRuntime>(&client, namespace);
    let (store, writer) = reflector::store();
    let events = watcher(runtimes.clone(), watcher::Config::default()).reflect(writer);
    let events = event_filter::besides_own_status(events);
    let mut controller = Controller::for_stream(events.applied_objects(), store.clone());
    metrics.follow({
        let store = store.clone();
        move |namespace, name| store.get(&ObjectRef::new(name).within(namespace)).is_some()
    });
    let synced = {
        let (store, metrics) = (store.clone(), metrics.clone());
        async move {
            if store.wait_until_ready().await.is_ok() {
                ready.store(true, Ordering::Relaxed);
                metrics.set_runtimes(store.len());
            }
        }
    };
    let ours = format!("{}={}", labels::MANAGED_BY, labels::OPERATOR);
    let ours = || watcher::Config::default().labels(&ours);
    let scalers = api::<HorizontalPodAutoscaler>(&client, namespace);
    let there = tokio::select! {
        there = is_there(&scalers) => there,
        () = stop.clone() => return,
    };
    if there {
        let events = event_filter::besides_status(watcher(scalers, ours()));
        controller = controller.owns_stream(events.touched_objects());
    }
    let keda = Arc::clone(&context.ctx.scaled_objects);
    controller = controller.reconcile_on(scaled_objects::owners(
        &client,
        namespace,
        ours(),
        keda,
        metrics.clone(),
    ));
    let unready = {
        let (store, stop) = (store.clone(), stop.clone());
        async move {
            tokio::select! {
                _ = store.wait_until_ready() => std::future::pending().await,
                () = stop => {}
            }
        }
    };
    let (ending, end) = oneshot::channel();
    let over = {
        let (store, metrics) = (store.clone(), metrics.clone());
        let period = context.ctx.resync;
        async move {
            tokio::select! {
                () = stop => {}
                () = storage_rollback::noticed(&runtimes, &store, period) => metrics.watch_error(),
            }
            // The other end goes when the controller has ended.
            let _ = ending.send(());
        }
    };
    let looks = controller
        .with_config(
            Config::default()
                .debounce(DEBOUNCE)
                .concurrency(concurrency),
        )
        .owns(api::<Deployment>(&client, namespace), ours())
        .owns(api::<Service>(&client, namespace), ours())
        .owns(api::<ConfigMap>(&client, namespace), ours())
        .watches(api::<Pod>(&client, namespace), ours(), |pod| {
            runtime_of_pod(&pod)
        })
        .trigger_backoff(Steady)
        .graceful_shutdown_on(async {
            // An error would mean that nobody can end it any more.
            let _ = end.await;
        })
        .run(
            look,
            |runtime, error, context| after_failure(&runtime, error, &context),
            context,
        )
        .for_each(|result| {
            metrics.set_runtimes(store.len());
            // Failures of a look are told by `after_failure`.
            if let Err(controller::Error::QueueError(error)) = result {
                metrics.watch_error();
                tell(&error);
            }
            std::future::ready(())
        });
    let looks = async {
        // No look begins before the list is there, and a controller that is told to end before that waits for it all the same.
        tokio::select! {
            () = looks => {}
            () = unready => {}
        }
    };
    // The first ends when the list is there, the others when all is over.
    futures_util::future::join3(synced, over, looks).await;
}

/// Whether a kind can be watched: one that is not there would be asked for again and again.
async fn is_there<K>(objects: &Api<PartialObjectMeta<K>>) -> bool
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + serde::de::DeserializeOwned,
{
    let found = crate::api::call(objects.list_metadata(&ListParams::default().limit(1))).await;
    match found {
        Err(failure) if !failure.is_transient() => {
            let kind = K::kind(&());
            tracing::warn!(%kind, %failure, "Not watched; changes by hand are seen at the next look");
            false
        }
        _ => true,
    }
}

/// A watch that broke is made again; only a missing definition needs somebody.
fn tell(error: &watcher::Error) {
    let missing = match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status)) => status.code == 404,
        _ => false,
    };
    if missing {
        tracing::warn!(%error, "A kind is missing; apply what `edgemodel-operator crd` prints");
    } else {
        tracing::info!(%error, "Watch broke, made again");
    }
}

async fn look(runtime: Arc<Runtime>, context: Arc<Loop>) -> Result<Action, Error> {
    let begun = Instant::now();
    if let Some(pause) = context.pause(&runtime, begun) {
        return Ok(Action::requeue(pause));
    }
    let reference = ObjectRef::from_obj(&*runtime);
    let (namespace, name) = (runtime.namespace().unwrap_or_default(), runtime.name_any());
    let failures = context.failures().get(&reference).copied().unwrap_or(0);
    let ctx = &context.ctx;
    // A look holds much at its widest; on the heap, the tasks that wait are small.
    let result = Box::pin(reconcile::reconcile(ctx, &namespace, &name, failures)).await;
    let word = result.as_ref().map_or_else(Error::category, |_| "ok");
    ctx.metrics.reconciled(word, begun.elapsed());
    let next = result?;
    context.failures().remove(&reference);
    Ok(match next {
        Next::Requeue(pause) => Action::requeue(jittered(pause)),
        // A successor of its name has an event of its own, which may be late or lost. The controller drops what its watch
        // has seen the end of.
        Next::Gone => Action::requeue(jittered(ctx.resync)),
        Next::NamespaceTerminating => {
            context.leave_alone(&runtime);
            Action::requeue(TERMINATING)
        }
    })
}

fn after_failure(runtime: &Runtime, error: &Error, context: &Loop) -> Action {
    let failures = {
        let mut all = context.failures();
        let failures = all.entry(ObjectRef::from_obj(runtime)).or_insert(0);
        *failures = failures.saturating_add(1);
        *failures
    };
    let pause = retry::after(failures).max(error.retry_after().unwrap_or_default());
    let (name, namespace) = (runtime.name_any(), runtime.namespace());
    tracing::warn!(name, namespace, %error, failures, retry_in = ?pause, "Unable to reconcile, trying again");
    Action::requeue(pause)
}

impl Loop {
    fn failures(&self) -> std::sync::MutexGuard<'_, HashMap<ObjectRef<Runtime>, u32>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How much longer the runtime is to be left alone.
    fn pause(&self, runtime: &Runtime, now: Instant) -> Option<Duration> {
        let until = *self.terminating().get(runtime.meta().uid.as_ref()?)?;
        let left = until.saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }

    fn leave_alone(&self, runtime: &Runtime) {
        let now = Instant::now();
        let mut terminating = self.terminating();
        // Those of before are gone by now, or are looked at again and come back.
        terminating.retain(|_, until| *until > now);
        terminating.extend(runtime.uid().map(|uid| (uid, now + TERMINATING)));
    }

    fn terminating(&self) -> std::sync::MutexGuard<'_, HashMap<String, Instant>> {
        let terminating = self.terminating.lock();
        terminating.unwrap_or_else(PoisonError::into_inner)
    }
}

/// The metadata of the objects of a kind.
fn api<K>(client: &Client, namespace: Option<&str>) -> Api<PartialObjectMeta<K>>
where
    K: Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>,
{
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

fn runtime_of_pod(pod: &PartialObjectMeta<Pod>) -> Option<ObjectRef<Runtime>> {
    let name = pod.annotations().get(labels::RUNTIME_NAME)?;
    Some(ObjectRef::new(name).within(&pod.namespace()?))
}
