//! Messages that are not what a model waits for.

use crds::validated::Qos;
use tests::site::{IN, MESSAGE, Site};

#[tokio::test]
async fn wk_09_payloads_of_every_bad_kind_are_dead_letters_and_the_next_is_served()
-> anyhow::Result<()> {
    let model = "def handler(event, context):\n    return str(event['telemetry'].get('odd'))\n";
    let mut site = Site::with(model, |config| {
        config.replace("- pub:\n", "- pub:\n    deadLetterTopic: dead\n")
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
        let letter = site.result().await?;
        assert_eq!(letter["reason"], "invalid_json", "{letter:#}");
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
