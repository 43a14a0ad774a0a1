//! A checked spec of a runtime on a cluster: [`ValidatedRuntime`] and what only a cluster uses, with real types and
//! defaults filled in. Nothing downstream reads the spec again.

use std::collections::{BTreeMap, BTreeSet};

use crate::cluster::{
    Autoscaling, AutoscalingClass, ExposeMode, ModelCache, Placement, Resources, Toleration,
};
use crate::problem::Problems;
use crate::runtime::{Func, RuntimeSpec};
use crate::validate;
use crate::validated::{Digests, Refusal, ValidatedExpose, ValidatedRuntime};
use crate::worker_config::{self, KeyFault, Options, ReadKeys, SecretKeys};

/// A checked runtime on a cluster.
#[derive(Debug, Clone)]
pub struct ClusterRuntime {
    /// Models, in the order of the spec; some may be refused ([`ClusterModel::digest`]).
    pub models: Vec<ClusterModel>,
    /// How ports are reached from outside.
    pub expose_mode: ExposeMode,
    /// Where workers run.
    pub nodes: Nodes,
    /// Where verified models are kept.
    pub model_cache: Cache,
    /// The workers' image, unless the operator's default holds.
    pub image: Option<String>,
    /// Names of Secrets with which the image is pulled.
    pub image_pull_secrets: Vec<String>,
    /// The spec as it was written, from which workers' configurations are made.
    written: RuntimeSpec,
    runtime: ValidatedRuntime,
}

/// A model and its workers.
#[derive(Debug, Clone)]
pub struct ClusterModel {
    /// The model's name.
    pub name: String,
    /// What its zip must be, or why this model alone is refused.
    pub digest: Result<Digests, Refusal>,
    /// Who decides the number of its workers.
    pub scaling: Scaling,
    /// Processor and memory of each worker.
    pub resources: Option<Resources>,
}

/// Who decides the number of a model's workers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scaling {
    /// The spec.
    Fixed(u16),
    /// A HorizontalPodAutoscaler.
    Hpa(Targets),
    /// KEDA, by what the Prometheus at this address says.
    Keda(Targets, String),
    /// Another program.
    External,
}

/// When an autoscaler adds workers, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Targets {
    /// Fewest workers.
    pub min_replicas: u16,
    /// Most workers.
    pub max_replicas: u16,
    /// Messages that may wait in a worker on average.
    pub queue_depth: u32,
    /// How busy a model may be on average, in percent.
    pub utilization: u8,
}

/// The nodes on which workers run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Nodes {
    /// Whether only edge nodes.
    pub edge: bool,
    /// Labels that a node must have.
    pub selector: BTreeMap<String, String>,
    /// Taints that workers tolerate besides those that they always do.
    pub tolerations: Vec<Toleration>,
    /// Whether workers use the node's own network.
    pub host_network: bool,
}

/// Where verified models are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cache {
    /// In a directory of the node.
    HostPath(String),
    /// In a PersistentVolumeClaim.
    Claim(String),
    /// In the pod, up to this size.
    Pod(String),
}

impl ClusterRuntime {
    /// Checks and resolves `spec`.
    ///
    /// # Errors
    /// All problems of the spec, without positions.
    pub fn new(spec: RuntimeSpec) -> Result<Self, Problems> {
        let runtime = validate::spec(&spec, "spec")?;
        let models = runtime.funcs.iter().zip(&spec.funcs);
        let models = models.map(|(validated, func)| ClusterModel {
            name: validated.name.clone(),
            digest: validated.digest.clone(),
            scaling: Scaling::of(func),
            resources: func.resources.clone(),
        });
        Ok(Self {
            models: models.collect(),
            expose_mode: spec.expose_mode.unwrap_or_default(),
            nodes: Nodes::of(spec.placement.clone().unwrap_or_default()),
            model_cache: Cache::of(spec.model_cache.clone().unwrap_or_default()),
            image: spec.image.clone(),
            image_pull_secrets: spec.image_pull_secrets.clone(),
            written: spec,
            runtime,
        })
    }

    /// Ports, in the order of the spec.
    pub fn ports(&self) -> &[ValidatedExpose] {
        &self.runtime.expose
    }

    /// The names of the Secrets that the workers of `models[model]` read, with the keys of each.
    pub fn secrets(&self, model: usize) -> BTreeMap<&str, ReadKeys> {
        let func = self.written.funcs.get(model);
        func.map(|func| worker_config::secrets(&self.written, func))
            .unwrap_or_default()
    }

