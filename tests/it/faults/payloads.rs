//! Messages that are not what a model waits for.

use crds::validated::Qos;
use tests::site::{IN, MESSAGE, Site};

#[tokio::test]
async fn wk_09_payloads_of_every_bad_kind_are_counted_and_the_next_is_served() -> anyhow::Result<()>
{
    let model = "def handler(event, context):\n    return str(event['telemetry'].get('odd'))\n";
    let mut site = Site::with(model, |config| {
        config
            .replace("- pub:\n", "- pub:\n    deadLetterTopic: dead\n")
            .replace("- broker:", "- maxMessageBytes: 16777216\n  broker:")
    })
    .await?;
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let odd = |value: &str| MESSAGE.replace("\"ts\": 1585194439000", &format!("\"odd\": {value}"));
    let bad: [Vec<u8>; 6] = [
        b"\xff\xfe not UTF-8".to_vec(),
        b"not JSON".to_vec(),
        Vec::new(),
        deep.clone().into_bytes(),
        odd(&deep).into_bytes(),
        odd("1").as_bytes()[..100].to_vec(),
    ];
    for payload in bad {
        site.device.send(IN, payload, Qos::AtLeastOnce).await?;
    }
    let status = site
        .worker
        .until(|status| status["rules"][0]["undecodable"]["count"] == 6)
        .await?;
    let last = &status["rules"][0]["undecodable"]["last"];
    for (index, message) in [
        "expected value",
        "expected ident",
        "the message is empty",
        "more than 200 levels",
        "more than 200 levels",
        "EOF while parsing",
    ]
    .into_iter()
    .enumerate()
    {
        let example = &last[index];
        let text = |key: &str| example[key].as_str().unwrap_or_default().to_owned();
        assert_eq!(text("topic"), IN);
        assert!(text("message").contains(message), "{example:#}");
        assert_eq!(example.get("excerpt"), None, "without a token: {example:#}");
    }
    let large = "x".repeat(10 << 20);
    for (value, expected) in [
        ("NaN", "nan".to_owned()),
        ("1, \"odd\": 2", "2".to_owned()),
        (
            "123456789012345678901234567890",
            "123456789012345678901234567890".to_owned(),
        ),
        ("1e999", "inf".to_owned()),
        (&format!("\"{large}\""), large.clone()),
    ] {
        site.device.send(IN, odd(value), Qos::AtLeastOnce).await?;
        let result = site.result().await?;
        assert!(result == *expected, "of {}", &value[..value.len().min(50)]);
    }
    site.worker
        .until(|status| status["models"][0]["ledger"]["in_flight"] == 0)
        .await?;
    site.worker.stop().await?;
    Ok(())
}

#[tokio::test]
async fn wk_10_a_message_goes_to_every_model_that_it_is_for_once() -> anyhow::Result<()> {
    let model = "def handler(event, context):\n    return [context.model, context.device]\n";
    let mut site = Site::with(model, |config| {
        // A second model for the same device, which has two devices that match the same message.
        let start = config.find("- devices:").unwrap_or(0);
        let end = config[start + 1..].find("- devices:").map_or(start, |end| start + 1 + end);
        let second = config[start..end].replace("modelName: industry", "modelName: second");
        let twice = second.replace(
            "- devices:\n",
            "- devices:\n  - {deviceName: any, deviceAttr: [{attrName: a, attrValue: deviceInfo, attrExpression: in data_to_dict}]}\n",
        );
        format!("{}{twice}{}", &config[..end], &config[end..])
    })
    .await?;
    site.device.send(IN, MESSAGE, Qos::AtLeastOnce).await?;
    let mut came = vec![
        site.result().await?.to_string(),
        site.result().await?.to_string(),
    ];
    came.sort();
    assert_eq!(came, ["[\"industry\",\"设备2\"]", "[\"second\",\"any\"]"]);
    site.device
        .send(IN, MESSAGE.replace("设备2", "设备3"), Qos::AtLeastOnce)
        .await?;
    assert_eq!(site.result().await?.to_string(), "[\"second\",\"any\"]");
    site.device.send(IN, "{}", Qos::AtLeastOnce).await?;
    let status = site
        .worker
        .until(|status| {
            let ledger = |model: usize| &status["models"][model]["ledger"]["unmatched"];
            *ledger(0) == 2 && *ledger(1) == 1
        })
        .await?;
    assert_eq!(status["models"][0]["ledger"]["published"], 1);
    assert_eq!(status["models"][1]["ledger"]["published"], 2);
    site.worker.stop().await?;
    Ok(())
}

