//! What the models of a worker share, and the parts of one rule of one model.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use crds::ValidatedRuntime;
use crds::client_id::{Role, SessionKey};
use crds::validated::{ValidatedFunc, ValidatedRule};
use mqtt::{Broker, Claim};
use tokio::sync::watch;

use crate::client_ids::ClientIds;
use crate::metrics::ModelMetrics;
use crate::session_state::SessionState;
use crate::shutdown::Phase;
use crate::source::Strikes;
use crate::status::{ModelView, SessionView, Shared};

/// Memory that the messages of one queue may hold, whatever their number.
pub const QUEUE_BYTES: usize = 64 << 20;

/// The folder of messages that the worker died over, in the models directory.
const SET_ASIDE: &str = "set-aside";

/// What all models of a worker share.
#[derive(Debug, Clone)]
pub struct PipelineContext {
    /// The configuration.
    pub runtime: ValidatedRuntime,
    /// The brokers, in the order of the configuration.
    pub brokers: Vec<Broker>,
    /// The databases of each model, in the order of the configuration.
    pub databases: Vec<Arc<[hosts::Database]>>,
    /// What no model may read.
    pub hidden: Arc<[PathBuf]>,
    /// The models directory, where what a worker leaves for the next one is kept; `None` in a trial.
    pub directory: Option<PathBuf>,
    /// Whether results are printed instead of published.
    pub trial: bool,
    /// The client ids that this machine has used; `None` in a pod, whose machine is another each time, and in a trial.
    pub used: Option<Arc<ClientIds>>,
    /// The sessions' client ids.
    pub client_ids: HashMap<SessionKey, String>,
    /// For one of several workers, which never reconnects under its client ids: those of the previous single worker, if
    /// there was one. Its sessions are drained and deleted (ADR 12).
    pub predecessor: Option<HashMap<SessionKey, String>>,
    /// State and metrics.
    pub shared: Arc<Shared>,
}

impl PipelineContext {
    /// Where messages are kept that the worker died over.
    pub fn set_aside(&self) -> Option<PathBuf> {
        Some(self.directory.as_ref()?.join(SET_ASIDE))
    }

    /// What earlier workers died over in a session.
    pub fn strikes(&self, client_id: &str, broker: &str) -> Option<Strikes> {
        Strikes::open(self.directory.as_ref()?, client_id, broker)
    }
}

/// One rule of one model.
#[derive(Debug, Clone, Copy)]
pub struct Route<'a> {
    /// What all models share.
    pub ctx: &'a PipelineContext,
    /// The phase of the model's shutdown.
    pub phase: &'a watch::Sender<Phase>,
    /// What the state of the rule's subscription means for the session of its publisher.
    pub claim: &'a watch::Sender<Claim>,
    /// Index of the model.
    pub func: usize,
    /// Index of the rule.
    pub rule: usize,
}

impl<'a> Route<'a> {
    /// The rule.
    pub fn rule(self) -> &'a ValidatedRule {
        &self.ctx.runtime.rules[self.rule]
    }

    /// The model.
    pub fn model(self) -> &'a ValidatedFunc {
        &self.ctx.runtime.funcs[self.func]
    }

    /// The model as others see it.
    pub fn view(self) -> &'a Arc<ModelView> {
        &self.ctx.shared.models()[self.func]
    }

    /// The model's metrics.
    pub fn metrics(self) -> ModelMetrics {
        self.ctx.shared.metrics.model(&self.model().name)
    }

    /// Follows the phase of the model's shutdown.
    pub fn phase(self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }

    /// A broker, by its index in the configuration.
    pub fn broker(self, index: usize) -> &'a Broker {
        &self.ctx.brokers[index]
    }

    /// The client id of the rule's session in this role.
    pub fn client_id(self, role: Role) -> &'a str {
        &self.ctx.client_ids[&self.key(role)]
    }

    /// The client id of the previous worker for the subscription, if that worker does not return.
    pub fn predecessor(self) -> Option<&'a str> {
        let ids = self.ctx.predecessor.as_ref()?;
        ids.get(&self.key(Role::Sub)).map(String::as_str)
    }

    /// Registers the rule's session in this role; `topic` is its topic or filter.
    pub fn session_state(self, role: Role, broker: &Broker, topic: &str) -> SessionState {
        let session = SessionView {
            rule: self.rule,
            role: role.as_str(),
            broker: broker.settings().broker.address(),
            topic: topic.to_owned(),
            client_id: self.client_id(role).to_owned(),
            ready: false,
            error: None,
            granted_qos: None,
            warnings: Vec::new(),
        };
        SessionState::listed(&self.ctx.shared.metrics, self.view(), session)
            .aware_of(self.ctx.used.clone())
    }

    fn key(self, role: Role) -> SessionKey {
        SessionKey {
            rule: self.rule,
            func: self.func,
            role,
        }
    }
}
