//! The state of the worker: written by the data path, read by HTTP.

mod last_errors;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crds::Reason;
use crds::ValidatedRuntime;
use hosts::HostStatus;
use message::{Ledger, Level, Settled};
use serde::Serialize;

use crate::metrics::Metrics;
use crate::undecodable::Undecodable;

use last_errors::LastErrors;

/// Who reads `/status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Anyone who reaches the port: no texts that come from messages, no names that a session could be taken over with.
    Anyone,
    /// Someone with the token.
    Authenticated,
}

/// State shared between the data path and HTTP.
#[derive(Debug)]
pub struct Shared {
    /// All metrics.
    pub metrics: Metrics,
    models: Vec<Arc<ModelView>>,
    rules: Vec<Arc<Undecodable>>,
    stopping: AtomicBool,
    started: jiff::Timestamp,
}

/// The visible state of one model.
#[derive(Debug)]
pub struct ModelView {
    /// Its name.
    pub name: String,
    /// Its address without credentials or query.
    pub address: String,
    /// Its ledger.
    pub ledger: Arc<Ledger>,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: ModelState,
    digests: (Option<String>, Option<String>),
    last_errors: LastErrors,
    sessions: Vec<SessionView>,
    probe: Option<Box<dyn Probe>>,
}

/// Values read from a running model at scrape.
pub trait Probe: Send + std::fmt::Debug {
    /// Its hosts.
    fn hosts(&self) -> Vec<HostStatus>;
    /// The queues of its messages.
    fn queues(&self) -> Queues;
    /// Recent utilization of its hosts, from 0 to 1.
    fn utilization(&self) -> f64;
}

/// Queued messages of a model.
#[derive(Debug, Clone, Copy, Default)]
pub struct Queues {
    /// In the worker, for the model.
    pub pre: Level,
    /// In the model's hosts. Bounded by bytes as well, so it has no capacity.
    pub host: usize,
    /// In the worker, for the broker.
    pub post: Level,
}

impl Queues {
    /// All messages that wait for the model.
    pub fn for_model(&self) -> usize {
        self.pre.depth + self.host
    }
}

/// The state of a model.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "state", rename_all = "camelCase")]
pub enum ModelState {
    /// It is being installed and loaded for the first time.
    Loading,
    /// It serves.
    Serving,
    /// It does not serve.
    #[serde(rename_all = "camelCase")]
    Refused {
        /// Why, in one word.
        reason: Reason,
        /// One sentence.
        message: String,
        /// Whether it is retried.
        retrying: bool,
    },
}

/// A session for `/status`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionView {
    /// Index of the rule.
    pub rule: usize,
    /// `sub` or `pub`.
    pub role: &'static str,
    /// Host and port.
    pub broker: String,
    /// Topic or filter.
    pub topic: String,
    /// Client id; whoever has it can take the session over, so only the authenticated see it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub client_id: String,
    /// Connected, and for `sub` subscribed.
    pub ready: bool,
    /// Why not, if it is known.
    pub error: Option<String>,
    /// For `sub`: the quality of service at which the broker delivers, once it has granted the subscription.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub granted_qos: Option<u8>,
    /// What the broker does otherwise than asked, each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

impl Shared {
    /// The state of a worker that starts with this configuration.
    pub fn new(runtime: &ValidatedRuntime) -> Arc<Self> {
        let metrics = Metrics::new();
        let models = runtime
            .funcs
            .iter()
            .map(|func| {
                let mut address = func.address.clone();
                address.set_query(None);
                Arc::new(ModelView {
                    name: func.name.clone(),
                    address: address.to_string(),
                    ledger: Arc::new(metrics.ledger(&func.name)),
                    inner: Mutex::new(Inner {
                        state: ModelState::Loading,
                        digests: (None, None),
                        last_errors: LastErrors::default(),
                        sessions: Vec::new(),
                        probe: None,
                    }),
                })
            })
            .collect();
        let rules = runtime.rules.iter().enumerate();
        let rules = rules
            .map(|(index, rule)| Undecodable::new(index, rule, metrics.undecodable(index)).into())
            .collect();
        Arc::new(Self {
            metrics,
            models,
            rules,
            stopping: AtomicBool::new(false),
            started: jiff::Timestamp::now(),
        })
    }

