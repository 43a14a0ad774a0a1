//! The visible state of one model.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crds::Reason;
use crds::validated::ValidatedFunc;
use hosts::HostStatus;
use message::{Devices, Ledger, Settled};
use serde::Serialize;

use super::exchanges::Exchanges;
use super::last_errors::{self, LastErrors};
use super::probe::{Probe, Queues};
use super::session::SessionView;
use super::unmatched::Unmatched;
use crate::audience::Audience;
use crate::metrics::Metrics;

/// The visible state of one model.
#[derive(Debug)]
pub struct ModelView {
    /// Its name.
    pub name: String,
    /// Its ledger.
    pub ledger: Arc<Ledger>,
    /// The devices that it has seen.
    pub devices: Arc<Devices>,
    /// Examples of messages of none of its devices.
    pub unmatched: Unmatched,
    /// Examples of messages with what it made of them.
    pub exchanges: Exchanges,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// Its address without credentials or query.
    address: String,
    state: ModelState,
    digests: (Option<String>, Option<String>),
    last_errors: LastErrors,
    sessions: Vec<SessionView>,
    probe: Option<Box<dyn Probe>>,
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

/// What a model says about the worker's readiness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readiness {
    /// It serves, and all its sessions are up.
    Ready,
    /// It is being loaded, a session is down, or none of its hosts runs.
    NotReady,
    /// It does not serve, and does not keep the others from being ready.
    Refused,
}

impl Inner {
    /// Whether messages get to the model and results from it.
    fn serves(&self) -> bool {
        let connected = self.sessions.iter().all(|session| session.ready);
        connected && self.probe.as_ref().is_none_or(|probe| probe.runs())
    }
}

/// An address without credentials or query.
fn shown(address: &url::Url) -> String {
    let mut address = address.clone();
    address.set_query(None);
    address.to_string()
}

impl ModelView {
    /// A model that is not loaded yet.
    pub(super) fn new(func: &ValidatedFunc, ledger: Ledger) -> Self {
        Self {
            name: func.name.clone(),
            ledger: Arc::new(ledger),
            devices: Arc::default(),
            unmatched: Unmatched::default(),
            exchanges: Exchanges::default(),
            inner: Mutex::new(Inner {
                address: shown(&func.address),
                state: ModelState::Loading,
                digests: (None, None),
                last_errors: LastErrors::default(),
                sessions: Vec::new(),
                probe: None,
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while it holds the lock, so a poisoned view is still consistent.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn readiness(&self) -> Readiness {
        let inner = self.lock();
        match inner.state {
            ModelState::Refused { .. } => Readiness::Refused,
            ModelState::Serving if inner.serves() => Readiness::Ready,
            ModelState::Loading | ModelState::Serving => Readiness::NotReady,
        }
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

    /// Records where it comes from now.
    pub fn set_address(&self, address: &url::Url) {
        self.lock().address = shown(address);
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

    /// Forgets all sessions, since they have ended.
    pub fn forget_sessions(&self) {
        self.lock().sessions.clear();
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

    pub(super) fn document(&self, audience: Audience) -> serde_json::Value {
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
        let sessions = inner.sessions.iter();
        let sessions: Vec<_> = sessions.map(|session| session.shown(audience)).collect();
        serde_json::json!({
            "name": self.name,
            "address": inner.address,
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
