//! One pass over one runtime: observe, validate, plan, execute, report.

use std::time::Duration;

use crds::status::RuntimeStatus;
use crds::{ClusterRuntime, Reason, RuntimeSpec};
use k8s_openapi::jiff::{Timestamp, Unit};
use kube::core::DynamicObject;
use kube::runtime::events::Recorder;
use kube::{Client, ResourceExt as _};

use crate::api::Failure;
use crate::desired::{self, Defaults, Desired, Identity, Inputs, Model, labels};
use crate::execute::Executor;
use crate::lease::Leadership;
use crate::metrics::Metrics;
use crate::outcome::{ApplyError, NamespaceTerminating, Outcomes};
use crate::plan::{plan, prune};
use crate::{diagnose, events, observe, status};

/// When what blocks a runtime may be gone without any watch saying so: a port, a Secret, an object that is being deleted.
const BLOCKED: Duration = Duration::from_secs(5);

/// What reconciling works with.
pub struct Context {
    /// The cluster.
    pub client: Client,
    /// What children depend on.
    pub defaults: Defaults,
    /// How long after a reconcile the next one comes when nothing happens.
    pub resync: Duration,
    /// Whether this operator may write.
    pub leadership: Leadership,
    /// Counters.
    pub metrics: Metrics,
    /// Where events go.
    pub recorder: Recorder,
}

/// Why a reconcile has to be repeated.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The runtime, or what belongs to it, could not be read.
    #[error("failed to read the runtime: {0}")]
    Read(Failure),
    /// A child could not be applied for a cause that passes.
    #[error("failed to apply: {message}")]
    Apply {
        /// What failed.
        message: String,
        /// How long the API server asks to wait.
        retry_after: Option<Duration>,
    },
    /// The status could not be written.
    #[error("failed to write the status: {0}")]
    Status(Failure),
}

impl Error {
    /// For metrics.
    pub fn category(&self) -> &'static str {
        match self {
            Self::Read(_) => "read",
            Self::Apply { .. } => "apply",
            Self::Status(_) => "status",
        }
    }

    /// How long the API server asks to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Apply { retry_after, .. } => *retry_after,
            Self::Read(failure) | Self::Status(failure) => failure.retry_after(),
        }
    }
}

/// What comes after a reconcile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Reconcile again after this time at the latest.
    Requeue(Duration),
    /// Nothing: the runtime is gone, or is being deleted.
    Gone,
    /// Nothing: the runtime's namespace is being deleted, and the runtime with it.
    NamespaceTerminating,
}

/// Brings one runtime closer to its desired state.
///
/// `failures` is how often in a row this has failed: a single failure is not worth a line in the status.
///
/// # Errors
/// Something failed that may work in a moment.
pub async fn reconcile(
    ctx: &Context,
    namespace: &str,
    name: &str,
    failures: u32,
) -> Result<Next, Error> {
    // Observe: the runtime as the API server has it now, whatever the watch has said.
    let found = observe::runtime(&ctx.client, namespace, name).await;
    let Some(object) = found.map_err(Error::Read)? else {
        return Ok(Next::Gone);
    };
    if object.metadata.deletion_timestamp.is_some() {
        // Children are owned: the garbage collector removes them.
        return Ok(Next::Gone);
    }
    let subject = Subject::new(ctx, object);
    if subject.is_paused() {
        let after = status::paused(subject.generation, &subject.before, subject.now);
        subject.report(&after).await?;
        return Ok(Next::Requeue(ctx.resync));
    }

    // Validate: a spec with problems is reported; workers of an earlier spec keep running.
    let runtime = match validate(&subject.object) {
        Ok(runtime) => runtime,
        Err(message) => {
            let (generation, before) = (subject.generation, &subject.before);
            let after = status::refused(&message, generation, before, subject.now);
            subject.report(&after).await?;
            return Ok(Next::Requeue(ctx.resync));
        }
    };

    // Plan: from what should be there and what is there.
    let (desired, observed) = subject.observe(&runtime).await?;
    let steps = plan(&subject.identity, &desired, &observed);

    // Execute: the plan, and then what its outcomes allow to be removed.
    let executor = subject.executor();
    let executed = async {
        let mut outcomes = executor.run(steps).await?;
        let steps = prune(&desired, &observed, &outcomes);
        outcomes.extend(executor.run(steps).await?);
        Ok(outcomes)
    };
    let Ok::<_, NamespaceTerminating>(mut outcomes) = executed.await else {
        let after = status::namespace_terminating(&subject.before, subject.now);
        subject.report(&after).await?;
        return Ok(Next::NamespaceTerminating);
    };
    diagnose::ports(
        &ctx.client,
        &subject.identity,
        &desired.ports,
        &mut outcomes,
    )
    .await;

    // Report: from the outcomes. A first failure that may pass leaves the status as it is.
    let failed = failure(&outcomes);
    if let (Some(error), 0) = (&failed, failures) {
        tracing::debug!(%error, "Status unchanged after a first failure");
    } else {
        let accepted = status::Accepted {
            runtime: &runtime,
            desired: &desired,
            outcomes: &outcomes,
            observed: &observed,
            now: subject.now,
        };
        let after = status::compute(&accepted, subject.generation, &subject.before);
        subject.report(&after).await?;
    }
    match failed {
        Some(error) => Err(error),
        None if is_blocked(&desired, &outcomes) => Ok(Next::Requeue(BLOCKED.min(ctx.resync))),
        None => Ok(Next::Requeue(ctx.resync)),
    }
}

