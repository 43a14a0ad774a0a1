//! Payloads and results that are not JSON, and what a model is told of a delivery, from a real broker to a real broker.

use crds::validated::Qos;
use tests::properties::{Saying, publish};
use tests::running::Running;
use tests::site::{IN, Site};

/// The seed's configuration with other attributes and formats for its first model.
fn with(config: &str, attribute: &str, settings: &str) -> String {
    let start = config.find("    deviceAttr:").unwrap_or(0);
    let end = config[start..]
        .find("  modelAddress:")
        .map_or(start, |end| start + end);
    let attributes = format!("    deviceAttr: [{{attrName: a, {attribute}}}]\n");
    format!(
        "{}{attributes}{settings}{}",
        &config[..start],
        &config[end..]
    )
    .replace("- pub:\n", "- pub:\n    deadLetterTopic: dead\n")
}

struct Case {
    decode: &'static str,
    encode: &'static str,
    /// What the device is known by.
    attribute: &'static str,
    payload: &'static [u8],
    /// What the model returns.
    result: &'static str,
    expected: &'static [u8],
}

#[tokio::test]
async fn c8_payloads_and_results_of_every_format_pass_a_worker() -> anyhow::Result<()> {
    for case in [
        Case {
            decode: "cbor",
            encode: "msgpack",
            attribute: "attrValue: d1, attrExpression: \"== data_to_dict['id']\"",
            payload: b"\xa2\x62id\x62d1\x61b\x42\xff\x00",
            result: "[event['b'], len(context.payload)]",
            expected: b"\x92\xc4\x02\xff\x00\x0c",
        },
        Case {
            decode: "msgpack",
            encode: "cbor",
            attribute: "attrType: number, attrValue: '5', attrExpression: \"== data_to_dict['id']\"",
            payload: b"\x82\xa2id\x05\xa1v\xcb\x3f\xf8\0\0\0\0\0\0",
            result: "{'v': event['v'], 'b': b'\\xff'}",
            expected: b"\xa2\x61v\xfb\x3f\xf8\0\0\0\0\0\0\x61b\x41\xff",
        },
        Case {
            decode: "csv",
            encode: "csv",
            attribute: "attrValue: p1, attrExpression: '== data_to_dict[0]'",
            payload: b"p1,23.5,\"a,b\"\r\n",
            result: "[event[0], float(event[1]) * 2, event[2]]",
            expected: b"p1,47.0,\"a,b\"",
        },
        Case {
            decode: "text",
            encode: "text",
            attribute: "attrValue: cloud, attrExpression: '== topic[0]'",
            payload: b"23.5",
            result: "float(event) + 1",
            expected: b"24.5",
        },
        Case {
            decode: "bytes",
            encode: "bytes",
            attribute: "attrValue: cloud, attrExpression: '== topic[0]'",
            payload: b"{\"\xff\0",
            result: "event[::-1]",
            expected: b"\0\xff\"{",
        },
        Case {
            decode: "json",
            encode: "text",
            attribute: "attrValue: cloud, attrExpression: '== topic[0]'",
            // A text that holds JSON stays a text: it is decoded once.
            payload: br#""{\"a\": 1}""#,
            result: "type(event).__name__ + event",
            expected: br#"str{"a": 1}"#,
        },
    ] {
        let (decode, encode) = (case.decode, case.encode);
        let model = format!("def handler(event, context):\n    return {}\n", case.result);
        let settings = format!("  decode: {decode}\n  encode: {encode}\n");
        let mut site =
            Site::with(&model, |config| with(&config, case.attribute, &settings)).await?;
        site.device.send(IN, case.payload, Qos::AtLeastOnce).await?;
        let found = site.reader.take().await?.payload;
        assert_eq!(
            found.escape_ascii().to_string(),
            case.expected.escape_ascii().to_string(),
            "{decode} to {encode}"
        );
        site.worker.stop().await?;
    }
    Ok(())
}

