//! MQTT as a source: a session's messages and acknowledgements.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use message::{Attributes, Delivery, Ledger, Message, Properties, Telemetry, Throttle};
use mqtt::{Claim, Client, DeliveryTag, Error, Event, HOPS, Incoming};
use tokio::sync::{oneshot, watch};

use super::Source;
use super::acks::Acks;
use super::strikes::Strikes;
use crate::handover::{Duty, SessionPolicy};
use crate::metrics::Discarded;
use crate::session_state::SessionState;
use crate::shutdown::Phase;

/// Discarded messages are logged once in this time, with their number: a publisher can send any number of them.
const DISCARDED_LOG: Duration = Duration::from_mins(1);

/// The subscription of one rule and model.
#[derive(Debug)]
pub struct MqttSource<C> {
    client: C,
    rule: usize,
    policy: SessionPolicy,
    duty: Duty,
    ledger: Arc<Ledger>,
    discarded: Discarded,
    logged: Throttle,
    state: SessionState,
    subscribed: Option<oneshot::Sender<()>>,
    /// What this session's state means for that of the publisher.
    publisher: Option<watch::Sender<Claim>>,
    /// Whether retained messages are only counted.
    ignores_retained: bool,
    /// What earlier workers of the session died over, if that is recorded.
    strikes: Option<Strikes>,
    /// Messages that wait while another one is taken alone.
    held: VecDeque<Incoming>,
    acks: Arc<Acks>,
    /// Reused buffer for `acks`.
    batch: Vec<DeliveryTag>,
    drained: bool,
    history: History,
}

/// The history of a session since it was last deleted.
#[derive(Debug, Clone, Copy, Default)]
pub struct History {
    /// Whether the broker had the session when it was last connected.
    pub found: bool,
    /// Messages received.
    pub messages: u64,
}

impl<C: Client> MqttSource<C> {
    /// The messages of `client` for the rule with this index.
    pub fn new(
        client: C,
        rule: usize,
        policy: SessionPolicy,
        ledger: Arc<Ledger>,
        discarded: Discarded,
        state: SessionState,
    ) -> Self {
        Self {
            client,
            rule,
            policy,
            duty: policy.duty(Phase::Serving),
            ledger,
            discarded,
            logged: Throttle::new(1, DISCARDED_LOG),
            state,
            subscribed: None,
            publisher: None,
            ignores_retained: false,
            strikes: None,
            held: VecDeque::new(),
            acks: Arc::default(),
            batch: Vec::new(),
            drained: false,
            history: History::default(),
        }
    }

    /// Retained messages are only counted, here.
    pub fn ignore_retained(&mut self) {
        self.ignores_retained = true;
    }

    /// Takes alone what an earlier worker of the session may have died over.
    pub fn with_strikes(&mut self, strikes: Option<Strikes>) {
        self.strikes = strikes;
    }

    /// Whether a message is taken alone now.
    fn is_trying(&self) -> bool {
        self.strikes.as_ref().is_some_and(Strikes::is_trying)
    }

    /// Tells when the first subscription stands.
    pub fn on_subscribed(&mut self, subscribed: oneshot::Sender<()>) {
        self.subscribed = Some(subscribed);
    }

    /// The publisher's session follows this one: of two workers with the same client ids, the one that has the subscription
    /// also publishes.
    pub fn lead(&mut self, publisher: watch::Sender<Claim>) {
        self.publisher = Some(publisher);
    }

    fn claim(&self, claim: Claim) {
        if let Some(publisher) = &self.publisher {
            publisher.send_if_modified(|before| std::mem::replace(before, claim) != claim);
        }
    }

    /// Name of the model that the session serves.
    pub fn model(&self) -> &str {
        self.state.model()
    }

    /// Deletes the drained session at the broker and returns its history, or `None` if another client has taken it. If
    /// driven further, it drains any session that appears under its client id.
    pub async fn delete_session(&mut self) -> Option<History> {
        let deleted = self.client.delete_session().await;
        self.drained = false;
        let history = std::mem::take(&mut self.history);
        deleted.then_some(history)
    }

    fn acknowledge(&mut self) {
        self.acks.take(&mut self.batch);
        if let Some(strikes) = &mut self.strikes {
            strikes.settled(&self.batch);
        }
        for tag in self.batch.drain(..) {
            self.client.ack(tag);
        }
    }

