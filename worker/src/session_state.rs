//! What others see of one MQTT session: gauge, counter, `/status` and log.

use std::sync::Arc;
use std::time::Duration;

use crate::metrics::{Metrics, SessionMetrics};
use crate::status::{ModelView, SessionView};
use crds::Reason;
use crds::client_id::Role;
use mqtt::Error;

/// Reports one session's state.
#[derive(Debug)]
pub struct SessionState {
    view: Arc<ModelView>,
    /// Gauge, counter and place in `/status`; `None` for a session that is not the worker's own.
    listed: Option<(SessionMetrics, usize)>,
    role: Role,
    rule: usize,
    broker: String,
    /// Whether the last thing reported was a failure, so that a broker that stays away is one line.
    failing: bool,
}

impl SessionState {
    /// Makes the session known, as not connected yet.
    pub fn new(
        metrics: &Metrics,
        view: &Arc<ModelView>,
        rule: usize,
        role: Role,
        broker: String,
        topic: &str,
        client_id: &str,
    ) -> Self {
        let index = view.add_session(SessionView {
            rule,
            role: role.as_str(),
            broker: broker.clone(),
            topic: topic.to_owned(),
            client_id: client_id.to_owned(),
            ready: false,
            error: None,
        });
        Self {
            listed: Some((metrics.session(&view.name, rule, role.as_str()), index)),
            view: view.clone(),
            role,
            rule,
            broker,
            failing: false,
        }
    }

    /// For the session of another worker that is emptied: whether this one is ready does not depend on it.
    pub fn unlisted(view: &Arc<ModelView>, rule: usize, broker: String) -> Self {
        Self {
            listed: None,
            view: view.clone(),
            role: Role::Sub,
            rule,
            broker,
            failing: false,
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

    /// It does its work: connected, and for a subscription subscribed.
    pub fn up(&mut self) {
        self.failing = false;
        self.record(true, None);
        tracing::info!(
            model = self.view.name,
            rule = self.rule,
            role = self.role.as_str(),
            broker = self.broker,
            "Session ready"
        );
    }

    /// The connection was lost or not made.
    pub fn down(&mut self, error: &Error, retry_in: Duration) {
        if let Some((metrics, _)) = &self.listed {
            metrics.reconnects.inc();
        }
        self.record(false, Some(error.to_string()));
        let (model, rule, role) = (&self.view.name, self.rule, self.role.as_str());
        if self.failing {
            tracing::debug!(model, rule, role, %error, ?retry_in, "Session still down");
        } else {
            tracing::warn!(model, rule, role, %error, ?retry_in, "Session down");
        }
        self.failing = true;
    }

    /// The broker refused the subscription, while the connection stands.
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

    /// It was ended by us.
    pub fn closed(&mut self) {
        self.record(false, None);
    }
}