    /// The models in the order of the configuration.
    pub fn models(&self) -> &[Arc<ModelView>] {
        &self.models
    }

    /// The rules in the order of the configuration.
    pub fn rules(&self) -> &[Arc<Undecodable>] {
        &self.rules
    }

    /// Says that the worker is going down: never ready again.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether traffic should be expected to flow: at least one model serves, none is still loading
    /// for the first time, and every session of those that serve is up.
    pub fn ready(&self) -> bool {
        let mut serving = false;
        for model in &self.models {
            let inner = model.lock();
            match inner.state {
                ModelState::Loading => return false,
                ModelState::Refused { .. } => {}
                ModelState::Serving => {
                    serving = true;
                    if !inner.sessions.iter().all(|session| session.ready) {
                        return false;
                    }
                }
            }
        }
        serving && !self.stopping.load(Ordering::Relaxed)
    }

    /// Prometheus text, with the gauges read now.
    pub fn render_metrics(&self) -> String {
        for model in &self.models {
            let name = model.name.as_str();
            let metrics = &self.metrics;
            let in_flight = i64::try_from(model.ledger.in_flight()).unwrap_or(i64::MAX);
            metrics.in_flight.with_label_values(&[name]).set(in_flight);
            let gauge = |value| i64::try_from(value).unwrap_or(i64::MAX);
            let Queues { pre, host, post } = model.queues();
            for (queue, depth) in [("pre", pre.depth), ("host", host), ("post", post.depth)] {
                let depths = metrics.queue_depth.with_label_values(&[name, queue]);
                depths.set(gauge(depth));
            }
            for (queue, capacity) in [("pre", pre.capacity), ("post", post.capacity)] {
                let capacities = metrics.queue_capacity.with_label_values(&[name, queue]);
                capacities.set(gauge(capacity));
            }
            let hosts = &metrics.hosts;
            hosts.scrape(name, &model.hosts());
        }
        self.metrics.render()
    }

    /// The document at `/status`.
    pub fn document(&self, audience: Audience) -> serde_json::Value {
        let models = self.models.iter().map(|model| model.document(audience));
        let models: Vec<_> = models.collect();
        serde_json::json!({
            "version": env!("CARGO_PKG_VERSION"),
            "started": self.started.to_string(),
            "ready": self.ready(),
            "stopping": self.stopping.load(Ordering::Relaxed),
            "models": models,
            "rules": self.rules.iter().map(|rule| rule.document()).collect::<Vec<_>>(),
        })
    }
}

impl ModelView {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while it holds the lock, so a poisoned view is still consistent.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its state.
    pub fn state(&self) -> ModelState {
        self.lock().state.clone()
    }

    /// Records its state, also in metrics.
    pub fn set_state(&self, metrics: &Metrics, state: ModelState) {
        let mut inner = self.lock();
        if let ModelState::Refused { reason, .. } = &inner.state {
            let _ = metrics
                .model_refused
                .remove_label_values(&[self.name.as_str(), reason.as_str()]);
        }
        if let ModelState::Refused {
            reason, message, ..
        } = &state
        {
            metrics
                .model_refused
                .with_label_values(&[self.name.as_str(), reason.as_str()])
                .set(1);
            inner.last_errors.add(reason.as_str(), message);
        }
        inner.state = state;
    }

