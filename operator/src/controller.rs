//! The loop: watches say which runtime to reconcile, each is reconciled alone, and again after a failure.
//!
//! Watches carry metadata only and limit themselves to what is ours ([`triggers`]); everything else is read in
//! [`crate::reconcile`] when it is needed.

mod attempts;
mod event_filter;
mod forbidden;
mod retry;
mod served;
mod storage_rollback;
mod triggers;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crds::EdgeModelRuntime;
use futures_util::future::{join_all, join3};
use futures_util::{FutureExt as _, StreamExt as _};
use kube::ResourceExt as _;
use kube::core::PartialObjectMeta;
use kube::runtime::controller::{self, Action, Config};
use kube::runtime::reflector::{self, Store};
use kube::runtime::watcher;
use tokio::sync::{Notify, Semaphore, oneshot};

use crate::reconcile::{self, Context, Error, Next};
use attempts::{Attempts, TERMINATING};
use retry::{Steady, jittered};
use served::{Place, Served};
use triggers::Scope;

/// Changes that come together are reconciled together.
const DEBOUNCE: Duration = Duration::from_millis(200);

type Runtime = PartialObjectMeta<EdgeModelRuntime>;

/// What the loop works with.
struct Loop {
    ctx: Context,
    attempts: Attempts,
    served: Arc<Served>,
    /// Runtimes that are reconciled at the same time.
    concurrency: u16,
    /// One for each of them, whatever namespaces they are in.
    permits: Semaphore,
    /// Set when all runtimes have been seen.
    ready: Arc<AtomicBool>,
}

/// Runs until `stop` resolves and the reconciles that were begun have ended. Serves these namespaces, or all if there are
/// none.
pub async fn run(
    ctx: Context,
    namespaces: &[String],
    concurrency: u16,
    ready: Arc<AtomicBool>,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let served = Arc::new(Served::new(namespaces));
    let known = Arc::clone(&served);
    ctx.metrics
        .follow(move |namespace, name| known.contains(namespace, name));
    let context = Arc::new(Loop {
        ctx,
        attempts: Attempts::default(),
        served,
        concurrency,
        permits: Semaphore::new(concurrency.into()),
        ready,
    });
    let stop = stop.shared();
    let places = context.served.places().into_iter().map(|place| {
        let (context, stop) = (&context, stop.clone());
        async move {
            while stop.peek().is_none() {
                if follow(context, &place, stop.clone()).await {
                    context.lost(&place, stop.clone()).await;
                }
            }
        }
    });
    join_all(places).await;
}

/// Follows from the beginning; ends when `stop` resolves, or when it has to begin again. Gives whether that is because the
/// runtimes may not be listed.
async fn follow(
    context: &Arc<Loop>,
    place: &Place,
    stop: impl Future<Output = ()> + Clone + Send + 'static,
) -> bool {
    let ctx = &context.ctx;
    let scope = Scope {
        client: &ctx.client,
        namespace: place.as_deref(),
    };
    let (store, writer) = reflector::store();
    let controller = tokio::select! {
        controller = triggers::controller(scope, store.clone(), writer) => controller,
        () = stop.clone() => return false,
    };
    context.served.follow(place, store.clone());
    let config = Config::default()
        .debounce(DEBOUNCE)
        .concurrency(context.concurrency);
    let (end, ended) = oneshot::channel::<()>();
    let ended = ended.map(drop).shared();
    let refusals = Notify::new();
    let reconciles = controller
        .with_config(config)
        .trigger_backoff(Steady)
        .graceful_shutdown_on(ended.clone())
        .run(reconcile, after_failure, Arc::clone(context))
        .for_each(|result| {
            ctx.metrics.set_runtimes(context.served.count());
            // What fails in a reconcile is logged by `after_failure`.
            if let Err(controller::Error::QueueError(error)) = result {
                ctx.metrics.watch_error();
                context.watch_failed(place, &error);
                if code(&error) == Some(403) {
                    refusals.notify_one();
                }
            }
            std::future::ready(())
        });
    let reconciles = async {
        tokio::select! {
            () = reconciles => {}
            // A controller that is told to end before its list is there waits for the list; nothing has begun by then.
            () = ended_unlisted(&store, ended) => {}
        }
    };
    let over = async {
        let runtimes = scope.api();
        let forbidden = tokio::select! {
            () = stop.clone() => false,
            () = storage_rollback::noticed(&runtimes, &store, ctx.resync) => {
                ctx.metrics.watch_error();
                false
            }
            () = forbidden::confirmed(&runtimes, &refusals) => true,
        };
        // Fails when the controller has ended already.
        let _ = end.send(());
        forbidden
    };
    let ((), forbidden, ()) = join3(context.listed(place, &store), over, reconciles).await;
    forbidden
}

