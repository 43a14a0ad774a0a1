//! The session: connects again and again, and keeps over all connections what is not done.

mod arrivals;
mod blame;
mod ending;
mod handover;
mod retry;
#[cfg(test)]
mod scripted;
mod shortcomings;
mod subscription;

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::connection::Connection;
use super::inbox::Inbox;
use super::inflight::Inflight;
use super::packet::{Limits, SESSION_PRESENT, Violation, Writer};
use super::transport::is_loopback;
use super::{Claim, Client, DeliveryTag, Error, Event, Notice, Options, Publication};
use handover::Drain;
use retry::Retry;
use shortcomings::{Kept, shortcomings};
use subscription::Subscription;

type Opening = BoxFuture<'static, Result<(Connection, bool, Limits), Error>>;

/// An MQTT session over TCP, TLS or WebSocket, in version 3.1.1 or 5.
pub struct Session {
    options: Arc<Options>,
    writer: Writer,
    state: State,
    /// The connection's number; 0 before the first.
    epoch: u64,
    /// Whether the broker is on this machine.
    near: bool,
    subscription: Subscription,
    intake: bool,
    drain: Drain,
    /// Messages that came, whatever became of them.
    messages: u64,
    inbox: Inbox,
    inflight: Inflight,
    retry: Retry,
    events: VecDeque<Event>,
    /// The topic of the last message: most messages of a subscription share few.
    topic: Arc<str>,
    /// Whether a subscription of ours reaches it.
    wanted: bool,
    /// What the owner was told of the broker.
    told: Vec<Notice>,
}

enum State {
    Waiting(Instant),
    Opening(Opening),
    /// Another client has the session; until then, or until the owner claims it.
    Away(Option<Instant>),
    Open(Box<Connection>),
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("client_id", &self.options.client_id)
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// A session that connects when it is first driven.
    pub fn new(options: Options) -> Self {
        let options = Arc::new(options);
        Self {
            writer: Writer {
                version: options.version,
            },
            state: State::Opening(open(&options)),
            epoch: 0,
            near: is_loopback(&options.broker.host),
            subscription: Subscription::default(),
            intake: true,
            drain: Drain::No,
            messages: 0,
            inbox: Inbox::default(),
            inflight: Inflight::new(options.max_in_flight, options.max_packet_size),
            retry: Retry::default(),
            events: VecDeque::new(),
            topic: "".into(),
            wanted: false,
            told: Vec::new(),
            options,
        }
    }

    fn opened(&mut self, connection: Connection, session_present: bool, limits: Limits) {
        if self.retry.yields() {
            self.give_way();
            return;
        }
        let session_present = self.is_resumed(session_present);
        self.epoch += 1;
        self.near = connection.near;
        self.inbox.connected(self.epoch, session_present);
        self.inflight.connected(session_present, limits);
        let kept = if self.options.subscriptions.is_empty() || self.drain.started() {
            Kept::Empty
        } else if self.options.clean_start {
            Kept::NotAsked
        } else if session_present || self.epoch == 1 {
            Kept::Present
        } else {
            Kept::Lost
        };
        for notice in shortcomings(kept, limits) {
            self.tell(notice);
        }
        self.events.push_back(Event::Connected {
            epoch: self.epoch,
            session_present,
        });
        self.state = State::Open(Box::new(connection));
        // A session that the broker has may lack our subscriptions: it may be of an older configuration, or another
        // client that used it meanwhile, which 3.1.1 does not tell us, has ended them.
        if !self.wants_subscriptions(session_present) {
            // The next turn ends them.
        } else if self.options.subscriptions.is_empty() {
            self.events.push_back(Event::Subscribed);
        } else {
            let filters = &self.options.subscriptions;
            let size = self.writer.subscribe_size(filters);
            match self.subscription.refused_by(limits, size, filters) {
                Some(refusals) => self.events.extend(refusals),
                None => self.subscribe(),
            }
        }
    }

