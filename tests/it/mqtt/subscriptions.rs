//! Subscriptions that are refused or lost, by a broker that does exactly what a test says: mosquitto
//! grants every subscription.

use crds::validated::{MqttVersion, Qos};
use mqtt::{Event, Options};
use tests::client::{TestClient, options};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::VERSIONS;

const CONNECT: u8 = 1;
const SUBSCRIBE: u8 = 8;

/// The next packet: its kind and what follows its length, which is short here.
async fn packet(stream: &mut TcpStream) -> anyhow::Result<(u8, Vec<u8>)> {
    let kind = stream.read_u8().await? >> 4;
    let length = stream.read_u8().await?;
    anyhow::ensure!(length < 128, "a long packet");
    let mut body = vec![0; usize::from(length)];
    stream.read_exact(&mut body).await?;
    Ok((kind, body))
}

/// Takes the next connection and greets it.
async fn greet(
    listener: &TcpListener,
    version: MqttVersion,
    session_present: bool,
) -> anyhow::Result<TcpStream> {
    let (mut stream, _) = listener.accept().await?;
    assert_eq!(packet(&mut stream).await?.0, CONNECT);
    let present = u8::from(session_present);
    match version {
        MqttVersion::V3_1_1 => stream.write_all(&[0x20, 2, present, 0]).await?,
        MqttVersion::V5 => stream.write_all(&[0x20, 3, present, 0, 0]).await?,
    }
    Ok(stream)
}

/// Takes a SUBSCRIBE and answers it with a code.
async fn answer(stream: &mut TcpStream, version: MqttVersion, code: u8) -> anyhow::Result<()> {
    let (kind, body) = packet(stream).await?;
    assert_eq!(kind, SUBSCRIBE);
    match version {
        MqttVersion::V3_1_1 => stream.write_all(&[0x90, 3, body[0], body[1], code]).await?,
        MqttVersion::V5 => {
            stream
                .write_all(&[0x90, 4, body[0], body[1], 0, code])
                .await?;
        }
    }
    Ok(())
}

/// Takes a connection of a session that is there, and what it subscribes to.
async fn accept(listener: &TcpListener, version: MqttVersion) -> anyhow::Result<TcpStream> {
    let mut stream = greet(listener, version, true).await?;
    answer(&mut stream, version, 1).await?;
    Ok(stream)
}

async fn broker(version: MqttVersion) -> anyhow::Result<(TcpListener, Options)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let mut settings = options(address, "s", &[("t", Qos::AtLeastOnce)]);
    settings.version = version;
    Ok((listener, settings))
}

#[tokio::test]
async fn a_refused_subscription_is_told_and_tried_again_with_the_next_connection()
-> anyhow::Result<()> {
    for version in VERSIONS {
        let (listener, settings) = broker(version).await?;
        let script = async {
            let mut stream = greet(&listener, version, false).await?;
            // Not authorized in MQTT 5; the only refusal that 3.1.1 has.
            let refusal = if version == MqttVersion::V5 {
                0x87
            } else {
                0x80
            };
            answer(&mut stream, version, refusal).await?;
            drop(stream);
            // The session is there, but nothing is subscribed in it.
            accept(&listener, version).await
        };
        let mut client = TestClient::new(settings);
        let events = async {
            let refused = client
                .until(|event| match event {
                    Event::SubscriptionRefused { filter, reason } => Some((filter, reason)),
                    Event::Subscribed => Some(Default::default()),
                    _ => None,
                })
                .await?;
            let reason = if version == MqttVersion::V5 {
                "not authorized"
            } else {
                "failure"
            };
            assert_eq!(refused, ("t".to_owned(), reason.to_owned()));
            client
                .until(|event| matches!(event, Event::Subscribed).then_some(()))
                .await
        };
        tokio::try_join!(script, events)?;
    }
    Ok(())
}

/// A worker that says it is subscribed and is not would wait forever: another client that had the session meanwhile may
/// have ended the subscription.
#[tokio::test]
async fn a_subscription_is_made_again_on_every_connection() -> anyhow::Result<()> {
    for version in VERSIONS {
        let (listener, settings) = broker(version).await?;
        let script = async {
            let mut stream = greet(&listener, version, false).await?;
            assert_eq!(packet(&mut stream).await?.0, SUBSCRIBE);
            drop(stream);
            drop(accept(&listener, version).await?);
            // It stood, as far as we know.
            accept(&listener, version).await
        };
        let mut client = TestClient::new(settings);
        let events = async {
            for _ in 0..2 {
                client
                    .until(|event| matches!(event, Event::Subscribed).then_some(()))
                    .await?;
            }
            anyhow::Ok(())
        };
        tokio::try_join!(script, events)?;
    }
    Ok(())
}
