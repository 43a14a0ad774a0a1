//! Sessions at a broker that sends exactly what a test says.

mod claiming;
mod normative;
mod outcomes;
mod publishing;
mod subscribing;
mod unread;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crds::validated::{BrokerUrl, MqttVersion, Transport};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use bytes::BytesMut;

use super::Session;
use crate::frame::{Front, front};
use crate::{Client as _, Error, Event, Options};

/// Nothing here takes so long unless it is broken.
const PATIENCE: Duration = Duration::from_secs(10);

fn options(address: SocketAddr, version: MqttVersion) -> Options {
    Options {
        broker: BrokerUrl {
            transport: Transport::Tcp,
            host: address.ip().to_string(),
            port: address.port(),
            path: String::new(),
        },
        version,
        ..crate::options::tests::options()
    }
}

/// The broker's side of a connection.
struct Peer {
    stream: TcpStream,
    input: BytesMut,
}

impl Peer {
    /// Takes a connection and its first packet.
    async fn accept(listener: &TcpListener) -> (Self, BytesMut) {
        let (stream, _) = listener.accept().await.unwrap();
        let mut peer = Self {
            stream,
            input: BytesMut::new(),
        };
        let first = peer.packet().await.unwrap();
        (peer, first)
    }

    /// Takes a connection and its CONNECT, and answers it.
    async fn greet(listener: &TcpListener, answer: &[u8]) -> Self {
        let (mut peer, connect) = Self::accept(listener).await;
        assert_eq!(connect[0], 0x10);
        peer.say(answer).await;
        peer
    }

    async fn say(&mut self, bytes: &[u8]) {
        // The session may have closed the connection, which the test notices elsewhere.
        let _ = self.stream.write_all(bytes).await;
    }

    /// The session's next packet; `None` when it closed the connection.
    async fn packet(&mut self) -> Option<BytesMut> {
        loop {
            if let Ok(Front::Packet(size)) = front(&self.input, usize::MAX) {
                return Some(self.input.split_to(size));
            }
            let read = self.stream.read_buf(&mut self.input).await;
            if !matches!(read, Ok(1..)) {
                return None;
            }
        }
    }
}

/// Runs a session against a broker until one of them is done.
async fn against<T>(client: impl Future<Output = T>, broker: impl Future<Output = ()>) -> T {
    tokio::time::timeout(PATIENCE, async {
        tokio::select! {
            found = client => found,
            () = broker => unreachable!("the broker ended first"),
        }
    })
    .await
    .unwrap()
}

/// The broker's side of a connection whose client has said something and got `answer`.
async fn answered(listener: &TcpListener, answer: &[u8]) -> TcpStream {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut first = [0; 4096];
    assert!(stream.read(&mut first).await.unwrap() > 0);
    stream.write_all(answer).await.unwrap();
    stream
}

/// Drives a session until an event is what the test waits for.
async fn until<T>(session: &mut Session, wanted: impl Fn(Event) -> Option<T>) -> T {
    loop {
        while let Some(event) = session.next_event() {
            if let Some(found) = wanted(event) {
                return found;
            }
        }
        session.drive().await;
    }
}

/// Why a session is disconnected from a broker that answers `answer`.
async fn disconnected(change: impl FnOnce(&mut Options), answer: &[u8]) -> Error {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut options = options(listener.local_addr().unwrap(), MqttVersion::V5);
    change(&mut options);
    let mut session = Session::new(options);
    let broker = async {
        let _stream = answered(&listener, answer).await;
        std::future::pending::<()>().await;
    };
    let client = until(&mut session, |event| match event {
        Event::Disconnected { error, .. } => Some(error),
        _ => None,
    });
    against(client, broker).await
}

/// MQTT 5 lets a DISCONNECT without properties end after its reason code.
#[tokio::test]
async fn d1_a_short_disconnect_says_that_the_session_was_taken_over() {
    let answer = [0x20, 3, 0, 0, 0, 0xE0, 1, 0x8E];
    let error = disconnected(|_| {}, &answer).await;
    assert!(matches!(error, Error::TakenOver { .. }), "{error}");
}

#[tokio::test]
async fn d3_a_broker_without_mqtt_5_is_recognized() {
    let error = disconnected(|_| {}, &[0x20, 2, 0, 1]).await.to_string();
    assert!(
        error.ends_with("the broker does not support MQTT 5; set `version: '3.1.1'`"),
        "{error}"
    );
}

/// Some brokers send it to clients of 3.1.1 too, where only clients may.
#[tokio::test]
async fn d12_a_disconnect_to_a_client_of_3_1_1_is_a_close() {
    let answer = [0x20, 2, 0, 0, 0xE0, 0];
    let error = disconnected(|options| options.version = MqttVersion::V3_1_1, &answer).await;
    assert!(matches!(error, Error::Lost { .. }), "{error}");
    assert!(
        error.to_string().ends_with("the broker closed it"),
        "{error}"
    );
}

/// An alert, as TLS answers what is not TLS.
#[tokio::test]
async fn d4_a_port_with_tls_is_recognized() {
    for version in [MqttVersion::V3_1_1, MqttVersion::V5] {
        let alert = [0x15, 3, 3, 0, 2, 2, 70];
        let error = disconnected(|options| options.version = version, &alert).await;
        let error = error.to_string();
        assert!(
            error.ends_with("its port expects TLS; use ssl:// instead of tcp://"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn d4_a_port_without_tls_is_recognized() {
    let roots = rustls::RootCertStore::empty();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tls = |options: &mut Options| {
        options.broker.transport = Transport::Tls;
        options.tls = Some((Arc::new(config), "localhost".to_owned()));
    };
    let error = disconnected(tls, &[0x20, 3, 0, 0x85, 0]).await.to_string();
    assert!(
        error.ends_with("; if its port has no TLS, use tcp:// instead of ssl://"),
        "{error}"
    );
}

/// The broker's keep-alive is shorter than ours.
#[tokio::test]
async fn d9_a_shorter_keep_alive_of_the_broker_counts_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut session = Session::new(options(listener.local_addr().unwrap(), MqttVersion::V5));
    let broker = async {
        let answer = [0x20, 6, 0, 0, 3, 0x13, 0, 1];
        let mut stream = answered(&listener, &answer).await;
        let mut ping = [0; 2];
        stream.read_exact(&mut ping).await.unwrap();
        ping
    };
    let ping = tokio::time::timeout(PATIENCE, async {
        tokio::select! {
            () = until(&mut session, |_| None) => unreachable!(),
            ping = broker => ping,
        }
    })
    .await
    .unwrap();
    assert_eq!(ping, [0xC0, 0]);
}