    /// Whether the session continues with what the broker says that it has.
    fn is_resumed(&mut self, session_present: bool) -> bool {
        let unasked = session_present && self.options.clean_start;
        if unasked {
            let (what, sections) = ("with a session that was to be new", SESSION_PRESENT);
            let broken = Violation::new(self.options.version, "CONNACK", what, sections);
            self.tell(Notice::Violation(broken.to_string()));
        }
        session_present && !unasked
    }

    fn subscribe(&mut self) {
        if let State::Open(connection) = &mut self.state {
            let id = match self.subscription.next_id() {
                Some(first) => self.inflight.free_id_from(first),
                None => self.inflight.free_id(),
            };
            self.inflight.hold(id);
            self.subscription.ask(id);
            self.writer.subscribe(
                id,
                &self.options.subscriptions,
                self.options.ignore_retained,
                &mut connection.output,
            );
        }
    }

    /// One turn of an open connection.
    async fn turn(&mut self) {
        self.drain_further();
        if !self.events.is_empty() {
            return;
        }
        let State::Open(connection) = &mut self.state else {
            return;
        };
        self.inflight
            .send(self.writer, &mut connection.output, connection.position);
        let mut found = VecDeque::new();
        let outstanding = self.inbox.len() + self.inflight.len();
        let mut result = connection.take_packets(&mut found, outstanding);
        if result.is_ok() && found.is_empty() && self.inflight.nothing_done() {
            let read = self.intake;
            result = std::future::poll_fn(|cx| connection.poll(cx, read)).await;
            self.inflight.written(connection.position);
            if result.is_ok() {
                result = connection.take_packets(&mut found, outstanding);
            }
        }
        let lasted = connection.since.elapsed();
        for next in found {
            self.take(next);
        }
        self.report_done();
        if let (Err(ended), State::Open(_)) = (result, &self.state) {
            self.ended(ended, lasted);
        }
    }

    /// Tells the owner of the broker, each thing once.
    fn tell(&mut self, notice: Notice) {
        if !self.told.contains(&notice) {
            self.told.push(notice.clone());
            self.events.push_back(Event::Notice(notice));
        }
    }

    fn report_done(&mut self) {
        let notices = self.inflight.take_notices();
        self.events.extend(notices.map(Event::Notice));
        let done = self.inflight.take_done();
        self.events
            .extend(done.map(|(token, result)| Event::Published { token, result }));
    }
}

fn open(options: &Arc<Options>) -> Opening {
    let options = options.clone();
    Box::pin(async move { Connection::open(&options).await })
}

impl Client for Session {
    async fn drive(&mut self) {
        while self.events.is_empty() {
            match &mut self.state {
                State::Away(None) => std::future::pending().await,
                State::Waiting(until) | State::Away(Some(until)) => {
                    tokio::time::sleep_until(*until).await;
                    self.state = State::Opening(open(&self.options));
                }
                State::Opening(opening) => match opening.await {
                    Ok((connection, present, limits)) => self.opened(connection, present, limits),
                    Err(error) => self.not_opened(error),
                },
                State::Open(_) => self.turn().await,
            }
        }
    }

    fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn set_intake(&mut self, open: bool) {
        if open
            && !self.intake
            && let State::Open(connection) = &mut self.state
        {
            connection.resume();
        }
        self.intake = open;
    }

    fn ack(&mut self, tag: DeliveryTag) {
        if let State::Open(connection) = &mut self.state {
            self.inbox
                .acknowledge(tag, self.writer, &mut connection.output);
        }
    }

    fn publish_capacity(&self) -> usize {
        self.inflight.capacity()
    }

    fn publish(&mut self, publication: Publication, token: u64) {
        self.inflight.add(publication, token);
    }

    fn drain(&mut self) {
        self.start_drain();
    }

    fn claim(&mut self, claim: Claim) {
        self.set_claim(claim);
    }

    async fn disconnect(self) {
        if let State::Open(connection) = self.state {
            connection.close().await;
        }
    }

    async fn delete_session(&mut self) -> bool {
        self.delete().await
    }
}
