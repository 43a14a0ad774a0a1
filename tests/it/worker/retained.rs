//! Retained messages: when a broker sends them, how they are marked, and what a rule that ignores them loses.

use crds::validated::{MqttVersion, Qos};
use mqtt::{Client as _, Event, Incoming, Options, Publication};
use tests::client::{TestClient, options};
use tests::mosquitto::Mosquitto;
use tests::running::Running;
use tests::site::{IN, MESSAGE, Site};

/// Publishes a message that the broker keeps.
async fn retain(client: &mut TestClient, topic: &str, payload: &str) -> anyhow::Result<()> {
    let publication = Publication {
        topic: topic.into(),
        payload: payload.to_owned().into(),
        qos: Qos::AtLeastOnce,
        retain: true,
        hops: 0,
    };
    let token = u64::from(u32::MAX);
    client.session.publish(publication, token);
    client.done(token).await
}

/// What comes after a subscription until a live message `end`: payloads, those marked as retained with a `*`.
async fn until_end(worker: &mut TestClient) -> anyhow::Result<Vec<String>> {
    let mut seen = Vec::new();
    loop {
        let text = told(&worker.take().await?);
        if text == "end" {
            seen.sort();
            return Ok(seen);
        }
        seen.push(text);
    }
}

/// Filters, what comes in MQTT 5, and what comes in 3.1.1.
type Row<'a> = (&'a [&'a str], &'a [&'a str], &'a [&'a str]);

fn told(message: &Incoming) -> String {
    let mark = if message.retained { "*" } else { "" };
    format!("{}{mark}", String::from_utf8_lossy(&message.payload))
}

fn subscribed(broker: &Mosquitto, id: &str, version: MqttVersion, filters: &[&str]) -> Options {
    let filters: Vec<_> = filters
        .iter()
        .map(|filter| (*filter, Qos::AtLeastOnce))
        .collect();
    let mut settings = options(broker.address(), id, &filters);
    settings.version = version;
    settings
}

/// MQTT 5 asks with Retain Handling 1, and 2 where none is wanted; 3.1.1 cannot.
#[tokio::test]
async fn c6_retained_messages_come_with_a_new_subscription_only() -> anyhow::Result<()> {
    let broker = Mosquitto::start().await?;
    let mut device = TestClient::connected(options(broker.address(), "device", &[])).await?;
    retain(&mut device, "in", "old").await?;
    for (version, ignore, expected) in [
        (MqttVersion::V5, false, [true, false]),
        (MqttVersion::V5, true, [false, false]),
        (MqttVersion::V3_1_1, false, [true, true]),
    ] {
        let mut settings = options(broker.address(), "worker", &[("in", Qos::AtLeastOnce)]);
        settings.client_id = format!("worker-{version:?}-{ignore}");
        settings.version = version;
        settings.ignore_retained = ignore;
        for (connection, comes) in expected.into_iter().enumerate() {
            let mut worker = TestClient::connected(settings.clone()).await?;
            device.send("in", "new", Qos::AtLeastOnce).await?;
            let first = worker.take().await?;
            let what = format!("{version:?}, ignored: {ignore}, connection {connection}");
            assert_eq!(first.retained, comes, "{what}");
            if comes {
                assert_eq!(&first.payload[..], b"old", "{what}");
                assert!(!worker.take().await?.retained, "{what}");
            }
            worker.session.disconnect().await;
        }
    }
    Ok(())
}

#[tokio::test]
async fn c6_a_rule_can_ignore_retained_messages() -> anyhow::Result<()> {
    let model = "def handler(event, context):\n    return event['telemetry']['n']\n";
    let message =
        |number: u32| MESSAGE.replace("\"ts\": 1585194439000", &format!("\"n\": {number}"));
    for ignore in [false, true] {
        let mut site = Site::with(model, |config| {
            config.replace(
                "  sub:\n",
                &format!("  sub:\n    ignoreRetained: {ignore}\n"),
            )
        })
        .await?;
        retain(&mut site.device, IN, &message(1)).await?;
        assert_eq!(
            site.result().await?,
            1,
            "it comes as any other while the worker runs"
        );
        site.worker.stop().await?;
        let worker = Running::start(&site.config, &site.models.installed()).await?;
        worker.ready().await?;
        site.device.send(IN, message(2), Qos::AtLeastOnce).await?;
        let next = site.reader.take().await?;
        let expected = if ignore { "2" } else { "1" };
        assert_eq!(&next.payload[..], expected.as_bytes(), "ignored: {ignore}");
        let (_, metrics) = worker.get("/metrics").await?;
        let count = format!(
            "edgemodel_discarded_messages_total{{model=\"industry\",reason=\"retained\"}} {}\n",
            u8::from(ignore)
        );
        assert!(metrics.contains(&count), "{metrics}");
        worker.stop().await?;
    }
    Ok(())
}

/// In MQTT 5, a session gets the retained messages of filters that are new in it, even if another client takes it over. That of
/// `a` is left out in a group: MQTT has none there, but mosquitto 2.0.11 sends it to each member that joins.
#[tokio::test]
async fn c6_what_is_retained_comes_by_what_is_new_in_a_session() -> anyhow::Result<()> {
    let broker = Mosquitto::start().await?;
    let mut device = TestClient::connected(options(broker.address(), "device", &[])).await?;
    for topic in ["a", "b", "c"] {
        retain(&mut device, topic, topic).await?;
    }
    // Each row continues the session of the one before.
    let rows: &[Row<'_>] = &[
        (&["$share/g/a", "end"], &[], &[]),
        (&["$share/g/a", "b", "end"], &["b*"], &["b*"]),
        (&["$share/g/a", "b", "end"], &[], &["b*"]),
        (&["b", "c", "end"], &["c*"], &["b*", "c*"]),
        (&["+"], &["a*", "b*", "c*"], &["a*", "b*", "c*"]),
        (&["+"], &[], &["a*", "b*", "c*"]),
    ];
    for version in [MqttVersion::V5, MqttVersion::V3_1_1] {
        let mut before: Option<TestClient> = None;
        for (row, (filters, in_5, in_3)) in rows.iter().enumerate() {
            let id = format!("worker-{version:?}");
            // The client before is still there: this one takes its session over.
            let settings = subscribed(&broker, &id, version, filters);
            let mut worker = TestClient::connected(settings).await?;
            drop(before.take());
            device.send("end", "end", Qos::AtLeastOnce).await?;
            let expected = if version == MqttVersion::V5 {
                in_5
            } else {
                in_3
            };
            let mut seen = until_end(&mut worker).await?;
            if filters.contains(&"$share/g/a") {
                seen.retain(|text| text != "a*");
            }
            assert_eq!(seen, *expected, "{version:?}, row {row}");
            before = Some(worker);
        }
    }
    Ok(())
}

/// It is as new as any, whatever its sender asked the broker to keep: a rule that ignores retained messages must not lose it.
#[tokio::test]
async fn c6_what_was_published_for_a_session_is_live() -> anyhow::Result<()> {
    for version in [MqttVersion::V5, MqttVersion::V3_1_1] {
        let broker = Mosquitto::start().await?;
        let mut device = TestClient::connected(options(broker.address(), "device", &[])).await?;
        let settings = subscribed(&broker, "worker", version, &["in", "end"]);
        let mut worker = TestClient::connected(settings.clone()).await?;
        retain(&mut device, "in", "while it is there").await?;
        assert_eq!(told(&worker.take().await?), "while it is there");
        worker.session.disconnect().await;
        retain(&mut device, "in", "while it is away").await?;
        // What the session holds comes before the answer to the subscription.
        let mut worker = TestClient::new(settings);
        device.send("end", "end", Qos::AtLeastOnce).await?;
        assert_eq!(
            until_end(&mut worker).await?,
            ["while it is away"],
            "{version:?}"
        );
        worker
            .until(|event| matches!(event, Event::Subscribed).then_some(()))
            .await?;
        device.send("end", "end", Qos::AtLeastOnce).await?;
        let kept: &[&str] = match version {
            MqttVersion::V5 => &[],
            MqttVersion::V3_1_1 => &["while it is away*"],
        };
        assert_eq!(until_end(&mut worker).await?, kept, "{version:?}");
    }
    Ok(())
}

/// A worker that died over it is told again that it is old.
#[tokio::test]
async fn c6_a_retained_message_is_still_marked_when_it_is_delivered_again() -> anyhow::Result<()> {
    for version in [MqttVersion::V5, MqttVersion::V3_1_1] {
        let broker = Mosquitto::start().await?;
        let mut device = TestClient::connected(options(broker.address(), "device", &[])).await?;
        retain(&mut device, "in", "old").await?;
        let settings = subscribed(&broker, "worker", version, &["in"]);
        let mut worker = TestClient::connected(settings.clone()).await?;
        assert_eq!(told(&worker.message().await?), "old*");
        drop(worker);
        let mut worker = TestClient::new(settings);
        let again = worker.take().await?;
        assert!(again.duplicate, "{version:?}: {again:?}");
        assert_eq!(told(&again), "old*", "{version:?}");
    }
    Ok(())
}

/// With 3.1.1, a message that came while the worker was away comes twice, once as retained; one of them is processed.
#[tokio::test]
async fn c6_a_rule_that_ignores_retained_messages_loses_none_that_came_for_it() -> anyhow::Result<()>
{
    let model =
        "def handler(event, context):\n    return [event['telemetry']['n'], context.retained]\n";
    let message =
        |number: u32| MESSAGE.replace("\"ts\": 1585194439000", &format!("\"n\": {number}"));
    let mut site = Site::with(model, |config| {
        config.replace("  sub:\n", "  sub:\n    ignoreRetained: true\n")
    })
    .await?;
    site.worker.stop().await?;
    retain(&mut site.device, IN, &message(1)).await?;
    let worker = Running::start(&site.config, &site.models.installed()).await?;
    worker.ready().await?;
    site.device.send(IN, message(2), Qos::AtLeastOnce).await?;
    for expected in ["[1,false]", "[2,false]"] {
        assert_eq!(&site.reader.take().await?.payload[..], expected.as_bytes());
    }
    let (_, metrics) = worker.get("/metrics").await?;
    let count = "edgemodel_discarded_messages_total{model=\"industry\",reason=\"retained\"} 1\n";
    assert!(metrics.contains(count), "{metrics}");
    worker.stop().await?;
    Ok(())
}
