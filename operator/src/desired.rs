//! What should be there for a runtime: a pure function, the same bytes for the same input.
//!
//! No client, no clock and no randomness here. What the cluster holds comes in as [`Inputs`].

pub mod autoscaler;
pub mod config_map;
mod context;
pub mod deployment;
pub mod labels;
pub mod names;
pub mod pod;
pub mod service;

use std::collections::BTreeMap;

use crds::Reason;
use crds::cluster::{AutoscalingClass, ExposeMode};
use crds::digest::hex;
use crds::runtime::{Func, RuntimeSpec};
use crds::validated::{Digests, ValidatedRuntime};
use crds::worker_config::{self, SecretKeys};
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
    /// Its spec as it was written.
    pub spec: &'a RuntimeSpec,
    /// Its spec as it was understood.
    pub runtime: &'a ValidatedRuntime,
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
    /// Index in `funcs`.
    pub func: usize,
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

/// A model that gets no children; those that it has from an earlier spec go on.
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

/// Builds what should be there.
pub fn build(inputs: &Inputs<'_>) -> Desired {
    let spec = inputs.spec;
    let mut exposing = exposes_once(spec).then_some(());
    let secret_keys: SecretKeys = inputs
        .secrets
        .iter()
        .map(|(name, view)| (name.clone(), view.keys.clone()))
        .collect();
    let models: Vec<_> = inputs
        .runtime
        .funcs
        .iter()
        .enumerate()
        .map(|(index, func)| {
            let digests = match &func.digest {
                Ok(digests) => digests,
                Err(refusal) => {
                    return Model::Blocked(Blocked {
                        reason: refusal.reason,
                        message: refusal.message.clone(),
                        passing: false,
                    });
                }
            };
            // Ports of a node are taken once: the first model's workers serve them.
            let exposes = !exposes_once(spec) || exposing.take().is_some();
            model(inputs, index, digests, &secret_keys, exposes)
        })
        .collect();
    let served = models.iter().any(|model| matches!(model, Model::Served(_)));
    Desired {
        ports: spec
            .expose
            .iter()
            .zip(&inputs.runtime.expose)
            .map(|(entry, validated)| Port {
                service: service::of_port(inputs.identity, spec, entry, validated),
                out_port: entry.out_port,
            })
            .collect(),
        workers: served.then(|| service::of_workers(inputs.identity, spec)),
        blocked: models
            .iter()
            .zip(&spec.funcs)
            .filter(|(model, _)| matches!(model, Model::Blocked(_)))
            .map(|(_, func)| func.model_name.clone())
            .collect(),
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
    let func = &inputs.spec.funcs[index];
    if let Some(blocked) = missing_secret(inputs) {
        return Model::Blocked(blocked);
    }
    let replicas = fixed_replicas(func);
    let group = (replicas.is_none_or(|count| count > 1))
        .then(|| names::deployment(&inputs.identity.name, &func.model_name));
    let options = worker_config::Options {
        owner: &format!("{}-{}", inputs.identity.namespace, inputs.identity.name),
        secrets: secret_keys,
        exposes,
        group: group.as_deref(),
    };
    let config = worker_config::of_model(inputs.spec, inputs.runtime, index, &options);
    let rollout = worker_config::restart_digest(&config);
    let digest = digest_text(digests);
    let context = context::Context {
        inputs,
        func,
        config: &config,
        rollout: &rollout,
        digest: digest.as_deref(),
        replicas,
        shared: group.is_some(),
    };
    Model::Served(Box::new(ModelChildren {
        func: index,
        config_map: config_map::build(inputs.identity, &func.model_name, &config, &rollout),
        deployment: deployment::build(&context),
        autoscaler: autoscaler::build(inputs.identity, func),
        replicas,
        digest,
    }))
}

/// The number of workers, unless something else decides it.
fn fixed_replicas(func: &Func) -> Option<u16> {
    match autoscaling_class(func) {
        AutoscalingClass::None => Some(func.replicas.unwrap_or(1)),
        AutoscalingClass::Hpa | AutoscalingClass::Keda | AutoscalingClass::External => None,
    }
}

/// Who scales `func`.
pub fn autoscaling_class(func: &Func) -> AutoscalingClass {
    let autoscaling = func.autoscaling.as_ref();
    autoscaling
        .and_then(|scaling| scaling.class)
        .unwrap_or_default()
}

/// How ports are exposed.
pub fn expose_mode(spec: &RuntimeSpec) -> ExposeMode {
    spec.expose_mode.unwrap_or_default()
}

/// Whether workers use the node's network.
pub fn host_network(spec: &RuntimeSpec) -> bool {
    let placement = spec.placement.as_ref();
    placement
        .and_then(|placement| placement.host_network)
        .unwrap_or(false)
}

fn exposes_once(spec: &RuntimeSpec) -> bool {
    host_network(spec) || expose_mode(spec) == ExposeMode::HostPort
}

fn missing_secret(inputs: &Inputs<'_>) -> Option<Blocked> {
    worker_config::secrets(inputs.spec)
        .into_iter()
        .find_map(|(name, keys)| {
            let Some(found) = inputs.secrets.get(name) else {
                return Some(Blocked {
                    reason: Reason::SecretNotFound,
                    message: format!(
                        "Secret {name:?} is not in namespace {:?}; create it, or name another",
                        inputs.identity.namespace
                    ),
                    passing: true,
                });
            };
            let missing = keys.into_iter().find(|key| !found.keys.contains(*key))?;
            Some(Blocked {
                reason: Reason::SecretKeyMissing,
                message: format!("Secret {name:?} has no key {missing:?}; add it to the Secret"),
                passing: true,
            })
        })
}

fn digest_text(digests: &Digests) -> Option<String> {
    let sha256 = digests.sha256.map(|digest| format!("sha256:{digest}"));
    sha256.or_else(|| digests.md5.map(|digest| format!("md5:{digest}")))
}

#[cfg(test)]
mod tests;