/// Resolves when `ended` does before the runtimes are listed.
async fn ended_unlisted(store: &Store<Runtime>, ended: impl Future<Output = ()>) {
    tokio::select! {
        _ = store.wait_until_ready() => std::future::pending().await,
        () = ended => {}
    }
}

/// What the API server answered to a watch or to the list before it.
fn code(error: &watcher::Error) -> Option<u16> {
    use watcher::Error::{InitialListFailed, WatchError, WatchFailed, WatchStartFailed};
    match error {
        InitialListFailed(kube::Error::Api(status))
        | WatchStartFailed(kube::Error::Api(status))
        | WatchFailed(kube::Error::Api(status))
        | WatchError(status) => Some(status.code),
        _ => None,
    }
}

async fn reconcile(runtime: Arc<Runtime>, context: Arc<Loop>) -> Result<Action, Error> {
    if let Some(pause) = context.attempts.pause(&runtime, Instant::now()) {
        return Ok(Action::requeue(pause));
    }
    // Fails only when the semaphore is closed, which it never is.
    let _permit = context.permits.acquire().await.ok();
    let begun = Instant::now();
    let (namespace, name) = (runtime.namespace().unwrap_or_default(), runtime.name_any());
    let failures = context.attempts.failures(&runtime);
    let ctx = &context.ctx;
    // A reconcile holds much at its widest; on the heap, the tasks that wait are small.
    let result = Box::pin(reconcile::reconcile(ctx, &namespace, &name, failures)).await;
    let word = result.as_ref().map_or_else(Error::category, |_| "ok");
    ctx.metrics.reconciled(word, begun.elapsed());
    let next = result?;
    context.attempts.succeeded(&runtime);
    Ok(match next {
        Next::Requeue(pause) => Action::requeue(jittered(pause)),
        // A successor of its name has an event of its own, which may be late or lost. The controller drops what its watch
        // has seen the end of.
        Next::Gone => Action::requeue(jittered(ctx.resync)),
        Next::NamespaceTerminating => {
            context.attempts.leave_alone(&runtime, Instant::now());
            Action::requeue(TERMINATING)
        }
    })
}

#[expect(clippy::needless_pass_by_value, reason = "the controller calls it so")]
fn after_failure(runtime: Arc<Runtime>, error: &Error, context: Arc<Loop>) -> Action {
    let failures = context.attempts.failed(&runtime);
    let pause = retry::after(failures).max(error.retry_after().unwrap_or_default());
    let (name, namespace) = (runtime.name_any(), runtime.namespace());
    tracing::warn!(name, namespace, %error, failures, retry_in = ?pause, "Unable to reconcile, retrying");
    Action::requeue(pause)
}

impl Loop {
    /// Says that the operator is ready as soon as all runtimes are listed.
    async fn listed(&self, place: &Place, store: &Store<Runtime>) {
        if store.wait_until_ready().await.is_ok() {
            self.served.listed(place);
            self.ctx.metrics.set_runtimes(self.served.count());
            self.set_ready();
        }
    }

    fn set_ready(&self) {
        if self.served.is_ready() {
            self.ready.store(true, Ordering::Relaxed);
        }
    }

    /// Waits until the runtimes of a place may be listed again; until then none is known there.
    async fn lost(&self, place: &Place, stop: impl Future<Output = ()>) {
        self.served.lost(place);
        self.ctx.metrics.set_runtimes(self.served.count());
        let scope = Scope {
            client: &self.ctx.client,
            namespace: place.as_deref(),
        };
        let runtimes = scope.api();
        tokio::select! {
            () = forbidden::over(&runtimes) => {
                let namespace = place.as_deref().unwrap_or("all");
                tracing::info!(namespace, "Runtimes may be listed, watching");
            }
            () = stop => {}
        }
    }

    /// A failed watch is restarted; only a missing CRD or missing rights need a person.
    fn watch_failed(&self, place: &Place, error: &watcher::Error) {
        let initial = matches!(error, watcher::Error::InitialListFailed(_));
        match code(error) {
            Some(404) if initial => {
                tracing::warn!(%error, "CRD missing, apply what `edgemodel-operator crd` prints");
            }
            Some(403) if self.served.forbidden(place) => {
                let namespace = place.as_deref().unwrap_or("all");
                tracing::warn!(%error, namespace, "Not allowed to watch, check that the namespace exists and has the operator's Role");
                self.set_ready();
            }
            // It is retried several times a second, unless it is the list of runtimes that is refused.
            Some(403) => tracing::debug!(%error, "Not allowed to watch, retrying"),
            _ => tracing::info!(%error, "Watch failed, restarting"),
        }
    }
}
