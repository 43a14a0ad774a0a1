//! Which messages a worker takes, whose they are, and where their results go.

use crds::validated::Qos;
use tests::site::{IN, MESSAGE, OUT, Site};

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
