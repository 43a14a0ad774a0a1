//! Back-pressure and packet limits.

use std::time::Duration;

use bytes::Bytes;
use crds::validated::{MqttVersion, Qos};
use mqtt::{Client as _, Event, Refused};
use tests::client::{TestClient, closed_for_silence, options};
use tests::mosquitto::Mosquitto;

use super::VERSIONS;

const SUBSCRIPTION: [(&str, Qos); 1] = [("t", Qos::AtLeastOnce)];

/// A model that is slow must not cost the connection: rumqttc pings only while it is polled.
#[tokio::test]
async fn a_closed_intake_holds_messages_at_the_broker_and_keeps_the_connection()
-> anyhow::Result<()> {
    let broker = Mosquitto::start().await?;
    for version in VERSIONS {
        let mut settings = options(broker.address(), "s", &SUBSCRIPTION);
        settings.keep_alive = Duration::from_secs(1);
        settings.version = version;
        let mut subscriber = TestClient::connected(settings).await?;
        subscriber.session.set_intake(false);
        let mut publisher = TestClient::connected(options(broker.address(), "p", &[])).await?;
        let payload = Bytes::from(vec![b'x'; 100 << 10]);
        let sent = async {
            for _ in 0..100 {
                publisher
                    .send("t", payload.clone(), Qos::AtLeastOnce)
                    .await?;
            }
            // Twice as long as mosquitto waits for a client that does not ping.
            for name in ["silent1", "silent2"] {
                closed_for_silence(broker.address(), name, 1).await?;
            }
            anyhow::Ok(())
        };
        subscriber.while_driving(sent).await?;
        assert!(subscriber.session.next_event().is_none(), "{version:?}");
        subscriber.session.set_intake(true);
        for _ in 0..100 {
            let event = subscriber.until(Some).await?;
            let Event::Message(message) = event else {
                anyhow::bail!("not a message, but {event:?}");
            };
            if let Some(tag) = message.tag {
                subscriber.session.ack(tag);
            }
        }
        subscriber.session.disconnect().await;
    }
    Ok(())
}

#[tokio::test]
async fn a_packet_over_the_limit_is_discarded_and_acknowledged() -> anyhow::Result<()> {
    let broker = Mosquitto::start().await?;
    for qos in super::QOS {
        let name = format!("s{qos:?}");
        let subscription = [("t", qos)];
        let mut settings = options(broker.address(), &name, &subscription);
        settings.max_packet_size = 10_000;
        let mut subscriber = TestClient::connected(settings.clone()).await?;
        let mut publisher = TestClient::connected(options(broker.address(), "p", &[])).await?;
        let large = Bytes::from(vec![b'x'; 1 << 20]);
        publisher.send("t", large, qos).await?;
        publisher.send("t", "small", qos).await?;
        let size = subscriber
            .until(|event| match event {
                Event::Oversized { size, .. } => Some(size),
                _ => None,
            })
            .await?;
        assert!(size > 1 << 20);
        assert_eq!(subscriber.take().await?.payload, "small");
        subscriber.session.disconnect().await;
        // Neither comes again.
        let mut subscriber = TestClient::connected(settings).await?;
        publisher.send("t", "next", qos).await?;
        assert_eq!(subscriber.take().await?.payload, "next");
        subscriber.session.disconnect().await;
    }
    Ok(())
}

#[tokio::test]
async fn a_publication_over_a_limit_is_refused_at_once() -> anyhow::Result<()> {
    let broker = Mosquitto::with(|_, port| {
        format!("listener {port} 127.0.0.1\nallow_anonymous true\nmax_packet_size 5000\n")
    })
    .await?;
    let mut settings = options(broker.address(), "p", &[]);
    settings.version = MqttVersion::V5;
    let mut client = TestClient::connected(settings).await?;
    let token = client.publish("t", vec![0; 6000], Qos::AtLeastOnce);
    let refused = client.outcome(token).await?;
    assert!(
        matches!(refused, Err(Refused::TooLarge { limit: 5000, .. })),
        "{refused:?}"
    );
    client.send("t", "small", Qos::AtLeastOnce).await
}

