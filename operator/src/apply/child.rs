//! One child: applied if it is not as it should be, and never when it is somebody else's.

use crds::Reason;
use kube::api::{DeleteParams, Patch, PatchParams, Preconditions, ValidationDirective};
use serde_json::Value;

use super::Context;
use crate::api::{self, Failure};
use crate::desired::{Child, labels};
use crate::difference;
use crate::kind::Kind;
use crate::observe::Observed;

/// What stands in the way of a child.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// An object of that name is not ours.
    #[error("{kind} {name:?} is {owner}; delete it or rename what it is for")]
    NameConflict {
        /// Kind of the object.
        kind: &'static str,
        /// Its name.
        name: String,
        /// Whose it is.
        owner: String,
    },
    /// The object of that name is on its way out.
    #[error("{kind} {name:?} of {what} is still being deleted")]
    Leaving {
        /// Kind of the object.
        kind: &'static str,
        /// Its name.
        name: String,
        /// Of what it is a rest.
        what: &'static str,
    },
    /// A port cannot be had.
    #[error("{message}")]
    Port {
        /// `PortOutOfRange` or `PortTaken`.
        reason: Reason,
        /// Why, and what to do.
        message: String,
    },
    /// It was deleted, to be made again.
    #[error("{kind} {name:?} had what cannot be changed; it was deleted and is made again")]
    Replaced {
        /// Kind of the object.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// A call failed.
    #[error("{object}: {failure}")]
    Failure {
        /// The kind and name of the object.
        object: String,
        /// What failed.
        failure: Failure,
    },
}

impl ApplyError {
    /// A reason for conditions.
    pub fn reason(&self) -> Reason {
        match self {
            Self::NameConflict { .. } => Reason::NameConflict,
            Self::Leaving { .. } => Reason::WaitingForDeletion,
            Self::Port { reason, .. } => *reason,
            Self::Replaced { .. } => Reason::Replaced,
            Self::Failure { failure, object } => {
                if failure.is_not_found() && object.starts_with(Kind::ScaledObject.as_str()) {
                    Reason::ApiAbsent
                } else {
                    failure.reason()
                }
            }
        }
    }

    /// Whether it goes away by itself, soon.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Failure { failure, .. } => failure.is_transient(),
            Self::NameConflict { .. }
            | Self::Leaving { .. }
            | Self::Port { .. }
            | Self::Replaced { .. } => false,
        }
    }

    /// The call that failed.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failure { failure, .. } => Some(failure),
            Self::NameConflict { .. }
            | Self::Leaving { .. }
            | Self::Port { .. }
            | Self::Replaced { .. } => None,
        }
    }

    pub(super) fn of(kind: Kind, name: &str) -> impl FnOnce(Failure) -> Self {
        let object = format!("{} {name:?}", kind.as_str());
        move |failure| Self::Failure { object, failure }
    }
}

/// Makes `child` be as it should be; returns it as it is then.
pub(super) async fn ensure(ctx: &Context<'_>, child: &Child) -> Result<Observed, ApplyError> {
    let live = match ctx.observed.child(child.kind, &child.name) {
        Some(live) => Some(live.clone()),
        // It may lack our labels, and it may be somebody else's.
        None => find(ctx, child).await?,
    };
    if let Some(live) = &live {
        if live.is_terminating() {
            return Err(leaving(live, "this runtime"));
        }
        if difference::covers(&live.body, &child.body) {
            return Ok(live.clone());
        }
    }
    put(ctx, child, live.as_ref()).await
}

/// Applies `child`. `live` is what is there, which must not be another object by then.
pub(super) async fn put(
    ctx: &Context<'_>,
    child: &Child,
    live: Option<&Observed>,
) -> Result<Observed, ApplyError> {
    leads(ctx, child.kind, &child.name)?;
    let mut body = child.body.clone();
    if let Some(live) = live {
        body["metadata"]["uid"] = live.uid.clone().into();
        keep_scale(&mut body, live);
    }
    let parameters = PatchParams {
        field_validation: Some(ValidationDirective::Strict),
        ..PatchParams::apply(labels::OPERATOR).force()
    };
    let api = api::of(ctx.client, ctx.identity, child.kind);
    let patch = Patch::Apply(&body);
    let call = api.patch(&child.name, &parameters, &patch);
    let verb = if live.is_some() { "patch" } else { "create" };
    let object = api::call(call).await;
    ctx.metrics.write(child.kind.as_str(), verb, object.is_ok());
    let object = match (object, live) {
        (Err(failure), Some(live)) if failure.is_immutable() && may_be_replaced(child.kind) => {
            tracing::warn!(kind = child.kind.as_str(), name = child.name, %failure, "Replaced");
            delete(ctx, live).await?;
            return Err(ApplyError::Replaced {
                kind: child.kind.as_str(),
                name: child.name.clone(),
            });
        }
        (object, _) => object.map_err(ApplyError::of(child.kind, &child.name))?,
    };
    tracing::info!(
        kind = child.kind.as_str(),
        name = child.name,
        namespace = ctx.identity.namespace,
        runtime = ctx.identity.name,
        verb,
        "Applied"
    );
    Ok(Observed::new(child.kind, object))
}

