//! What all connections share: sessions, subscriptions and retained messages.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crds::topic::reaches;
use rumqttc::mqttbytes::QoS;
use rumqttc::mqttbytes::v4::Publish;
use tokio::sync::Notify;

/// Messages that wait for one client; the oldest go first when there are more.
const QUEUE: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Hub {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    sessions: HashMap<String, Session>,
    retained: HashMap<String, Publish>,
    /// Counts connections, so that an old one notices that its session was taken over.
    generation: u64,
    /// Whose turn it is in shared subscriptions.
    turn: usize,
}

#[derive(Debug, Default)]
struct Session {
    generation: u64,
    subscriptions: Vec<(String, QoS)>,
    queue: VecDeque<Publish>,
    wake: Arc<Notify>,
}

/// A connection's claim on a session.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) client_id: String,
    generation: u64,
    /// Wakes the connection when there is a message, or when it lost its session.
    pub(super) wake: Arc<Notify>,
    pub(super) session_present: bool,
}

/// What a connection finds in its session.
pub(super) enum Next {
    Message(Publish),
    Nothing,
    TakenOver,
}

impl Hub {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens or takes over a session.
    pub(super) fn claim(&self, client_id: &str, clean: bool) -> Claim {
        let mut state = self.lock();
        state.generation += 1;
        let generation = state.generation;
        let client_id = if client_id.is_empty() {
            format!("anonymous-{generation}")
        } else {
            client_id.to_owned()
        };
        let old = state.sessions.remove(&client_id);
        if let Some(old) = &old {
            old.wake.notify_one();
        }
        let old = old.filter(|_| !clean);
        let session_present = old.is_some();
        let wake = Arc::new(Notify::new());
        let session = Session {
            generation,
            wake: wake.clone(),
            ..old.unwrap_or_default()
        };
        state.sessions.insert(client_id.clone(), session);
        Claim {
            client_id,
            generation,
            wake,
            session_present,
        }
    }

    /// Ends a connection's claim; messages that were not acknowledged wait again, before the others.
    pub(super) fn release(&self, claim: &Claim, clean: bool, open: Vec<Publish>) {
        let mut state = self.lock();
        let Some(session) = state.sessions.get_mut(&claim.client_id) else {
            return;
        };
        if session.generation != claim.generation {
            return;
        }
        if clean {
            state.sessions.remove(&claim.client_id);
            return;
        }
        for mut message in open.into_iter().rev() {
            message.dup = true;
            session.queue.push_front(message);
        }
    }

    /// Subscribes; retained messages are queued.
    pub(super) fn subscribe(&self, claim: &Claim, filter: &str, qos: QoS) {
        let mut state = self.lock();
        let State {
            sessions, retained, ..
        } = &mut *state;
        let Some(session) = sessions.get_mut(&claim.client_id) else {
            return;
        };
        session.subscriptions.retain(|(known, _)| known != filter);
        session.subscriptions.push((filter.to_owned(), qos));
        if !filter.starts_with("$share/") {
            for message in retained.values() {
                if reaches(&message.topic, filter) {
                    session.push(message, qos);
                }
            }
        }
    }

    /// Ends a subscription.
    pub(super) fn unsubscribe(&self, claim: &Claim, filter: &str) {
        if let Some(session) = self.lock().sessions.get_mut(&claim.client_id) {
            session.subscriptions.retain(|(known, _)| known != filter);
        }
    }

    /// Queues a message for everybody whom it reaches.
    pub(super) fn publish(&self, mut message: Publish) {
        let mut state = self.lock();
        if message.retain {
            if message.payload.is_empty() {
                state.retained.remove(&message.topic);
            } else {
                state
                    .retained
                    .insert(message.topic.clone(), message.clone());
            }
        }
        message.retain = false;
        message.dup = false;
        state.turn += 1;
        let turn = state.turn;
        let mut groups: HashMap<String, Vec<(String, QoS)>> = HashMap::new();
        for (client_id, session) in &mut state.sessions {
            let mut best = None;
            for (filter, qos) in &session.subscriptions {
                if !reaches(&message.topic, filter) {
                    continue;
                }
                if filter.starts_with("$share/") {
                    let members = groups.entry(filter.clone()).or_default();
                    members.push((client_id.clone(), *qos));
                } else if best.is_none_or(|best| best < *qos as u8) {
                    best = Some(*qos as u8);
                }
            }
            if let Some(best) = best {
                session.push(&message, quality(best));
            }
        }
        for mut members in groups.into_values() {
            members.sort_by(|(one, _), (other, _)| one.cmp(other));
            let (client_id, qos) = &members[turn % members.len()];
            if let Some(session) = state.sessions.get_mut(client_id) {
                session.push(&message, *qos);
            }
        }
    }

    /// Takes the next message of a connection's session.
    pub(super) fn next(&self, claim: &Claim) -> Next {
        let mut state = self.lock();
        match state.sessions.get_mut(&claim.client_id) {
            Some(session) if session.generation == claim.generation => session
                .queue
                .pop_front()
                .map_or(Next::Nothing, Next::Message),
            _ => Next::TakenOver,
        }
    }
}

impl Session {
    fn push(&mut self, message: &Publish, qos: QoS) {
        if self.queue.len() == QUEUE {
            self.queue.pop_front();
            tracing::warn!(
                QUEUE,
                "The demo's broker dropped the oldest message of a client"
            );
        }
        let mut message = message.clone();
        message.qos = quality((message.qos as u8).min(qos as u8));
        self.queue.push_back(message);
        self.wake.notify_one();
    }
}

fn quality(number: u8) -> QoS {
    match number {
        0 => QoS::AtMostOnce,
        1 => QoS::AtLeastOnce,
        _ => QoS::ExactlyOnce,
    }
}
