//! Makes the cluster be as desired: server-side apply by one field manager, then orphans go.
//!
//! The only file that writes children. A child that cannot be applied stops no other: what failed and why
//! comes back in [`Applied`].

mod child;
mod orphans;
pub(crate) mod ports;
mod scale;

use kube::Client;

use crate::desired::{Child, Desired, Identity, Model, ModelChildren, Port};
use crate::observe::{Observation, Observed};

pub use child::ApplyError;

/// What a runtime is applied with.
pub struct Context<'a> {
    /// The cluster.
    pub client: &'a Client,
    /// Which runtime it is.
    pub identity: &'a Identity,
    /// What was there before.
    pub observed: &'a Observation,
    /// Whether this operator may write.
    pub leadership: &'a crate::lease::Leadership,
    /// Counts writes.
    pub metrics: &'a crate::metrics::Metrics,
}

/// What became of a model: its Deployment as it is now, or what stood in the way.
pub type ModelOutcome = Result<Observed, ApplyError>;

/// What became of a port: its Service as it is now (none where the port is the node's), or what stood in the way.
pub type PortOutcome = Result<Option<Observed>, ApplyError>;

/// What was applied.
#[derive(Debug)]
pub struct Applied {
    /// For each model; `None` where it has no children.
    pub models: Vec<Option<ModelOutcome>>,
    /// For each port.
    pub ports: Vec<PortOutcome>,
    /// What went wrong besides: the headless Service, or an orphan that could not be deleted.
    pub others: Vec<ApplyError>,
    /// Whether something is on its way that another look will find finished.
    pub pending: bool,
}

/// The namespace is being deleted: nothing can be made in it any more, and it does not come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamespaceTerminating;

impl Applied {
    /// Everything that stood in the way.
    pub fn errors(&self) -> impl Iterator<Item = &ApplyError> {
        let models = self
            .models
            .iter()
            .flatten()
            .filter_map(|one| one.as_ref().err());
        let ports = self.ports.iter().filter_map(|one| one.as_ref().err());
        models.chain(ports).chain(&self.others)
    }
}

/// Applies everything in the order that leaves no gap: what must make room goes first, configurations come before
/// what reads them, and what nobody wants any more goes when its successor serves.
///
/// # Errors
/// The namespace is being deleted; nothing more was tried.
pub async fn apply(ctx: &Context<'_>, desired: &Desired) -> Result<Applied, NamespaceTerminating> {
    // Destructured without `..`, so that a new kind of child is not forgotten here.
    let Desired {
        models,
        ports,
        workers,
        blocked: _,
    } = desired;
    let left = orphans::make_room(ctx, desired).await;
    let others = ports::release(ctx, ports).await;
    let mut applied = Applied {
        models: Vec::new(),
        ports: Vec::new(),
        others,
        pending: false,
    };
    for model in models {
        applied.models.push(match model {
            // Its Deployment tells who scales it: by that, an autoscaler that is left is found again.
            Model::Served(children)
                if left.iter().any(|one| one.scales(&children.deployment.name)) =>
            {
                None
            }
            Model::Served(children) => {
                let held = scale::held(ctx.observed, children);
                applied.pending |= held.is_some();
                let deployment = held.as_ref().unwrap_or(&children.deployment);
                Some(unless_terminating(
                    self::model(ctx, children, deployment).await,
                )?)
            }
            Model::Blocked(_) => None,
        });
    }
    for port in ports {
        let outcome = self::port(ctx, port).await;
        applied.ports.push(unless_terminating(outcome)?);
    }
    if let Some(service) = workers
        && let Err(error) = unless_terminating(child::ensure(ctx, service).await)?
    {
        applied.others.push(error);
    }
    orphans::remove(ctx, desired, &left, &mut applied).await;
    let left = left.into_iter().map(|one| one.error);
    applied.others.extend(left);
    Ok(applied)
}

/// What became of a child, unless none can be made any more.
fn unless_terminating<T>(
    outcome: Result<T, ApplyError>,
) -> Result<Result<T, ApplyError>, NamespaceTerminating> {
    match &outcome {
        Err(ApplyError::Failure { failure, .. }) if failure.is_namespace_terminating() => {
            Err(NamespaceTerminating)
        }
        _ => Ok(outcome),
    }
}

async fn model(ctx: &Context<'_>, children: &ModelChildren, deployment: &Child) -> ModelOutcome {
    let ModelChildren {
        func: _,
        config_map,
        deployment: _,
        autoscaler,
        replicas: _,
        digest: _,
    } = children;
    child::ensure(ctx, config_map).await?;
    let live = child::ensure(ctx, deployment).await?;
    if let Some(autoscaler) = autoscaler {
        child::ensure(ctx, autoscaler).await?;
    }
    Ok(live)
}

async fn port(ctx: &Context<'_>, port: &Port) -> PortOutcome {
    let Some(service) = &port.service else {
        return Ok(None);
    };
    match child::ensure(ctx, service).await {
        Ok(live) => Ok(Some(live)),
        Err(ApplyError::Failure { failure, object }) => {
            Err(ports::explain(ctx, port.out_port, failure, object).await)
        }
        Err(error) => Err(error),
    }
}
