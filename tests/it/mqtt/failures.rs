//! Brokers and connections that go away.

use std::collections::BTreeSet;
use std::time::Duration;

use crds::validated::{MqttVersion, Qos};
use mqtt::{Client as _, Error, Event};
use rustix::process::Signal;
use tests::client::{TestClient, options};
use tests::mosquitto::Mosquitto;

const SUBSCRIPTION: [(&str, Qos); 1] = [("t", Qos::AtLeastOnce)];

#[tokio::test]
async fn a_broker_that_comes_late_is_found() -> anyhow::Result<()> {
    let mut broker = Mosquitto::start().await?;
    broker.kill().await?;
    let mut client = TestClient::new(options(broker.address(), "c", &SUBSCRIPTION));
    client
        .until(|event| {
            matches!(
                event,
                Event::Disconnected {
                    error: Error::Unreachable { .. },
                    ..
                }
            )
            .then_some(())
        })
        .await?;
    broker.start_again().await?;
    client
        .until(|event| matches!(event, Event::Subscribed).then_some(()))
        .await
}

#[tokio::test]
async fn publications_survive_a_killed_broker() -> anyhow::Result<()> {
    for (version, qos) in [
        (MqttVersion::V3_1_1, Qos::AtLeastOnce),
        (MqttVersion::V5, Qos::AtLeastOnce),
        (MqttVersion::V3_1_1, Qos::ExactlyOnce),
    ] {
        let mut broker = Mosquitto::start().await?;
        let subscription = [("t", qos)];
        let mut settings = options(broker.address(), "s", &subscription);
        settings.version = version;
        let mut subscriber = TestClient::connected(settings).await?;
        let mut settings = options(broker.address(), "p", &[]);
        settings.version = version;
        let mut publisher = TestClient::connected(settings).await?;
        publisher.send("t", "before", qos).await?;
        // Stopped, it acknowledges nothing of what is written to it now.
        broker.signal(Signal::STOP)?;
        for number in 0..99 {
            publisher.publish("t", format!("{number}"), qos);
        }
        publisher.while_driving(broker.kill()).await?;
        broker.start_again().await?;
        let mut done = BTreeSet::new();
        while done.len() < 99 {
            if let Event::Published { token, result } = publisher.until(Some).await? {
                result?;
                assert!(done.insert(token), "{token} is done twice");
            }
        }
        // What a killed mosquitto had acknowledged may be gone; the connections must be good again.
        subscriber
            .until(|event| matches!(event, Event::Subscribed).then_some(()))
            .await?;
        publisher.send("t", "after", qos).await?;
        while subscriber.take().await?.payload != "after" {}
    }
    Ok(())
}

#[tokio::test]
async fn a_lost_session_is_subscribed_again() -> anyhow::Result<()> {
    let mut broker = Mosquitto::start().await?;
    let mut subscriber =
        TestClient::connected(options(broker.address(), "s", &SUBSCRIPTION)).await?;
    broker.stop().await?;
    broker.forget()?;
    broker.start_again().await?;
    subscriber
        .until(|event| {
            matches!(
                event,
                Event::Connected {
                    session_present: false,
                    ..
                }
            )
            .then_some(())
        })
        .await?;
    subscriber
        .until(|event| matches!(event, Event::Subscribed).then_some(()))
        .await?;
    let mut publisher = TestClient::connected(options(broker.address(), "p", &[])).await?;
    publisher.send("t", "x", Qos::AtLeastOnce).await?;
    assert_eq!(subscriber.take().await?.payload, "x");
    Ok(())
}

#[tokio::test]
async fn acknowledgements_from_before_a_reconnect_acknowledge_nothing_after_it()
-> anyhow::Result<()> {
    let mut broker = Mosquitto::start().await?;
    let mut subscriber =
        TestClient::connected(options(broker.address(), "s", &SUBSCRIPTION)).await?;
    let mut publisher = TestClient::connected(options(broker.address(), "p", &[])).await?;
    publisher.send("t", "x", Qos::AtLeastOnce).await?;
    let old = subscriber.message().await?.tag;
    broker.stop().await?;
    broker.start_again().await?;
    let again = subscriber.message().await?;
    assert_eq!(again.payload, "x");
    assert_ne!(again.tag, old);
    if let Some(old) = old {
        subscriber.session.ack(old);
    }
    subscriber.session.disconnect().await;
    let mut subscriber = TestClient::new(options(broker.address(), "s", &SUBSCRIPTION));
    assert_eq!(
        subscriber.take().await?.payload,
        "x",
        "it was not acknowledged"
    );
    Ok(())
}

/// A broker that is gone without closing, as behind a cut cable.
#[tokio::test]
async fn a_peer_that_falls_silent_is_given_up() -> anyhow::Result<()> {
    let broker = Mosquitto::start().await?;
    let mut settings = options(broker.address(), "s", &SUBSCRIPTION);
    settings.keep_alive = Duration::from_secs(1);
    let mut client = TestClient::connected(settings).await?;
    broker.signal(Signal::STOP)?;
    let error = client
        .until(|event| match event {
            Event::Disconnected { error, .. } => Some(error),
            _ => None,
        })
        .await?;
    broker.signal(Signal::CONT)?;
    assert!(
        error.to_string().contains("does not answer pings"),
        "{error}"
    );
    client
        .until(|event| matches!(event, Event::Subscribed).then_some(()))
        .await
}
