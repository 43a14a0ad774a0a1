//! The session: connects again and again, and keeps over all connections what is not done.

mod arrivals;
mod blame;
mod handover;
mod retry;
#[cfg(test)]
mod scripted;
mod shortcomings;
mod subscription;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::connection::{Connection, Ended};
use super::inbox::Inbox;
use super::inflight::{Blame, Inflight, Said};
use super::packet::{Fault, Limits, Writer};
use super::transport::is_loopback;
use super::{Client, DeliveryTag, Error, Event, Notice, Options, Publication};
use blame::{End, Outstanding, blame};
use handover::Drain;
use retry::{How, Next, Retry, longest_pause};
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
            match self.subscription.refused_by(limits, filters) {
                Some(refusals) => self.events.extend(refusals),
                None => self.subscribe(),
            }
        }
    }

    fn subscribe(&mut self) {
        if let State::Open(connection) = &mut self.state {
            let id = self.inflight.free_id();
            self.subscription.ask(id);
            self.writer.subscribe(
                id,
                &self.options.subscriptions,
                self.options.ignore_retained,
                &mut connection.output,
            );
        }
    }

    fn not_opened(&mut self, error: Error) {
        self.inflight.not_connected();
        let how = match error {
            Error::ConnectionRefused { .. } | Error::Protocol { .. } => How::Refused,
            _ => How::NotConnected,
        };
        self.wait(how, Duration::ZERO, error);
    }

    fn ended(&mut self, ended: Ended, lasted: Duration) {
        let (end, said) = match &ended {
            Ended::Closed => (End::Silent, Some(Said::Nothing)),
            Ended::Dismissed(code, reason) => {
                let fault = code.fault();
                let ours = !matches!(fault, Fault::Broker | Fault::TakenOver);
                (End::Said(fault), ours.then_some(Said::Code(*code, reason)))
            }
            Ended::Lost(_) | Ended::Protocol(_) => (End::Broken, None),
        };
        let how = blame(
            end,
            Outstanding {
                subscribe: self.subscription.is_suspect(),
                denied: self.subscription.denied.is_some(),
                publication: said
                    .map_or(Blame::Unclear, |said| self.inflight.closed_by_broker(said)),
                draining: self.drain.started(),
            },
        );
        self.report_done();
        let mut error = ended.into_error(self.options.broker.address());
        if let (Error::Lost { reason, .. }, Some(over)) = (&mut error, self.over_what(how)) {
            reason.push_str(&over);
        }
        self.wait(how, lasted, error);
    }

    /// What explains the end of a connection, for the reason of an error.
    fn over_what(&self, how: How) -> Option<String> {
        match how {
            How::ClosedOverSubscription => {
                let filters = self.options.subscriptions.iter();
                let filters: Vec<_> = filters.map(|(filter, _)| format!("{filter:?}")).collect();
                Some(format!(
                    " over the subscription to {}, as brokers do that do not allow it, or do not support wildcards or \
                     shared subscriptions",
                    filters.join(" and ")
                ))
            }
            How::ClosedAfterDenial => {
                let denied = self.subscription.denied.as_ref()?;
                Some(format!(" after it had refused {denied}"))
            }
            How::ClosedOverPublication => Some(" over a publication".to_owned()),
            _ => None,
        }
    }

    /// Waits for the next connection.
    fn wait(&mut self, how: How, lasted: Duration, error: Error) {
        let next = self.retry.decide(how, lasted);
        let longest = longest_pause(how, self.near);
        let retry_in = self.retry.pause(next, longest, self.options.takeover_retry);
        let error = match next {
            Next::StayAway => Error::TakenOver {
                client_id: self.options.client_id.clone(),
            },
            Next::BackOff | Next::AtOnce => error,
        };
        self.subscription.ended();
        self.state = State::Waiting(Instant::now() + retry_in);
        self.events
            .push_back(Event::Disconnected { error, retry_in });
        self.drained_with_its_connection();
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
        let mut result = connection.take_packets(&mut found);
        if result.is_ok() && found.is_empty() && self.inflight.nothing_done() {
            let read = self.intake;
            result = std::future::poll_fn(|cx| connection.poll(cx, read)).await;
            self.inflight.written(connection.position);
            if result.is_ok() {
                result = connection.take_packets(&mut found);
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
        self.inflight.capacity()
    }

    fn publish(&mut self, publication: Publication, token: u64) {
        self.inflight.add(publication, token);
    }

    fn drain(&mut self) {
        self.start_drain();
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