/// It is its device's where the topic names one, and no model's failure where nothing does.
#[tokio::test]
async fn c8_what_is_not_of_the_format_is_told_with_the_format() -> anyhow::Result<()> {
    let model = "def handler(event, context):\n    return event\n";
    for (decode, payload, fault) in [
        (
            "cbor",
            &b"\x82\x01"[..],
            "the message is not CBOR: it ends within a value",
        ),
        (
            "msgpack",
            b"\xc1",
            "the message is not MessagePack: it has a byte that MessagePack does not use",
        ),
        ("text", b"\xff", "the message is not text: it is not UTF-8"),
        ("csv", b"", "the message is not CSV: it is empty"),
    ] {
        let settings = format!("  decode: {decode}\n");
        let known = "attrValue: cloud, attrExpression: '== topic[0]'";
        let mut site = Site::with(model, |config| with(&config, known, &settings)).await?;
        site.device.send(IN, payload, Qos::AtLeastOnce).await?;
        let letter = site.result().await?;
        assert_eq!(letter["reason"], "undecodable", "{letter:#}");
        assert_eq!(letter["message"], fault, "{letter:#}");
        site.worker.stop().await?;
        let unknown = "attrValue: d, attrExpression: '== data_to_dict'";
        let mut site = Site::with(model, |config| with(&config, unknown, &settings)).await?;
        site.device.send(IN, payload, Qos::AtLeastOnce).await?;
        let status = site
            .worker
            .until(|status| status["rules"][0]["undecodable"]["count"] == 1)
            .await?;
        let last = &status["rules"][0]["undecodable"]["last"][0];
        assert_eq!(last["message"], fault, "{last:#}");
        assert_eq!(status["models"][0]["ledger"]["failed"], 0);
        site.worker.stop().await?;
    }
    Ok(())
}

const TELLS: &str = "\
def handler(event, context):
    said = context.properties
    return [event, context.qos, context.retained, context.duplicate, context.sample, said.user, said.get('unit'),
            said.content_type, said.response_topic, ascii(said.correlation_data), ascii(context.payload),
            len(context.version)]
";

/// The next result of a message that is delivered for the first time: a broker that stops before it has read the worker's
/// acknowledgement delivers the message again.
async fn first(site: &mut Site) -> anyhow::Result<serde_json::Value> {
    loop {
        let told = site.result().await?;
        if told[3] == false {
            return Ok(told);
        }
    }
}

/// A retained message that comes with a new subscription is marked; after a reconnect, MQTT 5 does not bring it again, and
/// MQTT 3.1.1 brings it marked.
#[tokio::test]
async fn c6_a_model_is_told_of_the_delivery_also_after_a_reconnect() -> anyhow::Result<()> {
    for version in ["3.1.1", "5"] {
        let five = version == "5";
        let mut site = Site::with(TELLS, |config| {
            let known = "attrValue: cloud, attrExpression: '== topic[0]'";
            with(&config, known, "").replacen(
                "  retain: false",
                &format!("  retain: false\n  version: '{version}'"),
                1,
            )
        })
        .await?;
        let message = |payload: &'static str| Saying {
            topic: IN,
            payload: payload.as_bytes(),
            retain: true,
            user: &[("unit", "°C"), ("unit", "K")],
            content_type: "application/json",
            response_topic: "answers/1",
            correlation_data: b"\xff\x01",
        };
        let told = |number: u32, retained: bool| {
            let mut told = serde_json::json!([
                number,
                1,
                retained,
                false,
                false,
                [],
                null,
                null,
                null,
                "None",
                format!("b'{number}'"),
                64
            ]);
            if five {
                told[5] = serde_json::json!([["unit", "°C"], ["unit", "K"]]);
                told[6] = "°C".into();
                told[7] = "application/json".into();
                told[8] = "answers/1".into();
                told[9] = "b'\\xff\\x01'".into();
            }
            told
        };
        publish(site.broker.address(), &message("1")).await?;
        assert_eq!(site.result().await?, told(1, false), "{version}: it is new");

        // The broker restarts, with what it keeps and the sessions. This sends the reader's acknowledgement before.
        site.reader.send("nobody", "", Qos::AtLeastOnce).await?;
        site.broker.stop().await?;
        site.broker.start_again().await?;
        if five {
            site.device.send(IN, "9", Qos::AtLeastOnce).await?;
            assert_eq!(first(&mut site).await?[0], 9, "{version}: not again");
        } else {
            assert_eq!(
                first(&mut site).await?,
                told(1, true),
                "{version}: again, and marked"
            );
        }
        publish(site.broker.address(), &message("2")).await?;
        assert_eq!(
            first(&mut site).await?,
            told(2, false),
            "{version}: the next"
        );

        // A new session's subscription brings what the broker keeps in both versions.
        site.worker.stop().await?;
        let other = site
            .config
            .replace("clientId: ae03af75", "clientId: be03af75");
        assert_ne!(other, site.config);
        let worker = Running::start(&other, &site.models.installed()).await?;
        let kept = site.reader.take().await?.payload;
        let kept: serde_json::Value = serde_json::from_slice(&kept)?;
        assert_eq!(kept, told(2, true), "{version}: of a new session");
        worker.stop().await?;
    }
    Ok(())
}
