//! Samples of messages that are not JSON.

use tests::running::Running;
use tests::site::{Models, file_url, seed};

use super::command::run;

const ECHO: &str = "
def shown(value):
    return {'bytes': value.hex()} if isinstance(value, bytes) else value
def handler(event, context):
    if isinstance(event, dict):
        event = {key: shown(value) for key, value in event.items()}
    return [shown(event), context.payload.hex()]
";

/// Payloads, and what the model must make of their events.
const CASES: &[(&str, &[u8], &str)] = &[
    ("text", "21,5 °C\n".as_bytes(), r#""21,5 °C\n""#),
    ("csv", b"a,1\nb,2\n", r#"[["a","1"],["b","2"]]"#),
    ("bytes", b"\xff\x00", r#"{"bytes":"ff00"}"#),
    ("bytes", b"text", r#"{"bytes":"74657874"}"#),
    (
        "cbor",
        b"\xa1\x61x\x42\xff\x00",
        r#"{"x":{"bytes":"ff00"}}"#,
    ),
    ("msgpack", b"\x81\xa1x\x01", r#"{"x":1}"#),
    ("json", b" {\"x\": 1} ", r#"{"x":1}"#),
];

#[test]
fn a_message_of_every_format_is_recorded_and_passes_in_both_hosts() -> anyhow::Result<()> {
    let models = Models::new()?;
    for (number, (decode, payload, event)) in CASES.iter().enumerate() {
        let folder = models.folder(&format!("m{number}"), ECHO, &[])?;
        let message = models.path().join("frame.bin");
        std::fs::write(&message, payload)?;
        let (folder, message) = (folder.display().to_string(), message.display().to_string());
        let (code, _, err) = run(
            &["test", &folder, "--record", &message, "--decode", decode],
            "",
        )?;
        assert_eq!(code, Some(0), "{decode}: {err}");
        let recorded = std::fs::read_to_string(format!("{folder}/samples/frame.json"))?;
        let hex: String = payload.iter().map(|byte| format!("{byte:02x}")).collect();
        let expected = format!("\"result\": [{event},\"{hex}\"]");
        assert!(recorded.contains(&expected), "{decode}: {recorded}");
        for host in ["native", "portable"] {
            let (code, out, err) = run(&["test", &folder, "--host", host], "")?;
            assert_eq!(code, Some(0), "{decode}, {host}: {out}{err}");
        }
        let zip = models.path().join("m.zip").display().to_string();
        let (code, out, err) = run(&["pack", &folder, "--output", &zip], "")?;
        assert_eq!(code, Some(0), "{err}");
        assert!(out.contains(", 1 samples passed"), "{out}");
    }
    Ok(())
}

#[test]
fn a_message_that_is_not_of_its_format_fails_with_the_format() -> anyhow::Result<()> {
    let models = Models::new()?;
    let sample = r#"{"decode": "cbor", "payload": {"base64": "oQ=="}, "result": null}"#;
    let folder = models.folder("m", ECHO, &[("samples/cut.json", sample)])?;
    let folder = folder.display().to_string();
    let (code, out, _) = run(&["test", &folder], "")?;
    assert_eq!(code, Some(1), "{out}");
    let expected = "samples/cut.json: the payload is not cbor: it ends within a value";
    assert!(out.contains(expected), "{out}");
    let (code, _, err) = run(&["test", &folder, "--record", "-", "--decode", "xml"], "")?;
    assert_eq!(code, Some(2));
    assert!(
        err.contains("use one of json, text, bytes, cbor, msgpack, csv"),
        "{err}"
    );
    Ok(())
}

/// A model that was tried with one format must not serve messages of another.
#[tokio::test]
async fn a_worker_takes_samples_of_the_format_that_is_configured() -> anyhow::Result<()> {
    let models = Models::new()?;
    let sample = r#"{"decode": "csv", "payload": "1,2", "result": [["1", "2"], "312c32"]}"#;
    let folder = models.folder("m", ECHO, &[("samples/line.json", sample)])?;
    let packed = models.pack_folder(&folder)?;
    let broker = tests::mosquitto::Mosquitto::start().await?;
    let config = seed(&broker.url(), &file_url(&packed.path)?, &packed)?;
    for (decode, serves) in [("csv", true), ("json", false)] {
        let config = config.replacen(
            "  modelName: industry\n",
            &format!("  modelName: industry\n  decode: {decode}\n"),
            1,
        );
        let worker = Running::start(&config, &models.installed()).await?;
        if serves {
            worker.ready().await?;
        } else {
            let status = worker
                .until(|status| status["models"][0]["state"]["reason"] == "SampleInvalid")
                .await?;
            assert_eq!(
                status["models"][0]["state"]["message"],
                "samples/line.json has samples with \"decode\": \"csv\", and the configuration has decode: json; correct \
                 the one that is wrong"
            );
        }
        worker.stop().await?;
    }
    Ok(())
}
