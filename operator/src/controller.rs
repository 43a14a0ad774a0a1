//! The loop: watches say which runtime to reconcile, each is reconciled alone, and again after a failure.
//!
//! Watches carry metadata only and limit themselves to what is ours ([`triggers`]); everything else is read in
//! [`crate::reconcile`] when it is needed.

mod attempts;
mod event_filter;
mod retry;
mod storage_rollback;
mod triggers;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crds::EdgeModelRuntime;
use futures_util::future::join3;
use futures_util::{FutureExt as _, StreamExt as _};
use kube::ResourceExt as _;
use kube::core::PartialObjectMeta;
use kube::runtime::controller::{self, Action, Config};
use kube::runtime::reflector::{self, ObjectRef, Store};
use kube::runtime::watcher;
use tokio::sync::oneshot;

use crate::reconcile::{self, Context, Error, Next};
use attempts::{Attempts, TERMINATING};
use retry::{Steady, jittered};
use triggers::Scope;

/// Changes that come together are reconciled together.
const DEBOUNCE: Duration = Duration::from_millis(200);

type Runtime = PartialObjectMeta<EdgeModelRuntime>;

/// What the loop works with.
struct Loop {
    ctx: Context,
    attempts: Attempts,
    /// The only namespace that is served; all if there is none.
    namespace: Option<String>,
    /// Runtimes that are reconciled at the same time.
    concurrency: u16,
    /// Set when all runtimes have been seen.
    ready: Arc<AtomicBool>,
}

/// Runs until `stop` resolves and the reconciles that were begun have ended.
pub async fn run(
    ctx: Context,
    namespace: Option<&str>,
    concurrency: u16,
    ready: Arc<AtomicBool>,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let context = Arc::new(Loop {
        ctx,
        attempts: Attempts::default(),
        namespace: namespace.map(str::to_owned),
        concurrency,
        ready,
    });
    let stop = stop.shared();
    while stop.peek().is_none() {
        follow(&context, stop.clone()).await;
    }
}

/// Follows from the beginning; ends when `stop` resolves, or when it has to begin again.
async fn follow(context: &Arc<Loop>, stop: impl Future<Output = ()> + Clone + Send + 'static) {
    let ctx = &context.ctx;
    let scope = Scope {
        client: &ctx.client,
        namespace: context.namespace.as_deref(),
    };
    let (store, writer) = reflector::store();
    let controller = tokio::select! {
        controller = triggers::controller(scope, store.clone(), writer) => controller,
        () = stop.clone() => return,
    };
    let known = store.clone();
    ctx.metrics.follow(move |namespace, name| {
        let runtime = ObjectRef::new(name).within(namespace);
        known.get(&runtime).is_some()
    });
    let config = Config::default()
        .debounce(DEBOUNCE)
        .concurrency(context.concurrency);
    let (end, ended) = oneshot::channel::<()>();
    let reconciles = controller
        .with_config(config)
        .trigger_backoff(Steady)
        .graceful_shutdown_on(ended.map(drop))
        .run(reconcile, after_failure, Arc::clone(context))
        .for_each(|result| {
            ctx.metrics.set_runtimes(store.len());
            // What fails in a reconcile is logged by `after_failure`.
            if let Err(controller::Error::QueueError(error)) = result {
                ctx.metrics.watch_error();
                log_watch_error(&error);
            }
            std::future::ready(())
        });
    let reconciles = async {
        tokio::select! {
            () = reconciles => {}
            // A controller that is told to end before its list is there waits for the list; nothing has begun by then.
            () = stopped_unlisted(&store, stop.clone()) => {}
        }
    };
    let over = async {
        let runtimes = scope.api();
        tokio::select! {
            () = stop.clone() => {}
            () = storage_rollback::noticed(&runtimes, &store, ctx.resync) => ctx.metrics.watch_error(),
        }
        // Fails when the controller has ended already.
        let _ = end.send(());
    };
    join3(context.listed(&store), over, reconciles).await;
}

/// Resolves when `stop` does before the runtimes are listed.
async fn stopped_unlisted(store: &Store<Runtime>, stop: impl Future<Output = ()>) {
    tokio::select! {
        _ = store.wait_until_ready() => std::future::pending().await,
        () = stop => {}
    }
}

/// A failed watch is restarted; only a missing CRD needs a person.
fn log_watch_error(error: &watcher::Error) {
    let missing = match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status)) => status.code == 404,
        _ => false,
    };
    if missing {
        tracing::warn!(%error, "CRD missing, apply what `edgemodel-operator crd` prints");
    } else {
        tracing::info!(%error, "Watch failed, restarting");
    }
}

async fn reconcile(runtime: Arc<Runtime>, context: Arc<Loop>) -> Result<Action, Error> {
    let begun = Instant::now();
    if let Some(pause) = context.attempts.pause(&runtime, begun) {
        return Ok(Action::requeue(pause));
    }
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
    /// Says that the operator is ready as soon as the runtimes are listed.
    async fn listed(&self, store: &Store<Runtime>) {
        if store.wait_until_ready().await.is_ok() {
            self.ready.store(true, Ordering::Relaxed);
            self.ctx.metrics.set_runtimes(store.len());
        }
    }
}
