//! What should be there for a runtime: a pure function, the same bytes for the same input.
//!
//! No client, no clock and no randomness here. What the cluster holds comes in as [`Inputs`].

pub mod autoscaler;
pub mod config_map;
pub mod deployment;
pub mod labels;
mod model_source;
pub mod names;
pub mod pod;
pub mod service;

use std::collections::BTreeMap;

use crds::digest::hex;
use crds::validated::Digests;
use crds::worker_config::{self, ReadKeys, SecretKeys};
use crds::{ClusterRuntime, Reason};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::kind::Kind;

/// Which runtime it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its UID.
    pub uid: String,
}

/// What the operator was started with, as far as children depend on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defaults {
    /// The workers' image where a runtime names none.
    pub worker_image: String,
}

/// A Secret as the operator knows it: which keys it has, and a digest that changes with its contents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecretView {
    /// Its keys.
    pub keys: std::collections::BTreeSet<String>,
    /// A digest of its contents, salted with the runtime's UID so that it tells nothing.
    pub digest: String,
}

/// Everything that the children depend on.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// Which runtime it is.
    pub identity: &'a Identity,
    /// Its spec as it was understood.
    pub runtime: &'a ClusterRuntime,
    /// The Secrets that it refers to and that exist.
    pub secrets: &'a BTreeMap<String, SecretView>,
    /// The operator's defaults.
    pub defaults: &'a Defaults,
}

/// An object that should be there.
#[derive(Debug, Clone, PartialEq)]
pub struct Child {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// The fields that are ours, as they are applied.
    pub body: Value,
}

impl Child {
    /// A child that carries a digest of itself.
    fn new(kind: Kind, name: String, mut body: Value) -> Self {
        let digest = hex(&Sha256::digest(body.to_string())[..8]);
        if !body["metadata"]["annotations"].is_object() {
            body["metadata"]["annotations"] = json!({});
        }
        body["metadata"]["annotations"][labels::APPLIED] = digest.into();
        Self { kind, name, body }
    }

    /// The same Deployment with another number of pods.
    pub(crate) fn with_replicas(&self, replicas: u64) -> Self {
        let mut body = self.body.clone();
        body["spec"]["replicas"] = replicas.into();
        if let Some(annotations) = body["metadata"]["annotations"].as_object_mut() {
            annotations.remove(labels::APPLIED);
        }
        Self::new(self.kind, self.name.clone(), body)
    }
}

/// The children of one model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelChildren {
    /// Its ConfigMap.
    pub config_map: Child,
    /// Its Deployment.
    pub deployment: Child,
    /// What scales it, if anything does.
    pub autoscaler: Option<Child>,
    /// The number of workers, if the spec decides it.
    pub replicas: Option<u16>,
    /// The digest that its zip must have.
    pub digest: Option<String>,
}

/// A model without desired children; those of an earlier spec keep running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// Why.
    pub reason: Reason,
    /// One sentence with the field, the value and the remedy.
    pub message: String,
    /// Whether the cause may pass without a change to the spec.
    pub passing: bool,
}

/// A model: its children, or why there are none.
#[derive(Debug, Clone, PartialEq)]
pub enum Model {
    /// It has children.
    Served(Box<ModelChildren>),
    /// It has none.
    Blocked(Blocked),
}

/// A port in `expose`.
#[derive(Debug, Clone, PartialEq)]
pub struct Port {
    /// Its Service, unless it is a port of the node.
    pub service: Option<Child>,
    /// The port that the spec asks for.
    pub out_port: u16,
}

/// Everything that should be there.
#[derive(Debug, Clone, PartialEq)]
pub struct Desired {
    /// For each entry in `funcs`.
    pub models: Vec<Model>,
    /// For each entry in `expose`.
    pub ports: Vec<Port>,
    /// The headless Service by which workers find each other, if there are any.
    pub workers: Option<Child>,
    /// Names of models without children now; what they have from an earlier spec stays.
    pub blocked: Vec<String>,
}

impl Desired {
    /// All children, in no order that means anything.
    pub fn children(&self) -> impl Iterator<Item = &Child> {
        let models = self.models.iter().filter_map(Model::children).flatten();
        let ports = self.ports.iter().filter_map(|port| port.service.as_ref());
        models.chain(ports).chain(&self.workers)
    }
}