    /// What is wrong with the keys of the Secret of `models[model]`'s server.
    pub fn fault_of_keys(&self, model: usize, secrets: &SecretKeys) -> Option<KeyFault> {
        worker_config::fault_of_keys(self.written.funcs.get(model)?, secrets)
    }

    /// The names of the Secrets that workers read.
    pub fn all_secrets(&self) -> BTreeSet<&str> {
        let models = 0..self.models.len();
        models
            .flat_map(|model| self.secrets(model).into_keys())
            .collect()
    }

    /// The configuration of the workers of `models[model]`.
    pub fn worker_config(&self, model: usize, options: &Options<'_>) -> RuntimeSpec {
        let mut config = worker_config::of_model(&self.written, &self.runtime, model, options);
        for exposed in &mut config.expose {
            let mut ports = self.ports().iter();
            let entry = ports.find(|entry| entry.name == exposed.name);
            if let Some(entry) = entry.filter(|entry| self.listen_port(entry) != entry.port) {
                let scheme = entry.protocol.scheme();
                exposed.protocol_port = format!("{scheme}://:{}", self.listen_port(entry));
            }
        }
        config
    }

    /// The port that a worker listens on for an entry of `expose`. A worker in its node's network has no port mapping, so
    /// with `exposeMode: HostPort` it listens on `outPort` itself.
    pub fn listen_port(&self, entry: &ValidatedExpose) -> u16 {
        if self.nodes.host_network && self.expose_mode == ExposeMode::HostPort {
            entry.out_port
        } else {
            entry.port
        }
    }

    /// Whether only one worker on a node can have the ports: they are the node's.
    pub fn exposes_once(&self) -> bool {
        self.nodes.host_network || self.expose_mode == ExposeMode::HostPort
    }
}

impl Scaling {
    fn of(func: &Func) -> Self {
        let scaling = func.autoscaling.clone().unwrap_or_default();
        let targets = Targets::of(&scaling);
        match scaling.class.unwrap_or_default() {
            AutoscalingClass::None => Self::Fixed(func.replicas.unwrap_or(1)),
            AutoscalingClass::Hpa => Self::Hpa(targets),
            AutoscalingClass::Keda => {
                Self::Keda(targets, scaling.prometheus_address.unwrap_or_default())
            }
            AutoscalingClass::External => Self::External,
        }
    }

    /// The number of workers, if the spec decides it.
    pub fn replicas(&self) -> Option<u16> {
        match self {
            Self::Fixed(count) => Some(*count),
            Self::Hpa(_) | Self::Keda(..) | Self::External => None,
        }
    }

    /// Whether several workers may run at the same time.
    pub fn shares(&self) -> bool {
        self.replicas().is_none_or(|count| count > 1)
    }

    /// The class, as the spec names it.
    pub fn class(&self) -> AutoscalingClass {
        match self {
            Self::Fixed(_) => AutoscalingClass::None,
            Self::Hpa(_) => AutoscalingClass::Hpa,
            Self::Keda(..) => AutoscalingClass::Keda,
            Self::External => AutoscalingClass::External,
        }
    }
}

impl Targets {
    fn of(scaling: &Autoscaling) -> Self {
        Self {
            min_replicas: scaling.min_replicas.unwrap_or(Autoscaling::MIN_REPLICAS),
            max_replicas: scaling.max_replicas.unwrap_or(Autoscaling::MAX_REPLICAS),
            queue_depth: scaling
                .target_queue_depth
                .unwrap_or(Autoscaling::TARGET_QUEUE_DEPTH),
            utilization: scaling
                .target_utilization
                .unwrap_or(Autoscaling::TARGET_UTILIZATION),
        }
    }
}

impl Nodes {
    fn of(placement: Placement) -> Self {
        Self {
            edge: placement.edge.unwrap_or(false),
            selector: placement.node_selector,
            tolerations: placement.tolerations,
            host_network: placement.host_network.unwrap_or(false),
        }
    }
}

impl Cache {
    fn of(cache: ModelCache) -> Self {
        match (cache.host_path, cache.claim_name) {
            (Some(path), _) => Self::HostPath(path),
            (None, Some(claim)) => Self::Claim(claim),
            (None, None) => Self::Pod(cache.size_limit.unwrap_or_else(|| "1Gi".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests;
