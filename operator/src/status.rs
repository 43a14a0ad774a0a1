//! What the status of a runtime says: a pure function of what was applied and what was observed, and the one place
//! that writes it.

mod conditions;
mod model;
mod pods;
mod port;
mod serving;
mod summary;
#[cfg(test)]
mod tests;
mod text;
mod versions;

use crds::status::{Condition, ExposeStatus, ModelStatus, RuntimeStatus};
use crds::{ClusterRuntime, Reason};
use k8s_openapi::jiff::Timestamp;
use kube::api::{Patch, PatchParams};
use kube::core::DynamicObject;
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::api::{self, Failure};
use crate::desired::{Desired, Identity, labels};
use crate::observe::Observation;
use crate::outcome::Outcomes;

use text::shortened;

/// How far a part of a runtime is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// As it should be.
    Done,
    /// On its way, or waiting for something that may come.
    Working,
    /// Nothing more happens until a person changes something.
    Stuck,
}

/// A runtime whose spec is valid.
#[derive(Debug, Clone, Copy)]
pub struct Accepted<'a> {
    /// Its spec as it was understood.
    pub runtime: &'a ClusterRuntime,
    /// What should be there.
    pub desired: &'a Desired,
    /// What became of the plan.
    pub outcomes: &'a Outcomes,
    /// What was observed.
    pub observed: &'a Observation,
    /// When it was observed.
    pub now: Timestamp,
}

/// The status of a runtime.
///
/// `before` is the status that it has.
pub fn compute(accepted: &Accepted<'_>, generation: i64, before: &RuntimeStatus) -> RuntimeStatus {
    let mut models = Vec::new();
    let mut ports = Vec::new();
    let unknown = ModelStatus::default();
    for index in 0..accepted.desired.models.len() {
        let (mut model, progress) = model::status(accepted, index);
        let known = before.models.iter().find(|one| one.name == model.name);
        let served = serving::of(accepted, index);
        (model.serving, model.history) = versions::advance(
            known.unwrap_or(&unknown),
            model.wanted.as_deref(),
            &served,
            accepted.now,
        );
        models.push((model, progress));
    }
    for index in 0..accepted.desired.ports.len() {
        ports.push(port::status(accepted, index));
    }
    let conditions = conditions::of_accepted(accepted.runtime, &models, &ports, accepted.outcomes);
    let ready = models.iter().filter(|(model, _)| model.ready).count();
    let exposed: Vec<_> = ports.iter().filter_map(|(port, _)| port.port).collect();
    let exposed: Vec<_> = exposed.iter().map(u16::to_string).collect();
    let models: Vec<_> = models
        .into_iter()
        .map(|(model, _)| ModelStatus {
            message: shortened(&model.message),
            ..model
        })
        .collect();
    RuntimeStatus {
        observed_generation: Some(generation),
        conditions: conditions::transitions(conditions, generation, before, accepted.now),
        models_summary: Some(format!("{ready}/{}", models.len())),
        exposed_summary: (!exposed.is_empty()).then(|| exposed.join(",")),
        wanted_summary: summary::wanted(&models),
        serving_summary: summary::serving(&models),
        nodes_summary: summary::nodes(&models),
        models,
        expose: ports
            .into_iter()
            .map(|(port, _)| ExposeStatus {
                message: shortened(&port.message),
                ..port
            })
            .collect(),
    }
}

/// The status of a runtime whose spec is invalid: workers of an earlier spec keep running and are not touched.
pub fn refused(
    message: &str,
    generation: i64,
    before: &RuntimeStatus,
    now: Timestamp,
) -> RuntimeStatus {
    let unready = |model: &ModelStatus| ModelStatus {
        ready: false,
        reason: Reason::InvalidSpec.into(),
        message: "the spec is invalid; workers keep running with the last valid spec".to_owned(),
        ..model.clone()
    };
    let models: Vec<_> = before.models.iter().map(unready).collect();
    RuntimeStatus {
        observed_generation: Some(generation),
        conditions: conditions::transitions(
            conditions::of_refused(message),
            generation,
            before,
            now,
        ),
        models_summary: Some(format!("0/{}", models.len())),
        models,
        ..before.clone()
    }
}

