//! One look at one runtime: read, validate, build, apply, report.

use std::sync::Arc;
use std::time::Duration;

use crds::RuntimeSpec;
use crds::status::RuntimeStatus;
use k8s_openapi::jiff::{Timestamp, Unit};
use kube::core::DynamicObject;
use kube::runtime::events::Recorder;
use kube::{Client, ResourceExt as _};
use tokio::sync::Notify;

use crate::api::Failure;
use crate::apply;
use crate::desired::{self, Defaults, Identity, Inputs, Model, labels};
use crate::lease::Leadership;
use crate::metrics::Metrics;
use crate::{events, observe, status};

/// When what stands in the way may be gone without any watch saying so: a port, a Secret, an object on its way out.
const OBSTACLE: Duration = Duration::from_secs(5);

/// What reconciling works with.
pub struct Context {
    /// The cluster.
    pub client: Client,
    /// What children depend on.
    pub defaults: Defaults,
    /// How long nothing is looked at when nothing happens.
    pub resync: Duration,
    /// Whether this operator may write.
    pub leadership: Leadership,
    /// Counters.
    pub metrics: Metrics,
    /// Where events go.
    pub recorder: Recorder,
    /// Told when a look has found that the cluster has KEDA's ScaledObjects.
    pub scaled_objects: Arc<Notify>,
}

/// Why a look has to be repeated.
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

/// What comes after a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Another look, after so long at the latest.
    Look(Duration),
    /// Nothing: the runtime is gone, or goes.
    Gone,
    /// Nothing: the runtime's namespace goes, and the runtime with it.
    NamespaceTerminating,
}

/// Brings one runtime to where it should be, as far as that goes now.
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
    let found = observe::runtime(&ctx.client, namespace, name).await;
    let Some(object) = found.map_err(Error::Read)? else {
        return Ok(Next::Gone);
    };
    if object.metadata.deletion_timestamp.is_some() {
        // Children are owned: the garbage collector removes them.
        return Ok(Next::Gone);
    }
    let identity = Identity {
        name: name.to_owned(),
        namespace: namespace.to_owned(),
        uid: object.uid().unwrap_or_default(),
    };
    let before = status::of(&object);
    let now = Timestamp::now().round(Unit::Second).unwrap_or_default();
    let generation = object.metadata.generation.unwrap_or_default();
    if is_paused(&object) {
        let after = status::paused(generation, &before, now);
        report(ctx, &identity, &object, &before, &after).await?;
        return Ok(Next::Look(ctx.resync));
    }
    let (spec, runtime) = match validate(&object) {
        Ok(accepted) => accepted,
        Err(message) => {
            let after = status::refused(&message, generation, &before, now);
            report(ctx, &identity, &object, &before, &after).await?;
            return Ok(Next::Look(ctx.resync));
        }
    };
    let observed = match Box::pin(observe::all(&ctx.client, &identity, &spec)).await {
        Ok(observed) => observed,
        Err(failure) => {
            if !failure.is_transient() {
                let after = status::unread(&failure, &before, now);
                report(ctx, &identity, &object, &before, &after).await?;
            }
            return Err(Error::Read(failure));
        }
    };
    if observed.has_scaled_objects {
        ctx.scaled_objects.notify_one();
    }
    let desired = desired::build(&Inputs {
        identity: &identity,
        spec: &spec,
        runtime: &runtime,
        secrets: &observed.secrets,
        defaults: &ctx.defaults,
    });
    let applied = apply::apply(
        &apply::Context {
            client: &ctx.client,
            identity: &identity,
            observed: &observed,
            leadership: &ctx.leadership,
            metrics: &ctx.metrics,
        },
        &desired,
    )
    .await;
    let Ok(applied) = applied else {
        let after = status::leaving(&before, now);
        report(ctx, &identity, &object, &before, &after).await?;
        return Ok(Next::NamespaceTerminating);
    };
    let passing = applied.errors().find(|error| error.is_transient());
    let failed = passing.map(|error| Error::Apply {
        message: error.to_string(),
        retry_after: error.failure().and_then(Failure::retry_after),
    });
    if let (Some(error), 0) = (&failed, failures) {
        tracing::debug!(%error, "Status left as it is after a first failure");
    } else {
        let accepted = status::Accepted {
            spec: &spec,
            runtime: &runtime,
            desired: &desired,
            applied: &applied,
            observed: &observed,
            now,
        };
        let after = status::compute(&accepted, generation, &before);
        report(ctx, &identity, &object, &before, &after).await?;
    }
    if let Some(error) = failed {
        return Err(error);
    }
    let waiting = |model: &Model| matches!(model, Model::Blocked(blocked) if blocked.passing);
    let soon =
        applied.pending || applied.errors().next().is_some() || desired.models.iter().any(waiting);
    Ok(Next::Look(if soon {
        OBSTACLE.min(ctx.resync)
    } else {
        ctx.resync
    }))
}

fn is_paused(runtime: &DynamicObject) -> bool {
    let paused = runtime.annotations().get(labels::PAUSED);
    paused.is_some_and(|text| text == "true")
}

fn validate(
    object: &DynamicObject,
) -> Result<(RuntimeSpec, crds::validated::ValidatedRuntime), String> {
    let spec: RuntimeSpec = serde_json::from_value(object.data["spec"].clone())
        .map_err(|error| format!("spec: {error}; compare it with kubectl explain emr.spec"))?;
    let runtime = crds::validate::spec(&spec, "spec").map_err(|problems| {
        let each = problems.list.iter().map(|problem| {
            format!(
                "spec.{}: {}; {}",
                problem.path, problem.message, problem.remedy
            )
        });
        each.collect::<Vec<_>>().join("\n")
    })?;
    Ok((spec, runtime))
}

async fn report(
    ctx: &Context,
    identity: &Identity,
    object: &DynamicObject,
    before: &RuntimeStatus,
    after: &RuntimeStatus,
) -> Result<(), Error> {
    if !ctx.leadership.holds() {
        return Err(Error::Status(Failure::NotLeading));
    }
    ctx.metrics
        .observed(&identity.namespace, &identity.name, after);
    let written = status::write(&ctx.client, identity, object, after, &ctx.metrics).await;
    if written.map_err(Error::Status)? {
        events::tell(&ctx.recorder, object, before, after).await;
    }
    Ok(())
}
