//! What a worker does with a model's samples.

use tests::running::Running;
use tests::site::{Models, Site, file_url, seed};

use crate::worker::pod::{config, termination};

const MEAN: &str = "
def handler(event, context):
    return {'device': context.device, 'mean': sum(event['values']) / len(event['values'])}
";

const SAMPLE: &str = r#"{"event": {"values": [1, 2]}, "result": {"mean": 1.5, "device": "d"},
                         "context": {"device": "d"}}"#;

/// Starts a worker as a pod does, on a broker that is not there, and gives the reason and message that it
/// leaves behind.
async fn refusal(index: &str, sample: &str, settings: &str) -> anyhow::Result<(String, String)> {
    let models = Models::new()?;
    let folder = models.folder("m", index, &[("samples/one.json", sample)])?;
    let packed = models.pack_folder(&folder)?;
    let address = file_url(&packed.path)?;
    let config = config("tcp://127.0.0.1:1", &address, &packed.md5.to_string())
        .replace("modelName:", &format!("{settings}modelName:"));
    let file = models.path().join("termination-log");
    let log = file.display().to_string();
    let arguments = ["--termination-log", &log];
    let worker = Running::with_arguments(&config, &models.installed(), &arguments).await?;
    let (status, log) = worker.ended().await?;
    assert_eq!(status.code(), Some(1), "{log:#?}");
    let left = termination(&file)?;
    let logged = log.iter().find(|line| line["message"] == "Model refused");
    assert_eq!(
        logged.map(|line| &line["reason"]),
        Some(&left.reason.as_str().into())
    );
    Ok((left.reason.to_string(), left.message))
}

/// A sample for models that do not get as far as a result.
const CALL: &str = r#"{"event": 1, "result": null}"#;

#[tokio::test]
async fn a_model_that_fails_a_sample_is_refused_and_the_reason_says_why() -> anyhow::Result<()> {
    let fails = |index, message| (index, CALL, "", "SampleFailed", message);
    let wrong = SAMPLE.replace("1.5", "2");
    let many = format!("[{}]", [CALL; 99].join(","));
    for (index, sample, settings, reason, message) in [
        (
            MEAN,
            wrong.as_str(),
            "",
            "SampleFailed",
            "samples/one.json: $.mean is 1.5, expected 2; correct the model or the sample",
        ),
        (
            MEAN,
            r#"[{"event": {"values": []}, "result": null}]"#,
            "",
            "SampleFailed",
            "samples/one.json[0]: the model raised ZeroDivisionError: division by zero",
        ),
        fails(
            "def handler(event, context): return b'no json'",
            "samples/one.json: the result is not JSON but \"no json\"",
        ),
        fails(
            "def handler(event, context): return object()",
            "samples/one.json: the result cannot be written as JSON: ",
        ),
        fails(
            "import os\ndef handler(event, context): os._exit(3)",
            "samples/one.json: the model's process ended during the call (exit status: 3)",
        ),
        (
            "import time\ndef handler(event, context): time.sleep(3600)",
            CALL,
            "timeout: 500ms, ",
            "SampleTimeout",
            "samples/one.json: the call took longer than timeout, 0.5 s",
        ),
        (
            "import time\ndef handler(event, context): time.sleep(1)",
            &many,
            "startTimeout: 5, ",
            "SampleTimeout",
            "the samples of the file up to here took longer than startTimeout, 5 s",
        ),
        (
            "import time\ntime.sleep(3600)",
            CALL,
            "startTimeout: 1, ",
            "StartTimeout",
            "the import took longer than startTimeout, 1s",
        ),
        (
            MEAN,
            r#"{"event": 1, "result": 1"#,
            "",
            "SampleInvalid",
            "samples/one.json is not a sample: EOF while parsing an object at line 1 column 24",
        ),
    ] {
        let left = refusal(index, sample, settings).await?;
        assert_eq!(left.0, reason, "{left:?}");
        assert!(left.1.contains(message), "{left:?}");
    }
    Ok(())
}

/// An update with such a model must not stop the one before: it keeps its sessions and serves.
#[tokio::test]
async fn the_old_worker_serves_on_while_a_new_model_fails_its_samples() -> anyhow::Result<()> {
    let mut site = Site::start("def handler(event, context): return 'old'\n").await?;
    let new = "def handler(event, context): return 'new'\n";
    let sample = [("samples/one.json", r#"{"event": 1, "result": "newer"}"#)];
    let folder = site.models.folder("new", new, &sample)?;
    let packed = site.models.pack_folder(&folder)?;
    let config = seed(&site.broker.url(), &file_url(&packed.path)?, &packed)?;
    let newer = Running::start(&config, &site.models.installed()).await?;
    newer
        .until(|status| status["models"][0]["state"]["reason"] == "SampleFailed")
        .await?;
    site.measure(1).await?;
    assert_eq!(site.result().await?, "old");
    let status = site.worker.status().await?;
    assert_eq!(status["ready"], true, "{status:#}");
    let metrics = site.worker.get("/metrics").await?.1;
    let sub = "edgemodel_mqtt_disconnects_total{model=\"industry\",role=\"sub\",rule=\"0\"} 0";
    assert!(metrics.contains(sub), "{metrics}");
    newer.stop().await?;
    site.worker.stop().await?;
    Ok(())
}

/// Without a termination log a worker stays up and tells it in `/status`; and a model that remembers what it
/// saw must not have seen the samples when it serves.
#[tokio::test]
async fn what_a_model_remembers_of_samples_is_in_no_result() -> anyhow::Result<()> {
    let counter = "
count = 0
def handler(event, context):
    global count
    count += 1
    return count
";
    let sample = r#"[{"event": 0, "result": 1}, {"event": 0, "result": 2}]"#;
    let mut site = Site::start(counter).await?;
    site.worker.stop().await?;
    for (name, sample, served) in [
        ("good", sample.to_owned(), true),
        ("bad", sample.replace('2', "3"), false),
    ] {
        // What it remembers of one file is in no other either.
        let other = r#"{"event": 0, "result": 1}"#;
        let files = [
            ("samples/count.json", sample.as_str()),
            ("samples/other.json", other),
        ];
        let folder = site.models.folder(name, counter, &files)?;
        let packed = site.models.pack_folder(&folder)?;
        let config = seed(&site.broker.url(), &file_url(&packed.path)?, &packed)?;
        let worker = Running::start(&config, &site.models.installed()).await?;
        if served {
            worker.ready().await?;
            let message = tests::site::message(1);
            let qos = crds::validated::Qos::AtLeastOnce;
            site.device.send(tests::site::IN, message, qos).await?;
            let result = site.reader.take().await?;
            assert_eq!(result.payload, "1");
        } else {
            let refused = |status: &serde_json::Value| {
                status["models"][0]["state"]["reason"] == "SampleFailed"
            };
            let status = worker.until(refused).await?;
            let message = &status["models"][0]["state"]["message"];
            let expected =
                "samples/count.json[1]: $ is 2, expected 3; correct the model or the sample";
            assert_eq!(*message, expected);
            assert_eq!(worker.get("/readyz").await?.0, 503);
        }
        worker.stop().await?;
    }
    Ok(())
}