/// The runtime that is reconciled.
struct Subject<'a> {
    ctx: &'a Context,
    identity: Identity,
    /// As it was read; its status is only written if it has not changed since.
    object: DynamicObject,
    generation: i64,
    /// The status that it has.
    before: RuntimeStatus,
    now: Timestamp,
}

impl<'a> Subject<'a> {
    fn new(ctx: &'a Context, object: DynamicObject) -> Self {
        Self {
            ctx,
            identity: Identity {
                name: object.name_any(),
                namespace: object.namespace().unwrap_or_default(),
                uid: object.uid().unwrap_or_default(),
            },
            generation: object.metadata.generation.unwrap_or_default(),
            before: status::of(&object),
            now: Timestamp::now().round(Unit::Second).unwrap_or_default(),
            object,
        }
    }

    fn is_paused(&self) -> bool {
        let paused = self.object.annotations().get(labels::PAUSED);
        paused.is_some_and(|text| text == "true")
    }

    /// What should be there for it, and what is there.
    async fn observe(
        &self,
        runtime: &ClusterRuntime,
    ) -> Result<(Desired, observe::Observation), Error> {
        let Context { client, .. } = self.ctx;
        let observed = Box::pin(observe::all(client, &self.identity, runtime)).await;
        let mut observed = match observed {
            Ok(observed) => observed,
            Err(failure) => {
                if !failure.is_transient() {
                    let after = status::unread(&failure, &self.before, self.now);
                    self.report(&after).await?;
                }
                return Err(Error::Read(failure));
            }
        };
        let desired = desired::build(&Inputs {
            identity: &self.identity,
            runtime,
            secrets: &observed.secrets,
            defaults: &self.ctx.defaults,
        });
        observe::named(client, &self.identity, &desired, &mut observed).await;
        Ok((desired, observed))
    }

    fn executor(&self) -> Executor<'_> {
        Executor {
            client: &self.ctx.client,
            identity: &self.identity,
            leadership: &self.ctx.leadership,
            metrics: &self.ctx.metrics,
        }
    }

    async fn report(&self, after: &RuntimeStatus) -> Result<(), Error> {
        let Context {
            client,
            leadership,
            metrics,
            recorder,
            ..
        } = self.ctx;
        if !leadership.holds() {
            return Err(Error::Status(Failure::NotLeading));
        }
        metrics.observed(&self.identity.namespace, &self.identity.name, after);
        let written = status::write(client, &self.identity, &self.object, after, metrics).await;
        if written.map_err(Error::Status)? {
            events::tell(recorder, &self.object, &self.before, after).await;
        }
        Ok(())
    }
}

fn validate(object: &DynamicObject) -> Result<ClusterRuntime, String> {
    let spec: RuntimeSpec = serde_json::from_value(object.data["spec"].clone())
        .map_err(|error| format!("spec: {error}; compare it with kubectl explain emr.spec"))?;
    ClusterRuntime::new(spec).map_err(|problems| {
        let each = problems.list.iter().map(|problem| {
            format!(
                "spec.{}: {}; {}",
                problem.path, problem.message, problem.remedy
            )
        });
        each.collect::<Vec<_>>().join("\n")
    })
}

/// The failure for which the reconcile is repeated.
fn failure(outcomes: &Outcomes) -> Option<Error> {
    let mut errors = outcomes.errors().map(|(_, error)| error);
    let error = errors.find(|error| error.is_transient())?;
    Some(Error::Apply {
        message: error.to_string(),
        retry_after: error.failure().and_then(Failure::retry_after),
    })
}

/// Whether anything waits or is blocked by what may pass without any watch saying so. The API server's range of ports changes
/// only with its restart, so the next resync is soon enough for that.
fn is_blocked(desired: &Desired, outcomes: &Outcomes) -> bool {
    let waits = |model: &Model| matches!(model, Model::Blocked(blocked) if blocked.passing);
    let passes = |error: &ApplyError| error.reason() != Reason::PortOutOfRange;
    let mut errors = outcomes.errors();
    outcomes.is_pending()
        || errors.any(|(_, error)| passes(error))
        || desired.models.iter().any(waits)
}