/// A broker of MQTT 3.1.1 cannot say no: it closes the connection, each time.
#[tokio::test]
async fn a_publication_over_which_the_broker_closes_is_refused_and_holds_back_nothing()
-> anyhow::Result<()> {
    let broker = Mosquitto::with(|_, port| {
        format!("listener {port} 127.0.0.1\nallow_anonymous true\nmax_packet_size 5000\n")
    })
    .await?;
    for qos in super::QOS {
        let subscription = [("t", Qos::AtLeastOnce)];
        let mut reader =
            TestClient::connected(options(broker.address(), "r", &subscription)).await?;
        let mut settings = options(broker.address(), "p", &[]);
        // No closed connection here is a takeover, which would keep the session away.
        settings.takeover_retry = Duration::from_hours(1);
        let mut client = TestClient::connected(settings).await?;
        let before = client.publish("t", "before", qos);
        // Larger than what the sockets hold, so that at QoS 0 too it cannot be written.
        let large = client.publish("t", vec![0; 14 << 20], qos);
        let after = client.publish("t", "after", qos);
        client.done(before).await?;
        let refused = client.outcome(large).await?;
        assert!(
            matches!(refused, Err(Refused::ByClosing { size }) if size > 14 << 20),
            "{qos:?}: {refused:?}"
        );
        client.done(after).await?;
        while reader.take().await?.payload != "after" {}
        // The second costs one connection.
        let large = client.publish("t", vec![0; 15 << 20], qos);
        let mut lost = 0;
        let refused = loop {
            match client.until(Some).await? {
                Event::Published { token, result } if token == large => break result,
                Event::Disconnected { .. } => lost += 1,
                _ => {}
            }
        };
        assert!(refused.is_err(), "{qos:?}");
        assert!(lost <= 1, "{qos:?}: {lost} connections");
        client.session.disconnect().await;
        reader.session.disconnect().await;
    }
    Ok(())
}

/// In 3.1.1 mosquitto acknowledges such a message and drops it, which no client can see.
#[tokio::test]
async fn a_message_over_mosquitto_s_message_size_limit_is_refused_in_mqtt_5() -> anyhow::Result<()>
{
    let broker = Mosquitto::with(|_, port| {
        format!("listener {port} 127.0.0.1\nallow_anonymous true\nmessage_size_limit 5000\n")
    })
    .await?;
    let mut settings = options(broker.address(), "p", &[]);
    settings.version = MqttVersion::V5;
    let mut client = TestClient::connected(settings).await?;
    for qos in [Qos::AtLeastOnce, Qos::ExactlyOnce] {
        let token = client.publish("t", vec![0; 6000], qos);
        let refused = client.outcome(token).await?;
        assert_eq!(
            refused,
            Err(Refused::ByBroker("packet too large".to_owned()))
        );
    }
    client.send("t", "small", Qos::AtLeastOnce).await
}

#[tokio::test]
async fn no_more_is_in_flight_than_a_broker_of_mqtt_5_allows() -> anyhow::Result<()> {
    let broker = Mosquitto::with(|_, port| {
        format!("listener {port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 3\n")
    })
    .await?;
    let mut settings = options(broker.address(), "p", &[]);
    settings.version = MqttVersion::V5;
    let mut client = TestClient::connected(settings).await?;
    for _ in 0..100 {
        client.publish("t", "x", Qos::ExactlyOnce);
    }
    // mosquitto ends a connection that goes over its receive maximum.
    let mut done = 0;
    while done < 100 {
        match client.until(Some).await? {
            Event::Published { result, .. } => {
                result?;
                done += 1;
            }
            event => anyhow::bail!("{event:?}"),
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_broker_s_refusal_of_a_message_is_told_in_mqtt_5() -> anyhow::Result<()> {
    let broker = Mosquitto::with(|folder, port| {
        let rules = folder.join("acl");
        // A test's own folder: failing to write it fails the broker's start, which tells.
        let _ = std::fs::write(&rules, "topic readwrite allowed\n");
        format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\nacl_file {}\n",
            rules.display()
        )
    })
    .await?;
    for qos in [Qos::AtLeastOnce, Qos::ExactlyOnce] {
        let mut settings = options(broker.address(), "p", &[]);
        settings.version = MqttVersion::V5;
        let mut client = TestClient::connected(settings).await?;
        let token = client.publish("secret", "x", qos);
        let refused = client.outcome(token).await?;
        assert_eq!(refused, Err(Refused::ByBroker("not authorized".to_owned())));
    }
    Ok(())
}