/// The status of a runtime that is paused. Where its spec was changed meanwhile, it says that it waits to be resumed;
/// else the status stays as it was.
pub fn paused(generation: i64, before: &RuntimeStatus, now: Timestamp) -> RuntimeStatus {
    if before.observed_generation == Some(generation) {
        return overlaid(conditions::of_paused(), before, now);
    }
    let waiting = |model: &ModelStatus| ModelStatus {
        ready: false,
        reason: Reason::Paused.into(),
        message: "the spec was changed while paused; workers keep running with the earlier spec"
            .to_owned(),
        ..model.clone()
    };
    let models: Vec<_> = before.models.iter().map(waiting).collect();
    let conditions = conditions::of_paused_and_changed();
    RuntimeStatus {
        observed_generation: Some(generation),
        conditions: conditions::transitions(conditions, generation, before, now),
        models_summary: Some(format!("0/{}", models.len())),
        models,
        ..before.clone()
    }
}

/// The status of a runtime whose children cannot be read for a cause that does not pass by itself: nothing new is known.
pub fn unread(failure: &Failure, before: &RuntimeStatus, now: Timestamp) -> RuntimeStatus {
    overlaid(conditions::of_unread(failure), before, now)
}

/// The status of a runtime whose namespace is being deleted: nothing new comes of it.
pub fn namespace_terminating(before: &RuntimeStatus, now: Timestamp) -> RuntimeStatus {
    overlaid(conditions::of_namespace_terminating(), before, now)
}

/// `before` with some conditions of now.
fn overlaid(
    mut conditions: Vec<Condition>,
    before: &RuntimeStatus,
    now: Timestamp,
) -> RuntimeStatus {
    let generation = before.observed_generation.unwrap_or(-1);
    for kept in &before.conditions {
        if !conditions.iter().any(|one| one.r#type == kept.r#type) {
            conditions.push(kept.clone());
        }
    }
    RuntimeStatus {
        conditions: conditions::transitions(conditions, generation, before, now),
        ..before.clone()
    }
}

/// The status that a runtime has, as far as it can be read.
pub fn of(object: &DynamicObject) -> RuntimeStatus {
    serde_json::from_value(object.data["status"].clone()).unwrap_or_default()
}

/// Writes `status`, unless it is there already. It is refused when the runtime has changed since `object` was read, so
/// that no status of an older spec replaces that of a newer.
///
/// # Errors
/// The API server did not answer, or refused.
pub async fn write(
    client: &Client,
    identity: &Identity,
    object: &DynamicObject,
    status: &RuntimeStatus,
    metrics: &crate::metrics::Metrics,
) -> Result<bool, Failure> {
    let wanted = json!(status);
    if is_same(&object.data["status"], &wanted) {
        return Ok(false);
    }
    let resource = kube::core::ApiResource::erase::<crds::EdgeModelRuntime>(&());
    let runtimes: Api<DynamicObject> =
        Api::namespaced_with(client.clone(), &identity.namespace, &resource);
    let body = json!({
        "apiVersion": "edgemodel.io/v1alpha1",
        "kind": "EdgeModelRuntime",
        "metadata": {
            "name": identity.name,
            "namespace": identity.namespace,
            "uid": identity.uid,
            "resourceVersion": object.metadata.resource_version,
        },
        "status": wanted,
    });
    let parameters = PatchParams::apply(labels::OPERATOR).force();
    let patch = Patch::Apply(&body);
    let call = runtimes.patch_status(&identity.name, &parameters, &patch);
    let result = api::call(call).await;
    metrics.write("EdgeModelRuntime", "status", result.is_ok());
    result.map(|_| true)
}

/// Whether the status is there; conditions of others do not count.
fn is_same(live: &Value, wanted: &Value) -> bool {
    let ours = |status: &Value| {
        let mut status = status.clone();
        if let Some(conditions) = status["conditions"].as_array_mut() {
            conditions.retain(|one| {
                let mut wanted = wanted["conditions"].as_array().into_iter().flatten();
                wanted.any(|wanted| wanted["type"] == one["type"])
            });
            conditions.sort_by_key(|one| one["type"].to_string());
        }
        status
    };
    ours(live) == ours(wanted)
}

/// A model's status and how far it is.
type OfModel = (ModelStatus, Progress);
/// A port's status and how far it is.
type OfPort = (ExposeStatus, Progress);
