//! Messages in and out, and their acknowledgements.

use bytes::Bytes;
use crds::validated::{MqttVersion, Qos};
use mqtt::{Client as _, Publication};
use tests::client::{TestClient, options};
use tests::mosquitto::Mosquitto;

use super::{QOS, VERSIONS};

#[tokio::test]
async fn every_version_and_quality_delivers_each_message_once_and_in_order() -> anyhow::Result<()> {
    let broker = Mosquitto::start().await?;
    for version in VERSIONS {
        for qos in QOS {
            let name = format!("{version:?}{qos:?}").replace('.', "");
            let mut subscriber = options(broker.address(), &format!("sub{name}"), &[("in/#", qos)]);
            subscriber.version = version;
            let mut subscriber = TestClient::connected(subscriber).await?;
            let mut publisher = options(broker.address(), &format!("pub{name}"), &[]);
            publisher.version = version;
            let mut publisher = TestClient::connected(publisher).await?;
            for number in 0..50 {
                publisher.publish("in/设备", format!("{number}"), qos);
            }
            publisher.done(49).await?;
            for number in 0..50 {
                let message = subscriber.take().await?;
                assert_eq!(&*message.topic, "in/设备");
                assert_eq!(message.payload, format!("{number}"), "{version:?} {qos:?}");
                assert_eq!(message.tag.is_some(), qos != Qos::AtMostOnce);
            }
            subscriber.session.disconnect().await;
            publisher.session.disconnect().await;
        }
    }
    Ok(())
}

/// The property that at-least-once rests on.
#[tokio::test]
async fn what_is_not_acknowledged_comes_again_with_the_next_connection() -> anyhow::Result<()> {
    let broker = Mosquitto::start().await?;
    for (version, qos) in [
        (MqttVersion::V3_1_1, Qos::AtLeastOnce),
        (MqttVersion::V3_1_1, Qos::ExactlyOnce),
        (MqttVersion::V5, Qos::AtLeastOnce),
        (MqttVersion::V5, Qos::ExactlyOnce),
    ] {
        let topic = format!("again/{version:?}/{qos:?}");
        let mut subscriber_options = options(broker.address(), &topic, &[(&topic, qos)]);
        subscriber_options.version = version;
        let mut subscriber = TestClient::connected(subscriber_options.clone()).await?;
        let mut publisher = TestClient::connected(options(broker.address(), "p", &[])).await?;
        for text in ["one", "two", "three"] {
            publisher.send(&topic, text, qos).await?;
        }
        let (one, two, three) = (
            subscriber.message().await?,
            subscriber.message().await?,
            subscriber.message().await?,
        );
        // The second is not acknowledged, so that the third's acknowledgement must wait for it.
        for message in [three, one] {
            if let Some(tag) = message.tag {
                subscriber.session.ack(tag);
            }
        }
        subscriber.session.disconnect().await;
        let mut subscriber = TestClient::new(subscriber_options);
        let again = [subscriber.take().await?, subscriber.take().await?];
        assert_eq!(again[0].payload, two.payload, "{version:?} {qos:?}");
        assert_eq!(again[1].payload, "three", "{version:?} {qos:?}");
        assert!(again[0].duplicate);
        subscriber.session.disconnect().await;
    }
    Ok(())
}

#[tokio::test]
async fn one_message_of_a_mebibyte_and_many_more_than_the_window_go_through() -> anyhow::Result<()>
{
    let broker = Mosquitto::start().await?;
    let subscription = [("big", Qos::AtLeastOnce)];
    let mut subscriber =
        TestClient::connected(options(broker.address(), "s", &subscription)).await?;
    let mut settings = options(broker.address(), "p", &[]);
    settings.max_in_flight = 5;
    let mut publisher = TestClient::connected(settings).await?;
    let large = Bytes::from(vec![b'x'; 1 << 20]);
    publisher
        .send("big", large.clone(), Qos::AtLeastOnce)
        .await?;
    assert_eq!(subscriber.take().await?.payload, large);
    for _ in 0..500 {
        publisher.publish("big", "small", Qos::AtLeastOnce);
    }
    assert_eq!(publisher.session.publish_capacity(), 0);
    publisher.done(500).await?;
    assert_eq!(publisher.session.publish_capacity(), 5);
    for _ in 0..500 {
        assert_eq!(subscriber.take().await?.payload, "small");
    }
    Ok(())
}

#[tokio::test]
async fn retained_messages_and_shared_subscriptions_work() -> anyhow::Result<()> {
    let broker = Mosquitto::start().await?;
    let mut publisher = TestClient::connected(options(broker.address(), "p", &[])).await?;
    publisher.session.publish(
        Publication {
            topic: "state".into(),
            payload: "on".into(),
            qos: Qos::AtLeastOnce,
            retain: true,
            hops: 0,
        },
        7,
    );
    publisher.done(7).await?;
    let late = [("state", Qos::AtLeastOnce)];
    let mut late = TestClient::connected(options(broker.address(), "late", &late)).await?;
    assert!(late.take().await?.retained);

    let shared = [("$share/group/work/+", Qos::AtLeastOnce)];
    let mut first = TestClient::connected(options(broker.address(), "s1", &shared)).await?;
    let mut second = TestClient::connected(options(broker.address(), "s2", &shared)).await?;
    for number in 0..10 {
        let topic = format!("work/{number}");
        publisher
            .send(&topic, format!("{number}"), Qos::AtLeastOnce)
            .await?;
    }
    let mut came = Vec::new();
    while came.len() < 10 {
        let payload = tokio::select! {
            message = first.take() => message?.payload,
            message = second.take() => message?.payload,
        };
        came.push(String::from_utf8(payload.to_vec())?);
    }
    came.sort();
    assert_eq!(came, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    Ok(())
}

/// A changed topic in a configuration must not leave the old one's messages coming forever.
#[tokio::test]
async fn messages_of_an_earlier_subscription_are_discarded() -> anyhow::Result<()> {
    let broker = Mosquitto::start().await?;
    for version in VERSIONS {
        let id = format!("s{version:?}");
        let mut settings = options(broker.address(), &id, &[("old/#", Qos::AtLeastOnce)]);
        settings.version = version;
        TestClient::connected(settings.clone())
            .await?
            .session
            .disconnect()
            .await;
        let mut publisher = TestClient::connected(options(broker.address(), "p", &[])).await?;
        settings.subscriptions = vec![("new".to_owned(), Qos::AtLeastOnce)];
        for _ in 0..2 {
            publisher.send("old/x", "old", Qos::AtLeastOnce).await?;
            let mut subscriber = TestClient::connected(settings.clone()).await?;
            publisher.send("new", "new", Qos::AtLeastOnce).await?;
            publisher.send("old/y", "old", Qos::AtLeastOnce).await?;
            publisher.send("new", "last", Qos::AtLeastOnce).await?;
            assert_eq!(subscriber.take().await?.payload, "new");
            assert_eq!(subscriber.take().await?.payload, "last");
            subscriber.session.disconnect().await;
        }
    }
    Ok(())
}