    /// Records the digests of the installed version.
    pub fn set_digests(&self, metrics: &Metrics, md5: Option<String>, sha256: Option<String>) {
        let mut inner = self.lock();
        let labels = |digests: &(Option<String>, Option<String>)| {
            [
                digests.0.clone().unwrap_or_default(),
                digests.1.clone().unwrap_or_default(),
            ]
        };
        let [old_md5, old_sha256] = labels(&inner.digests);
        let _ = metrics
            .model_info
            .remove_label_values(&[&self.name, &old_md5, &old_sha256]);
        inner.digests = (md5, sha256);
        let [md5, sha256] = labels(&inner.digests);
        metrics
            .model_info
            .with_label_values(&[&self.name, &md5, &sha256])
            .set(1);
    }

    /// Records what to read from the running model at scrape.
    pub fn set_probe(&self, probe: Box<dyn Probe>) {
        self.lock().probe = Some(probe);
    }

    /// Remembers an error for `/status`.
    pub fn error(&self, reason: &str, message: &str) {
        self.lock().last_errors.add(reason, message);
    }

    /// Adds a session; the index is for [`Self::set_session`].
    pub fn add_session(&self, session: SessionView) -> usize {
        let mut inner = self.lock();
        inner.sessions.push(session);
        inner.sessions.len() - 1
    }

    /// Records whether a session is up, and if not, why.
    pub fn set_session(&self, index: usize, ready: bool, error: Option<String>) {
        if let Some(session) = self.lock().sessions.get_mut(index) {
            session.ready = ready;
            session.error = error;
        }
    }

    /// Records at which quality of service the broker delivers.
    pub fn set_granted(&self, index: usize, qos: u8) {
        if let Some(session) = self.lock().sessions.get_mut(index) {
            session.granted_qos = Some(qos);
        }
    }

    /// Records what the broker of a session does otherwise than asked; whether that is new.
    pub fn warn(&self, index: usize, warning: &str) -> bool {
        let mut inner = self.lock();
        let Some(session) = inner.sessions.get_mut(index) else {
            return false;
        };
        let new = session.warnings.len() < last_errors::KEPT
            && !session.warnings.iter().any(|known| known == warning);
        if new {
            session.warnings.push(warning.to_owned());
        }
        new
    }

    /// Its queues.
    pub fn queues(&self) -> Queues {
        let inner = self.lock();
        let probe = inner.probe.as_ref();
        probe.map_or_else(Queues::default, |probe| probe.queues())
    }

    /// Recent utilization of its hosts, from 0 to 1; 0 without hosts.
    pub fn utilization(&self) -> f64 {
        let inner = self.lock();
        inner
            .probe
            .as_ref()
            .map_or(0.0, |probe| probe.utilization())
    }

    /// Its hosts.
    pub fn hosts(&self) -> Vec<HostStatus> {
        self.lock()
            .probe
            .as_ref()
            .map_or_else(Vec::new, |probe| probe.hosts())
    }

    fn document(&self, audience: Audience) -> serde_json::Value {
        let queues = self.queues();
        let utilization = self.utilization();
        let hosts = self.hosts();
        let inner = self.lock();
        let mut ledger = serde_json::Map::new();
        for outcome in Settled::ALL {
            ledger.insert(
                outcome.as_str().to_owned(),
                self.ledger.settled(outcome).into(),
            );
        }
        ledger.insert("in_flight".to_owned(), self.ledger.in_flight().into());
        ledger.insert("received".to_owned(), self.ledger.received().into());
        let mut sessions = inner.sessions.clone();
        if audience == Audience::Anyone {
            for session in &mut sessions {
                session.client_id.clear();
            }
        }
        serde_json::json!({
            "name": self.name,
            "address": self.address,
            "state": inner.state,
            "md5": inner.digests.0,
            "sha256": inner.digests.1,
            "ledger": ledger,
            "queues": {
                "pre": queues.pre,
                "host": { "depth": queues.host },
                "post": queues.post,
            },
            "utilization": utilization,
            "hosts": hosts,
            "sessions": sessions,
            "lastErrors": inner.last_errors.shown(audience),
        })
    }
}

#[cfg(test)]
mod tests;
