//! The session: connects again and again, and keeps over all connections what is not done.

mod arrivals;
mod leaving;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::backoff::Backoff;
use super::connection::{Connection, Ended};
use super::inbox::Inbox;
use super::leave::Leave;
use super::outbox::Outbox;
use super::packet::{Limits, Writer};
use super::{Client, DeliveryTag, Error, Event, Options, Publication};

/// The receive maximum of a mosquitto whose `max_inflight_messages` is not set.
const MOSQUITTO_DEFAULT: u16 = 20;

type Opening = BoxFuture<'static, Result<(Connection, bool, Limits), Error>>;

/// An MQTT session over TCP, TLS or WebSocket, in version 3.1.1 or 5.
pub struct Session {
    options: Arc<Options>,
    writer: Writer,
    state: State,
    /// The connection's number; 0 before the first.
    epoch: u64,
    subscribing: Option<u16>,
    intake: bool,
    leave: Leave,
    /// Messages that came, whatever became of them.
    messages: u64,
    inbox: Inbox,
    outbox: Outbox,
    backoff: Backoff,
    events: VecDeque<Event>,
    /// The topic of the last message: most messages of a subscription share few.
    topic: Arc<str>,
    /// Whether a subscription of ours reaches it.
    wanted: bool,
}

enum State {
    Waiting(Instant),
    Opening(Opening),
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
            subscribing: None,
            intake: true,
            leave: Leave::No,
            messages: 0,
            inbox: Inbox::default(),
            outbox: Outbox::new(options.max_in_flight, options.max_packet_size),
            backoff: Backoff::default(),
            events: VecDeque::new(),
            topic: "".into(),
            wanted: false,
            options,
        }
    }

    fn opened(&mut self, connection: Connection, session_present: bool, limits: Limits) {
        self.epoch += 1;
        self.inbox.connected(self.epoch, session_present);
        self.outbox.connected(session_present, limits);
        if limits.receive_maximum == Some(MOSQUITTO_DEFAULT)
            && !self.options.subscriptions.is_empty()
        {
            tracing::warn!(
                client_id = self.options.client_id,
                "The broker has mosquitto's default limits: it keeps 1000 messages for a slow model and drops \
                 the rest; set max_queued_messages 0 and max_inflight_messages 0"
            );
        }
        self.events.push_back(Event::Connected {
            epoch: self.epoch,
            session_present,
        });
        let mut connection = Box::new(connection);
        // A session that the broker has may lack our subscriptions: it may be of an older configuration, or another
        // client that used it meanwhile, which 3.1.1 does not tell us, has ended them.
        if self.leave == Leave::Asked && !session_present {
            self.emptied();
        } else if self.leave != Leave::No {
            // The next turn ends the subscriptions.
        } else if self.options.subscriptions.is_empty() {
            self.events.push_back(Event::Subscribed);
        } else {
            let id = self.outbox.free_id();
            self.subscribing = Some(id);
            self.writer
                .subscribe(id, &self.options.subscriptions, &mut connection.output);
        }
        self.state = State::Open(connection);
    }

    fn not_opened(&mut self, error: Error) {
        self.outbox.not_connected();
        let retry_in = self.backoff.not_connected();
        self.wait(error, retry_in);
    }

    fn ended(&mut self, ended: Ended, lasted: Duration) {
        let closed = matches!(ended, Ended::Closed);
        if closed && self.outbox.closed_by_broker() {
            // Over one publication: no other client took the session, and once the publication is
            // refused, nothing stands in the way of the next.
            if !self.outbox.nothing_done() {
                self.backoff.begin_again();
                self.tell_what_is_done();
            }
        } else if closed && self.leave != Leave::No {
            // Whoever wants a session that is to end may have it.
            return self.taken_over();
        } else if closed {
            let Some(retry_in) = self.backoff.closed_by_broker(lasted) else {
                return self.taken_over();
            };
            return self.wait(ended.into_error(self.options.broker.address()), retry_in);
        }
        let retry_in = self.backoff.lost(lasted);
        self.wait(ended.into_error(self.options.broker.address()), retry_in);
    }

    /// Another client has the session; it gets time before it is asked for again.
    fn taken_over(&mut self) {
        let retry_in = self.backoff.taken_over(self.options.takeover_retry);
        let client_id = self.options.client_id.clone();
        self.wait(Error::TakenOver { client_id }, retry_in);
    }

    fn wait(&mut self, error: Error, retry_in: Duration) {
        self.subscribing = None;
        self.leave.disconnected();
        self.state = State::Waiting(Instant::now() + retry_in);
        self.events
            .push_back(Event::Disconnected { error, retry_in });
        self.lost_with_its_connection();
    }

    /// One turn of an open connection.
    async fn turn(&mut self) {
        self.go_on_leaving();
        if !self.events.is_empty() {
            return;
        }
        let State::Open(connection) = &mut self.state else {
            return;
        };
        self.outbox
            .send(self.writer, &mut connection.output, connection.position);
        let mut found = VecDeque::new();
        let mut result = connection.take_packets(&mut found);
        if result.is_ok() && found.is_empty() && self.outbox.nothing_done() {
            let read = self.intake;
            result = std::future::poll_fn(|cx| connection.poll(cx, read)).await;
            self.outbox.written(connection.position);
            if result.is_ok() {
                result = connection.take_packets(&mut found);
            }
        }
        let lasted = connection.since.elapsed();
        for next in found {
            self.take(next);
        }
        self.tell_what_is_done();
        if let (Err(ended), State::Open(_)) = (result, &self.state) {
            self.ended(ended, lasted);
        }
    }

    fn tell_what_is_done(&mut self) {
        let done = self.outbox.take_done();
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
                State::Waiting(until) => {
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
        self.outbox.capacity()
    }

    fn publish(&mut self, publication: Publication, token: u64) {
        self.outbox.add(publication, token);
    }

    fn leave(&mut self) {
        if self.leave != Leave::No {
            return;
        }
        self.leave = Leave::Asked;
        if !matches!(self.state, State::Open(_)) {
            self.lost_with_its_connection();
        }
    }

    async fn disconnect(self) {
        if let State::Open(connection) = self.state {
            connection.close().await;
        }
    }

    async fn forget(&mut self) -> bool {
        self.leave = Leave::Asked;
        if !matches!(self.state, State::Open(_)) {
            // Another client has taken the session since, with what came for it.
            return false;
        }
        let options = Options {
            clean_start: true,
            ..(*self.options).clone()
        };
        // The only way in MQTT 3.1.1: a session that begins anew and is not kept. Our connection ends by it, so
        // that nobody else gets in between.
        let opened = Connection::open(&options).await;
        let pause = self.backoff.taken_over(self.options.takeover_retry);
        self.state = State::Waiting(Instant::now() + pause);
        match opened {
            Ok((connection, ..)) => {
                connection.close().await;
                true
            }
            Err(error) => {
                tracing::warn!(
                    %error,
                    client_id = options.client_id,
                    "Session not forgotten by the broker, though nothing is in it"
                );
                false
            }
        }
    }
}
