//! What others see of one MQTT session: gauge, counter, `/status` and log.

use std::sync::Arc;
use std::time::Duration;

use crate::metrics::{Metrics, SessionMetrics};
use crate::mqtt::Error;
use crate::status::{ModelView, SessionView};
use crds::client_id::Role;

/// Reports one session's state.
#[derive(Debug)]
pub struct SessionState {
    view: Arc<ModelView>,
    metrics: SessionMetrics,
    index: usize,
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
            metrics: metrics.session(&view.name, rule, role.as_str()),
            view: view.clone(),
            index,
            role,
            rule,
            broker,
            failing: false,
        }
    }

    /// Name of the model that the session serves.
    pub fn model(&self) -> &str {
        &self.view.name
    }

    /// It does its work: connected, and for a subscription subscribed.
    pub fn up(&mut self) {
        self.failing = false;
        self.metrics.connected.set(1);
        self.view.set_session(self.index, true, None);
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
        self.metrics.connected.set(0);
        self.metrics.reconnects.inc();
        self.view
            .set_session(self.index, false, Some(error.to_string()));
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
        self.metrics.connected.set(0);
        let message = format!("the broker refused the subscription to {filter:?}: {reason}");
        self.view.error("SubscriptionRefused", &message);
        tracing::error!(
            model = self.view.name,
            rule = self.rule,
            broker = self.broker,
            filter,
            error = reason,
            "Subscription refused"
        );
        self.view.set_session(self.index, false, Some(message));
    }

    /// It was ended by us.
    pub fn closed(&mut self) {
        self.metrics.connected.set(0);
        self.view.set_session(self.index, false, None);
    }
}