/// `online`, a retained-clear and Sparkplug on a topic that three models subscribe to: no failure of any of them.
#[tokio::test]
async fn c3_what_no_model_is_for_is_no_failure_of_any() -> anyhow::Result<()> {
    let model = "def handler(event, context):\n    return context.model\n";
    let mut site = Site::with(model, |config| {
        let start = config.find("- devices:").unwrap_or(0);
        let end = config[start + 1..]
            .find("- devices:")
            .map_or(start, |end| start + 1 + end);
        let more = ["second", "third"].map(|name| {
            config[start..end].replace("modelName: industry", &format!("modelName: {name}"))
        });
        format!("{}{}{}", &config[..end], more.concat(), &config[end..])
            .replace("- pub:\n", "- pub:\n    deadLetterTopic: dead\n")
    })
    .await?;
    for payload in [&b"online"[..], b"", b"\x08\xc4\x89\x89\x83\xd9\x2d\x12"] {
        site.device
            .send(IN, payload.to_vec(), Qos::AtLeastOnce)
            .await?;
    }
    site.device.send(IN, MESSAGE, Qos::AtLeastOnce).await?;
    let mut came = Vec::new();
    for _ in 0..3 {
        came.push(site.result().await?.to_string());
    }
    came.sort();
    assert_eq!(
        came,
        ["\"industry\"", "\"second\"", "\"third\""],
        "no dead letters"
    );
    let status = site
        .worker
        .until(|status| {
            status["rules"][0]["undecodable"]["count"] == 3
                && (0..3).all(|model| status["models"][model]["ledger"]["unmatched"] == 3)
        })
        .await?;
    for model in 0..3 {
        assert_eq!(status["models"][model]["ledger"]["failed"], 0);
        assert_eq!(
            status["models"][model]["lastErrors"]
                .as_array()
                .map(Vec::len),
            Some(0)
        );
    }
    let last = &status["rules"][0]["undecodable"]["last"];
    assert_eq!(last[0]["topic"], IN);
    let (_, metrics) = site.worker.get("/metrics").await?;
    assert!(
        metrics.contains("edgemodel_undecodable_messages_total{rule=\"0\"} 3\n"),
        "{metrics}"
    );
    assert!(!metrics.contains("edgemodel_failures_total"), "{metrics}");
    site.worker.stop().await?;
    Ok(())
}

/// A topic of a device whose payload is not JSON is that device's failure.
#[tokio::test]
async fn c4_a_device_is_known_by_its_topic_and_its_bad_message_is_its_own() -> anyhow::Result<()> {
    let model = "def handler(event, context):\n    return [context.device, context.topic]\n";
    let topic = IN.split_once('/').map_or(IN, |(_, level)| level);
    let mut site = Site::with(model, |config| {
        let start = config.find("    deviceAttr:").unwrap_or(0);
        let end = config[start..]
            .find("  modelAddress:")
            .map_or(start, |end| start + end);
        let attribute = format!(
            "    deviceAttr: [{{attrName: a, attrValue: {topic}, attrExpression: '== topic[1]'}}]\n"
        );
        format!("{}{attribute}{}", &config[..start], &config[end..]).replace(
            "- pub:\n",
            "- pub:\n    deadLetterTopic: dead/{device}/{topic[1]}\n",
        )
    })
    .await?;
    site.device.send(IN, "1", Qos::AtLeastOnce).await?;
    assert_eq!(site.result().await?, serde_json::json!(["设备2", IN]));
    site.device.send(IN, "online", Qos::AtLeastOnce).await?;
    let letter = site.reader.take().await?;
    assert_eq!(&*letter.topic, format!("dead/设备2/{topic}"));
    let letter: serde_json::Value = serde_json::from_slice(&letter.payload)?;
    assert_eq!(letter["reason"], "invalid_json", "{letter:#}");
    assert_eq!(letter["device"], "设备2");
    site.worker.stop().await?;
    Ok(())
}