    fn message(&mut self, incoming: Incoming) -> Message {
        self.history.messages += 1;
        let strikes = self.strikes.as_mut();
        let strikes = strikes.map_or(0, |strikes| strikes.of(&incoming));
        let ack = incoming.tag.map(|tag| self.acks.handle(tag));
        Message {
            delivery: Delivery::open(&self.ledger, ack),
            telemetry: Telemetry {
                topic: incoming.topic,
                payload: incoming.payload,
                rule: self.rule,
                received: Instant::now(),
                received_at: SystemTime::now(),
                attributes: Attributes {
                    retained: incoming.retained,
                    duplicate: incoming.duplicate,
                    qos: incoming.qos as u8,
                    strikes,
                    hops: incoming.properties.as_deref().map_or(0, hops),
                    properties: incoming.properties,
                },
            },
        }
    }

    fn log_discarded(&mut self, why: &str) {
        if let Some(suppressed) = self.logged.pass(Instant::now()) {
            let model = self.state.model();
            tracing::warn!(model, why, suppressed, "Message discarded");
        }
    }

    /// A retained message of a rule that wants none.
    fn ignore(&mut self, incoming: &Incoming) {
        self.discarded.retained.inc();
        if let Some(tag) = incoming.tag {
            self.client.ack(tag);
        }
    }

    fn take_event(&mut self, event: Event) {
        match event {
            Event::Connected {
                session_present, ..
            } => {
                tracing::debug!(model = self.state.model(), session_present, "Connected");
                self.history.found = session_present;
                self.state.connected(session_present);
            }
            Event::Subscribed => {
                self.state.up();
                self.claim(Claim::Held);
                // Fails if no predecessor's session waits for it.
                let _ = self.subscribed.take().map(|subscribed| subscribed.send(()));
            }
            Event::SubscriptionRefused { filter, reason } => self.state.refused(&filter, &reason),
            Event::Disconnected { error, retry_in } => {
                self.state.down(&error, retry_in);
                if matches!(error, Error::TakenOver { .. }) {
                    self.claim(Claim::Yielded);
                }
            }
            Event::Granted {
                filter,
                asked,
                granted,
            } => self.state.granted(&filter, asked, granted),
            Event::Notice(notice) => self.state.warn(&notice.to_string()),
            Event::Oversized { size, limit } => {
                self.discarded.oversized.inc();
                self.log_discarded(&format!(
                    "its packet has {size} bytes, more than maxPacketSize of {limit}"
                ));
            }
            Event::Malformed => self.discarded.malformed.inc(),
            Event::Unasked { topic } => {
                self.discarded.unasked.inc();
                self.log_discarded(&format!(
                    "the broker's session has a subscription of an earlier configuration to the topic {topic:?}"
                ));
            }
            Event::Drained => self.drained = true,
            // The caller takes messages, and a subscription publishes nothing.
            Event::Message(_) | Event::Published { .. } => {}
        }
    }
}

/// A number that was tampered with counts as none.
fn hops(properties: &Properties) -> u8 {
    let mut user = properties.user.iter();
    let hops = user.find(|(name, _)| name == HOPS);
    hops.and_then(|(_, count)| count.parse().ok())
        .unwrap_or_default()
}

impl<C: Client> Source for MqttSource<C> {
    fn prepare(&mut self, phase: Phase, room: bool) {
        self.duty = self.policy.duty(phase);
        if self.duty == Duty::Drain {
            self.client.drain();
        }
        let reads = matches!(self.duty, Duty::Read | Duty::Drain);
        self.acknowledge();
        self.client.set_intake(room && reads && !self.is_trying());
    }

    async fn drive(&mut self) {
        if !self.held.is_empty() && !self.is_trying() {
            return;
        }
        tokio::select! {
            () = self.client.drive() => {}
            () = self.acks.added() => {}
        }
    }

    fn next_message(&mut self) -> Option<Message> {
        if !self.is_trying()
            && let Some(incoming) = self.held.pop_front()
        {
            return Some(self.message(incoming));
        }
        while let Some(event) = self.client.next_event() {
            match event {
                Event::Message(incoming) if self.ignores_retained && incoming.retained => {
                    self.ignore(&incoming);
                }
                Event::Message(incoming) if self.is_trying() => self.held.push_back(incoming),
                Event::Message(incoming) => return Some(self.message(incoming)),
                other => self.take_event(other),
            }
        }
        None
    }

    fn is_dry(&self) -> bool {
        match self.duty {
            Duty::Read => false,
            Duty::Drain => self.drained && self.held.is_empty(),
            Duty::Hold | Duty::Leave => true,
        }
    }

    async fn close(mut self) {
        self.acknowledge();
        self.state.closed();
        self.client.disconnect().await;
        if let Some(strikes) = self.strikes {
            strikes.close();
        }
    }
}
