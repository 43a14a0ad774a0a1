//! Which messages a worker takes, whose they are, and where their results go.

use crds::validated::{MqttVersion, Qos};
use mqtt::{Client as _, Publication};
use tests::client::{TestClient, options};
use tests::mosquitto::Mosquitto;
use tests::running::Running;
use tests::site::{IN, MESSAGE, OUT, Site};

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

/// One entry, a thousand devices: each has its name, its topic and its order, over four processes.
#[tokio::test]
async fn c4_one_entry_serves_a_thousand_devices() -> anyhow::Result<()> {
    const DEVICES: usize = 1000;
    let model = "def handler(event, context):\n    return [context.device, event['n']]\n";
    let prefix = IN.split('/').next().unwrap_or(IN);
    let mut site = Site::with(model, |config| {
        let start = config.find("    deviceAttr:").unwrap_or(0);
        let end = config[start..]
            .find("  modelAddress:")
            .map_or(start, |end| start + end);
        let attribute =
            "    deviceAttr: [{attrName: n, attrValue: n, attrExpression: in data_to_dict}]\n";
        format!(
            "{}{attribute}  deviceKey: topic[1]\n  hosts: 4\n{}",
            &config[..start],
            &config[end..]
        )
        .replacen(
            &format!("topic: {IN}"),
            &format!("topics: ['{prefix}/+/n', 'other/#']"),
            1,
        )
        .replacen(
            &format!("topic: {OUT}"),
            "topic: 'dead/results/{device}'",
            1,
        )
    })
    .await?;
    let mut last = 0;
    for number in 0..3 {
        for device in 0..DEVICES {
            let topic = format!("{prefix}/press-{device}/n");
            let payload = format!("{{\"n\": {number}}}");
            last = site.device.push(&topic, payload, Qos::AtLeastOnce).await?;
        }
    }
    site.device.done(last).await?;
    let mut next = vec![0; DEVICES];
    for _ in 0..3 * DEVICES {
        let message = site.reader.take().await?;
        let (device, number): (String, u64) = serde_json::from_slice(&message.payload)?;
        assert_eq!(&*message.topic, format!("dead/results/{device}"));
        let index: usize = device.trim_start_matches("press-").parse()?;
        assert_eq!(number, next[index], "{device} keeps its order");
        next[index] += 1;
    }
    assert!(next.iter().all(|count| *count == 3));
    site.worker.stop().await?;
    Ok(())
}

/// Results that come back as telemetry are cut after eight models, and are no dead letters.
#[tokio::test]
async fn c7_a_loop_is_cut_by_its_hops_in_mqtt_5() -> anyhow::Result<()> {
    let model = "def handler(event, context):\n    return event\n";
    let mut site = Site::with(model, |config| {
        config
            .replacen("  retain: false", "  retain: false\n  version: '5'", 1)
            // What is inserted is known only when a message comes.
            .replacen(
                &format!("topic: {OUT}"),
                "topic: '{topic[0]}'\n    deadLetterTopic: dead",
                1,
            )
            .replacen(&format!("topic: {IN}"), "topic: round", 1)
    })
    .await?;
    site.device.send("round", MESSAGE, Qos::AtLeastOnce).await?;
    let status = site
        .worker
        .until(|status| status["models"][0]["ledger"]["failed"] == 1)
        .await?;
    let ledger = &status["models"][0]["ledger"];
    assert_eq!(ledger["published"], 8, "{ledger:#}");
    assert_eq!(ledger["dead_lettered"], 0);
    let error = &status["models"][0]["lastErrors"][0];
    assert_eq!(error["reason"], "loop", "{error:#}");
    let warned = site.worker.log();
    let warned = warned.iter().any(|line| {
        line.to_string()
            .contains("may come back by the subscription")
    });
    assert!(warned, "the start warns of it");
    site.worker.stop().await?;
    Ok(())
}
