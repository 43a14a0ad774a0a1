//! An MQTT session that a test drives step by step.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use crds::validated::{BrokerUrl, MqttVersion, Qos, Transport};
use mqtt::{Client as _, Event, Incoming, Options, Publication, Refused, Session};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Nothing in a test takes so long unless it is broken: a session that another client took over stays away for a minute.
const PATIENCE: Duration = Duration::from_secs(100);

/// Options of a session on a broker at `address`.
pub fn options(address: SocketAddr, client_id: &str, subscriptions: &[(&str, Qos)]) -> Options {
    Options {
        broker: BrokerUrl {
            transport: Transport::Tcp,
            host: address.ip().to_string(),
            port: address.port(),
            path: String::new(),
        },
        client_id: client_id.to_owned(),
        version: MqttVersion::V3_1_1,
        clean_start: false,
        keep_alive: Duration::from_secs(30),
        auth: None,
        tls: None,
        max_packet_size: 16 << 20,
        subscriptions: subscriptions
            .iter()
            .map(|(filter, qos)| ((*filter).to_owned(), *qos))
            .collect(),
        ignore_retained: false,
        max_in_flight: 100,
        // Tests restart brokers faster than anybody else; staying away for long would only cost time.
        takeover_retry: Duration::from_millis(100),
        gather: Duration::ZERO,
    }
}

/// A session with helpers for tests.
#[derive(Debug)]
pub struct TestClient {
    /// The session.
    pub session: Session,
    next_token: u64,
}

impl TestClient {
    /// A session that connects when it is driven.
    pub fn new(options: Options) -> Self {
        Self {
            session: Session::new(options),
            next_token: 0,
        }
    }

    /// Connects and subscribes.
    ///
    /// # Errors
    /// It takes too long.
    pub async fn connected(options: Options) -> anyhow::Result<Self> {
        let mut client = Self::new(options);
        client
            .until(|event| matches!(event, Event::Subscribed).then_some(()))
            .await?;
        Ok(client)
    }

    /// Whether the broker has a session of `client_id`, which then exists in any case.
    ///
    /// # Errors
    /// The broker does not answer.
    pub async fn has_session(address: SocketAddr, client_id: &str) -> anyhow::Result<bool> {
        let mut client = Self::new(options(address, client_id, &[]));
        client
            .until(|event| match event {
                Event::Connected {
                    session_present, ..
                } => Some(session_present),
                _ => None,
            })
            .await
    }

    /// Drives the session until an event is what the test waits for; the ones before are lost.
    ///
    /// # Errors
    /// It takes too long; the events are in the error.
    pub async fn until<T>(&mut self, wanted: impl Fn(Event) -> Option<T>) -> anyhow::Result<T> {
        let mut seen = Vec::new();
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                while let Some(event) = self.session.next_event() {
                    seen.push(format!("{event:?}"));
                    if let Some(found) = wanted(event) {
                        return found;
                    }
                }
                self.session.drive().await;
            }
        });
        match found.await {
            Ok(found) => Ok(found),
            Err(_) => anyhow::bail!("what the test waits for does not happen, but {seen:#?}"),
        }
    }

    /// The next message.
    ///
    /// # Errors
    /// None comes.
    pub async fn message(&mut self) -> anyhow::Result<Incoming> {
        self.until(|event| match event {
            Event::Message(message) => Some(message),
            _ => None,
        })
        .await
    }

    /// The next message, acknowledged.
    ///
    /// # Errors
    /// None comes.
    pub async fn take(&mut self) -> anyhow::Result<Incoming> {
        let message = self.message().await?;
        if let Some(tag) = message.tag {
            self.session.ack(tag);
        }
        Ok(message)
    }

    /// Queues a publication and gives its token.
    pub fn publish(&mut self, topic: &str, payload: impl Into<Bytes>, qos: Qos) -> u64 {
        let token = self.next_token;
        self.next_token += 1;
        let publication = Publication {
            topic: topic.into(),
            payload: payload.into(),
            qos,
            retain: false,
            hops: 0,
        };
        self.session.publish(publication, token);
        token
    }

    /// Queues a publication as soon as the session takes one more.
    ///
    /// # Errors
    /// No publication ends to make room for it.
    pub async fn push(
        &mut self,
        topic: &str,
        payload: impl Into<Bytes>,
        qos: Qos,
    ) -> anyhow::Result<u64> {
        if self.session.publish_capacity() == 0 {
            self.until(|event| matches!(event, Event::Published { .. }).then_some(()))
                .await?;
        }
        Ok(self.publish(topic, payload, qos))
    }

    /// Waits until a publication has ended, and tells how.
    ///
    /// # Errors
    /// It does not end.
    pub async fn outcome(&mut self, wanted: u64) -> anyhow::Result<Result<(), Refused>> {
        self.until(|event| match event {
            Event::Published { token, result } if token == wanted => Some(result),
            _ => None,
        })
        .await
    }

    /// Waits until a publication is done.
    ///
    /// # Errors
    /// It is not, or it was refused.
    pub async fn done(&mut self, wanted: u64) -> anyhow::Result<()> {
        let outcome = self.outcome(wanted).await?;
        outcome.context("the publication was refused")
    }

    /// Publishes and waits until it is done.
    ///
    /// # Errors
    /// It is not, or it was refused.
    pub async fn send(
        &mut self,
        topic: &str,
        payload: impl Into<Bytes>,
        qos: Qos,
    ) -> anyhow::Result<()> {
        let token = self.publish(topic, payload, qos);
        self.done(token).await
    }

    /// Drives the session for as long as `other` takes, keeping its events.
    pub async fn while_driving<T>(&mut self, other: impl Future<Output = T>) -> T {
        tokio::pin!(other);
        loop {
            // Events that are there already would end `drive` at once and starve `other`.
            tokio::select! {
                biased;
                value = &mut other => return value,
                () = self.session.drive() => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        }
    }
}

/// Connects with a keep-alive in seconds, says nothing more, and returns when the broker has closed the
/// connection for that: a wait that the broker's own clock ends.
///
/// # Errors
/// The broker says something else.
pub async fn closed_for_silence(
    broker: SocketAddr,
    name: &str,
    keep_alive: u8,
) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(broker).await?;
    let length = u8::try_from(name.len())?;
    let header = [
        0x10,
        12 + length,
        0,
        4,
        b'M',
        b'Q',
        b'T',
        b'T',
        4,
        2,
        0,
        keep_alive,
        0,
        length,
    ];
    stream
        .write_all(&[&header, name.as_bytes()].concat())
        .await?;
    let mut answers = Vec::new();
    stream.read_to_end(&mut answers).await?;
    anyhow::ensure!(
        answers == [0x20, 2, 0, 0],
        "not a greeting alone: {answers:?}"
    );
    Ok(())
}
