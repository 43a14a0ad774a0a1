//! The visible state of one MQTT session: gauge, counter, `/status` and log.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crds::Reason;
use crds::client_id::Role;
use crds::validated::Qos;
use mqtt::Error;

use crate::client_ids::ClientIds;
use crate::metrics::{Metrics, SessionMetrics};
use crate::status::{ModelView, SessionView};

/// A takeover this soon after the start means that the client id was in use: a worker waits a minute before it takes a session
/// back.
const AT_START: Duration = Duration::from_mins(2);

/// What the log says of a session. A takeover is news of a session that is down, and not the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Logged {
    Up,
    Down,
    TakenOver,
}

/// Reports one session's state.
#[derive(Debug)]
pub struct SessionState {
    view: Arc<ModelView>,
    /// Gauge, counter and entry in `/status`; `None` for a session of another worker.
    listed: Option<(SessionMetrics, usize)>,
    role: &'static str,
    rule: usize,
    broker: String,
    client_id: String,
    /// The client ids that this machine has used, if they are recorded.
    used: Option<Arc<ClientIds>>,
    /// When this worker's own session was first connected.
    started: Option<Instant>,
    /// What was logged last, so that a broker that stays down is one line.
    logged: Logged,
}

impl SessionState {
    /// Registers a session of this worker.
    pub fn listed(metrics: &Metrics, view: &Arc<ModelView>, session: SessionView) -> Self {
        let metrics = metrics.session(&view.name, session.rule, session.role);
        Self {
            view: view.clone(),
            role: session.role,
            rule: session.rule,
            broker: session.broker.clone(),
            client_id: session.client_id.clone(),
            listed: Some((metrics, view.add_session(session))),
            used: None,
            started: None,
            logged: Logged::Up,
        }
    }

    /// For a session taken over from another worker, which does not affect this worker's readiness.
    pub fn unlisted(view: &Arc<ModelView>, rule: usize, broker: String) -> Self {
        Self {
            view: view.clone(),
            role: Role::Sub.as_str(),
            rule,
            broker,
            listed: None,
            client_id: String::new(),
            used: None,
            started: None,
            logged: Logged::Up,
        }
    }

    /// Lets the session notice that its client id is used elsewhere.
    #[must_use]
    pub fn aware_of(self, used: Option<Arc<ClientIds>>) -> Self {
        Self { used, ..self }
    }

    /// Records that the session is connected; `found` is whether the broker had it already.
    pub fn connected(&mut self, found: bool) {
        if self.started.is_some() || self.listed.is_none() {
            return;
        }
        self.started = Some(Instant::now());
        let Some(used) = &self.used else {
            return;
        };
        if !used.was_used(&self.broker, &self.client_id) && found {
            tracing::warn!(
                model = self.view.name,
                rule = self.rule,
                broker = self.broker,
                client_id = self.client_id,
                "The broker has a session under this client id of which this machine has no record. If a worker elsewhere uses the \
                 configuration, it has just lost its connection: stop this worker, or run it with --try"
            );
        }
    }

    fn record(&self, ready: bool, error: Option<String>) {
        if let Some((metrics, index)) = &self.listed {
            metrics.connected.set(i64::from(ready));
            self.view.set_session(*index, ready, error);
        }
    }

    /// Name of the model that the session serves.
    pub fn model(&self) -> &str {
        &self.view.name
    }

    /// Records that the session is connected and, for a subscription, subscribed.
    pub fn up(&mut self) {
        self.logged = Logged::Up;
        self.record(true, None);
        tracing::info!(
            model = self.view.name,
            rule = self.rule,
            role = self.role,
            broker = self.broker,
            "Session ready"
        );
    }

    /// Records that the connection was lost, refused or not established.
    pub fn down(&mut self, error: &Error, retry_in: Duration) {
        if let Some((metrics, _)) = &self.listed {
            metrics.reconnects.inc();
        }
        self.record(false, Some(error.to_string()));
        let (model, rule, role) = (&self.view.name, self.rule, self.role);
        let fresh = self
            .started
            .is_some_and(|started| started.elapsed() < AT_START);
        let taken_over = matches!(error, Error::TakenOver { .. });
        let known = self.logged
            >= if taken_over {
                Logged::TakenOver
            } else {
                Logged::Down
            };
        if taken_over && fresh && !known {
            tracing::warn!(
                model,
                rule,
                role,
                client_id = self.client_id,
                "Another worker uses the same client id. Stop one of the two, give this one client ids of its own, or run it with --try"
            );
        }
        if known {
            tracing::debug!(model, rule, role, %error, ?retry_in, "Session still down");
        } else {
            tracing::warn!(model, rule, role, %error, ?retry_in, "Session down");
            self.logged = if taken_over {
                Logged::TakenOver
            } else {
                Logged::Down
            };
        }
    }

    /// Records that the broker refused the subscription, though the connection is up.
    pub fn refused(&mut self, filter: &str, reason: &str) {
        let message = format!("the broker refused the subscription to {filter:?}: {reason}");
        self.view
            .error(Reason::SubscriptionRefused.as_str(), &message);
        tracing::error!(
            model = self.view.name,
            rule = self.rule,
            broker = self.broker,
            filter,
            error = reason,
            "Subscription refused"
        );
        self.record(false, Some(message));
    }

    /// The broker granted a subscription.
    pub fn granted(&self, filter: &str, asked: Qos, granted: Qos) {
        if let Some((_, index)) = &self.listed {
            self.view.set_granted(*index, granted.level());
        }
        if granted < asked {
            self.warn(&format!(
                "the broker delivers {filter:?} at QoS {}, not {}, so messages can be lost or repeated; set `qos: {0}` \
                 or let the broker allow more",
                granted.level(),
                asked.level()
            ));
        }
    }

    /// The broker does something otherwise than asked; each is told once.
    pub fn warn(&self, warning: &str) {
        let Some((_, index)) = &self.listed else {
            return;
        };
        if self.view.warn(*index, warning) {
            tracing::warn!(
                model = self.view.name,
                rule = self.rule,
                role = self.role,
                broker = self.broker,
                warning,
                "Broker works differently than asked"
            );
        }
    }

    /// It was ended by us.
    pub fn closed(&mut self) {
        self.record(false, None);
    }
}
