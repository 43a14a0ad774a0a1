//! What becomes of MQTT sessions when workers replace each other (ADR 12, ADR 13): which are kept, which are drained, and
//! how the session of a worker that does not come back is taken over.

use mqtt::Client;
use tokio::sync::oneshot;

use crate::intake::Intake;
use crate::shutdown::Phase;
use crate::source::{History, MqttSource};

/// What becomes of a subscription's session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionPolicy {
    /// The broker keeps it for the next worker with the same client id.
    Persist,
    /// No worker comes back to it, so the worker drains it before it ends.
    DrainOnStop,
    /// It belongs to a worker that does not return: it receives no new messages, and is drained and deleted until it
    /// stays deleted.
    TakeOver,
}

/// What a source does with its session in one phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    /// Receive messages.
    Read,
    /// Receive nothing, send acknowledgements.
    Hold,
    /// Unsubscribe, and receive what the broker still has.
    Drain,
    /// Disconnect.
    Leave,
}

impl SessionPolicy {
    /// The policy of a worker's own sessions.
    pub fn own(comes_back: bool) -> Self {
        if comes_back {
            Self::Persist
        } else {
            Self::DrainOnStop
        }
    }

    /// What to do in `phase`. The worker disconnects from a session that it took over as soon as it stops, since the session
    /// has no subscription for the next worker with its client id.
    pub fn duty(self, phase: Phase) -> Duty {
        match (self, phase) {
            (Self::Persist | Self::DrainOnStop, Phase::Serving) => Duty::Read,
            (Self::Persist, Phase::Draining) => Duty::Hold,
            (Self::DrainOnStop, Phase::Draining) | (Self::TakeOver, Phase::Serving) => Duty::Drain,
            (Self::TakeOver, Phase::Draining) | (_, Phase::Finishing) => Duty::Leave,
        }
    }
}

/// Whether a predecessor has stopped for good, judged by its session before that was deleted. If the broker had a session,
/// the predecessor may still run: it would reconnect, and leave a session behind when it stops.
fn is_gone(deleted: Option<History>) -> bool {
    deleted.is_some_and(|history| !history.found)
}

/// Drains and deletes the session of a worker that does not return, once `ready`: by then another session must be
/// subscribed, so that no message is missed. `queued` is dropped when everything that was read is queued.
pub async fn take_over<C: Client>(
    mut intake: Intake<MqttSource<C>>,
    ready: oneshot::Receiver<()>,
    queued: oneshot::Sender<()>,
) {
    if !intake.serves_until(ready).await {
        return;
    }
    while intake.exhaust().await {
        let source = intake.source();
        let deleted = source.delete_session().await;
        if let Some(History {
            found: true,
            messages,
        }) = deleted
        {
            tracing::info!(
                model = source.model(),
                messages,
                "Session of the previous worker drained and deleted"
            );
        }
        if is_gone(deleted) {
            return;
        }
    }
    drop(queued);
    intake.close().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_policy_has_one_duty_in_each_phase() {
        use Duty::{Drain, Hold, Leave, Read};
        for (policy, expected) in [
            (SessionPolicy::own(true), [Read, Hold, Leave]),
            (SessionPolicy::own(false), [Read, Drain, Leave]),
            (SessionPolicy::TakeOver, [Drain, Leave, Leave]),
        ] {
            let phases = [Phase::Serving, Phase::Draining, Phase::Finishing];
            assert_eq!(
                phases.map(|phase| policy.duty(phase)),
                expected,
                "{policy:?}"
            );
        }
    }

    #[test]
    fn a_predecessor_is_gone_when_its_session_was_not_found_again() {
        let seen = |found| Some(History { found, messages: 0 });
        assert!(is_gone(seen(false)));
        assert!(!is_gone(seen(true)), "it may still run");
        assert!(!is_gone(None), "another client has the session");
    }
}