/// Deletes `live`, unless it has become another object meanwhile.
pub(super) async fn delete(ctx: &Context<'_>, live: &Observed) -> Result<(), ApplyError> {
    if live.is_terminating() {
        return Ok(());
    }
    leads(ctx, live.kind, &live.name)?;
    let parameters = DeleteParams {
        preconditions: Some(Preconditions {
            uid: Some(live.uid.clone()),
            resource_version: None,
        }),
        ..DeleteParams::background()
    };
    let api = api::of(ctx.client, ctx.identity, live.kind);
    let result = api::call(api.delete(&live.name, &parameters)).await;
    ctx.metrics
        .write(live.kind.as_str(), "delete", result.is_ok());
    match result {
        Ok(_) => {
            tracing::info!(
                kind = live.kind.as_str(),
                name = live.name,
                namespace = ctx.identity.namespace,
                runtime = ctx.identity.name,
                "Deleted"
            );
            Ok(())
        }
        Err(failure) if failure.is_not_found() => Ok(()),
        Err(failure) => Err(ApplyError::of(live.kind, &live.name)(failure)),
    }
}

/// A ConfigMap is never deleted while a pod may need it: an edge node that starts the pod again would find none.
fn may_be_replaced(kind: Kind) -> bool {
    matches!(kind, Kind::Deployment | Kind::Service)
}

/// An operator that was stopped for so long that another leads has a plan that may be old.
fn leads(ctx: &Context<'_>, kind: Kind, name: &str) -> Result<(), ApplyError> {
    if ctx.leadership.holds() {
        Ok(())
    } else {
        Err(ApplyError::of(kind, name)(Failure::NotLeading))
    }
}

async fn find(ctx: &Context<'_>, child: &Child) -> Result<Option<Observed>, ApplyError> {
    let api = api::of(ctx.client, ctx.identity, child.kind);
    let found = match api::call(api.get_opt(&child.name)).await {
        Ok(found) => found,
        Err(failure) => return Err(ApplyError::of(child.kind, &child.name)(failure)),
    };
    let Some(live) = found.map(|object| Observed::new(child.kind, object)) else {
        return Ok(None);
    };
    let owner = match live.owner() {
        Some(owner) if owner.uid == ctx.identity.uid => return Ok(Some(live)),
        Some(owner) if owner.kind == "EdgeModelRuntime" && owner.name == ctx.identity.name => {
            return Err(leaving(&live, "a deleted runtime of the same name"));
        }
        Some(owner) => format!("controlled by {} {:?}", owner.kind, owner.name),
        None => "not controlled by this runtime".to_owned(),
    };
    Err(ApplyError::NameConflict {
        kind: live.kind.as_str(),
        name: live.name,
        owner,
    })
}

fn leaving(live: &Observed, what: &'static str) -> ApplyError {
    ApplyError::Leaving {
        kind: live.kind.as_str(),
        name: live.name.clone(),
        what,
    }
}

/// Giving up a field by server-side apply removes it, and a Deployment without `replicas` has one pod. Where an
/// autoscaler decides the number, ours is kept until the autoscaler has written one of its own.
fn keep_scale(body: &mut Value, live: &Observed) {
    if live.kind != Kind::Deployment || body["spec"].get("replicas").is_some() {
        return;
    }
    let managers = live.body["metadata"]["managedFields"].as_array();
    let owners = managers.into_iter().flatten();
    let owners = owners.filter(|entry| entry["fieldsV1"]["f:spec"].get("f:replicas").is_some());
    let mut owners = owners.map(|entry| entry["manager"].as_str());
    if owners.all(|manager| manager == Some(labels::OPERATOR)) {
        body["spec"]["replicas"] = live.body["spec"]["replicas"].clone();
    }
}