impl Model {
    fn children(&self) -> Option<impl Iterator<Item = &Child>> {
        let Self::Served(children) = self else {
            return None;
        };
        let both = [&children.config_map, &children.deployment];
        Some(both.into_iter().chain(&children.autoscaler))
    }
}

/// Builds what should be there.
pub fn build(inputs: &Inputs<'_>) -> Desired {
    let runtime = inputs.runtime;
    let views = inputs.secrets.iter();
    let views = views.map(|(name, view)| (name.clone(), view.keys.clone()));
    let secret_keys: SecretKeys = views.collect();
    // Ports of a node are taken once: the first model's workers serve them.
    let mut exposing = true;
    let mut models = Vec::new();
    for (index, func) in runtime.models.iter().enumerate() {
        models.push(match &func.digest {
            Err(refusal) => Model::Blocked(Blocked {
                reason: refusal.reason,
                message: refusal.message.clone(),
                passing: false,
            }),
            Ok(digests) => {
                let exposes = exposing;
                exposing &= !runtime.exposes_once();
                model(inputs, index, digests, &secret_keys, exposes)
            }
        });
    }
    let ports = runtime.ports().iter().map(|entry| Port {
        service: service::of_port(inputs.identity, runtime.expose_mode, entry),
        out_port: entry.out_port,
    });
    let served = models.iter().any(|model| matches!(model, Model::Served(_)));
    let blocked = models.iter().zip(&runtime.models);
    let blocked = blocked.filter(|(model, _)| matches!(model, Model::Blocked(_)));
    Desired {
        ports: ports.collect(),
        workers: served.then(|| service::of_workers(inputs.identity, runtime.nodes.host_network)),
        blocked: blocked.map(|(_, func)| func.name.clone()).collect(),
        models,
    }
}

fn model(
    inputs: &Inputs<'_>,
    index: usize,
    digests: &Digests,
    secret_keys: &SecretKeys,
    exposes: bool,
) -> Model {
    let secrets = inputs.runtime.secrets(index);
    if let Some(blocked) = missing_secret(inputs, &secrets) {
        return Model::Blocked(blocked);
    }
    if let Some(fault) = inputs.runtime.fault_of_keys(index, secret_keys) {
        return Model::Blocked(Blocked {
            reason: fault.reason(),
            message: fault.to_string(),
            passing: true,
        });
    }
    let func = &inputs.runtime.models[index];
    let identity = inputs.identity;
    let group = func.scaling.shares();
    let group = group.then(|| names::deployment(&identity.name, &func.name));
    let config = inputs.runtime.worker_config(
        index,
        &worker_config::Options {
            owner: &format!("{}-{}", identity.namespace, identity.name),
            secrets: secret_keys,
            exposes,
            group: group.as_deref(),
        },
    );
    let restart_digest = worker_config::restart_digest(&config);
    let digest = digest_text(digests);
    let source = model_source::ModelSource {
        inputs,
        func,
        config: &config,
        restart_digest: &restart_digest,
        secrets: &secrets,
        digest: digest.as_deref(),
    };
    Model::Served(Box::new(ModelChildren {
        config_map: config_map::build(&source),
        deployment: deployment::build(&source),
        autoscaler: autoscaler::build(identity, func),
        replicas: func.scaling.replicas(),
        digest,
    }))
}

/// The first Secret, or key of one, that a model's workers need and that is not there.
fn missing_secret(inputs: &Inputs<'_>, secrets: &BTreeMap<&str, ReadKeys>) -> Option<Blocked> {
    let blocked = |reason, message| Blocked {
        reason,
        message,
        passing: true,
    };
    secrets.iter().find_map(|(name, keys)| {
        let Some(found) = inputs.secrets.get(*name) else {
            let message = format!(
                "Secret {name:?} is not in namespace {:?}; create it, or name another",
                inputs.identity.namespace
            );
            return Some(blocked(Reason::SecretNotFound, message));
        };
        let mut required = keys.required.iter();
        let missing = required.find(|key| !found.keys.contains(**key))?;
        let message = format!("Secret {name:?} has no key {missing:?}; add it to the Secret");
        Some(blocked(Reason::SecretKeyMissing, message))
    })
}

/// The digest that a zip must have, as annotations and statuses show it.
pub(crate) fn digest_text(digests: &Digests) -> Option<String> {
    let sha256 = digests.sha256.map(|digest| format!("sha256:{digest}"));
    sha256.or_else(|| digests.md5.map(|digest| format!("md5:{digest}")))
}

#[cfg(test)]
mod tests;
