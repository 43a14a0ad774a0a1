//! SIGHUP reads the configuration again, SIGUSR1 changes the log level, and neither ends a worker.

use std::path::PathBuf;
use std::time::Duration;

use crds::validated::Qos;
use packages::Packed;
use rustix::process::Signal;
use serde_json::Value;
use tests::client::{TestClient, options};
use tests::eventually;
use tests::mosquitto::Mosquitto;
use tests::running::Running;
use tests::site::{Models, file_url};
use tokio::sync::watch;

const TAKEN: &str = "Configuration read, models change";
const UNCHANGED: &str = "Configuration read, nothing changed";
const NOT_TAKEN: &str = "Configuration not taken, nothing changed";

/// A worker with two models on a file, of which only the second changes.
struct Bench {
    broker: Mosquitto,
    models: Models,
    worker: Running,
    file: PathBuf,
    stays: Packed,
}

impl Bench {
    async fn start() -> anyhow::Result<Self> {
        let broker = Mosquitto::start().await?;
        let models = Models::new()?;
        let stays = version(&models, "stays", 0)?;
        let file = models.path().join("config.yaml");
        let first = version(&models, "changes", 0)?;
        std::fs::write(&file, configuration(&broker, &stays, &first)?)?;
        let worker = Running::from_file(&file, &models.installed()).await?;
        worker.ready().await?;
        Ok(Self {
            broker,
            models,
            worker,
            file,
            stays,
        })
    }

    fn configuration(&self, second: &Packed) -> anyhow::Result<String> {
        configuration(&self.broker, &self.stays, second)
    }

    /// Writes the file, sends SIGHUP and waits for what the worker says of it; gives that line of the log.
    async fn reload(&self, text: &[u8], message: &str) -> anyhow::Result<Value> {
        let before = self.lines(message).len();
        std::fs::write(&self.file, text)?;
        self.worker.signal(Signal::HUP)?;
        eventually(async || Ok(self.lines(message).get(before).cloned())).await
    }

    /// The lines of the log with this message.
    fn lines(&self, message: &str) -> Vec<Value> {
        let log = self.worker.log().into_iter();
        log.filter(|line| line["message"] == message).collect()
    }

    /// Waits until the second model serves that version.
    async fn until_serves(&self, packed: &Packed) -> anyhow::Result<Value> {
        let md5 = packed.md5.to_string();
        let serves = |model: &Value| model["md5"] == *md5 && model["state"]["state"] == "serving";
        let status = self
            .worker
            .until(|status| status["ready"] == true && serves(&status["models"][1]));
        status.await
    }

    /// The process of each model.
    async fn processes(&self) -> anyhow::Result<Vec<Value>> {
        let status = self.worker.status().await?;
        let models = status["models"].as_array().cloned().unwrap_or_default();
        Ok(models
            .iter()
            .map(|model| model["hosts"][0]["pid"].clone())
            .collect())
    }
}

fn version(models: &Models, name: &str, number: u32) -> anyhow::Result<Packed> {
    let index = format!(
        "def handler(event, context):\n    return {{'model': '{name}', 'version': {number}, 'n': event['n']}}\n"
    );
    models.pack(&format!("{name}{number}"), &index)
}

fn configuration(broker: &Mosquitto, first: &Packed, second: &Packed) -> anyhow::Result<String> {
    let func = |name: &str, packed: &Packed| {
        let address = file_url(&packed.path)?;
        let md5 = packed.md5;
        anyhow::Ok(format!(
            "- modelName: {name}\n  modelAddress: {address}\n  modelMd5: {md5}\n  devices:\n  - deviceName: d\n    \
             deviceAttr: [{{attrName: k, attrValue: d, attrExpression: \"== data_to_dict['d']\"}}]\n"
        ))
    };
    Ok(format!(
        "mqtts:\n- {{name: m, broker: '{}'}}\nrules:\n- sub: {{name: m, topic: in, clientId: s}}\n  \
         pub: {{name: m, topic: out, clientId: p}}\nfuncs:\n{}{}",
        broker.url(),
        func("stays", first)?,
        func("changes", second)?
    ))
}

#[tokio::test]
async fn twenty_new_versions_under_load_lose_nothing_and_leave_the_other_model_alone()
-> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let before = bench.processes().await?;
    let address = bench.broker.address();
    let results = [("out", Qos::AtLeastOnce)];
    let mut reader = TestClient::connected(options(address, "r", &results)).await?;
    let mut device = TestClient::connected(options(address, "d", &[])).await?;
    let (enough, mut stop) = watch::channel(false);
    let load = tokio::spawn(async move {
        let mut pace = tokio::time::interval(Duration::from_millis(5));
        let mut sent = 0_u64;
        while !*stop.borrow_and_update() {
            pace.tick().await;
            let message = format!("{{\"d\": \"d\", \"n\": {sent}}}");
            device.send("in", message, Qos::AtLeastOnce).await?;
            sent += 1;
        }
        anyhow::Ok(sent)
    });
    let reading = tokio::spawn(async move {
        let mut came: [Vec<u64>; 2] = Default::default();
        loop {
            let message = reader.take().await?;
            let value: Value = serde_json::from_slice(&message.payload)?;
            let number = value["n"].as_u64().unwrap_or(u64::MAX);
            if number == u64::MAX {
                return anyhow::Ok(came);
            }
            came[usize::from(value["model"] == "changes")].push(number);
        }
    });
    for number in 1..=20 {
        let packed = version(&bench.models, "changes", number)?;
        let text = bench.configuration(&packed)?;
        bench.reload(text.as_bytes(), TAKEN).await?;
        bench.until_serves(&packed).await?;
    }
    enough.send(true)?;
    let sent = load.await??;
    let settled = |model: &Value| model["ledger"]["published"].as_u64() >= Some(sent);
    let done = |status: &Value| settled(&status["models"][0]) && settled(&status["models"][1]);
    bench.worker.until(done).await?;
    let mut end = TestClient::connected(options(address, "e", &[])).await?;
    end.send("out", "{}", Qos::AtLeastOnce).await?;
    let [stays, mut changes] = reading.await??;
    let all: Vec<_> = (0..sent).collect();
    assert_eq!(stays, all, "each once and in order");
    changes.sort_unstable();
    changes.dedup();
    assert_eq!(changes, all);
    let after = bench.processes().await?;
    assert_eq!(before[0], after[0], "the process of the model that stays");
    let status = bench.worker.status().await?;
    assert_eq!(status["models"][0]["hosts"][0]["restarts"], 0, "{status:#}");
    assert_eq!(
        status["models"][0]["sessions"].as_array().map(Vec::len),
        Some(2)
    );
    assert_eq!(
        status["models"][1]["sessions"].as_array().map(Vec::len),
        Some(2)
    );
    Ok(())
}

/// What is wrong, and what would take a restart, is said and changes nothing.
#[tokio::test]
async fn twenty_files_that_cannot_be_taken_change_nothing() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let right = std::fs::read_to_string(&bench.file)?;
    let other = version(&bench.models, "changes", 1)?;
    let next = bench.configuration(&other)?;
    let before = bench.processes().await?;
    let with = |from: &str, to: &str| {
        assert!(next.contains(from), "{from}");
        next.replacen(from, to, 1).into_bytes()
    };
    let wrong: [(Vec<u8>, &str); 20] = [
        (Vec::new(), "is empty"),
        (b"mqtts: [".to_vec(), "config.yaml:1"),
        (b"\xff\xfe\x00".to_vec(), "failed to read"),
        (b"{}".to_vec(), "mqtts"),
        (b"- a list".to_vec(), "is not a map"),
        (with("mqtts:", "mqtt:"), "mqtts"),
        (
            with("name: m, broker", "name: other, broker"),
            "rules[0].sub.name",
        ),
        (with("tcp://", "http://"), "mqtts[0].broker"),
        (with("topic: in", "topic: 'in/#/x'"), "rules[0].sub.topic"),
        (with("topic: out", "topic: 'out/#'"), "rules[0].pub.topic"),
        (
            with("== data_to_dict", "like data_to_dict"),
            "attrExpression",
        ),
        (with("modelName: changes", "modelName: stays"), "modelName"),
        (
            with("modelName: changes", "modelName: changes\n  timeout: 1h5x"),
            "timeout",
        ),
        (
            with("modelName: changes", "modelName: changes\n  hosts: 0"),
            "hosts",
        ),
        (
            with("modelName: changes", "modelName: changes\n  unknown: 0"),
            "unknown",
        ),
        (
            with("modelName: changes", "modelName: renamed"),
            "funcs (models added, removed",
        ),
        (with("topic: in", "topic: other"), "rules[0]"),
        (with("clientId: p", "clientId: q"), "rules[0]"),
        (
            with("name: m, broker", "name: m, qos: 2, broker"),
            "mqtts[0]",
        ),
        (
            with(
                "funcs:",
                "expose: [{name: p, protocolPort: 'tcp://:2901', outPort: 32901}]\nfuncs:",
            ),
            "expose",
        ),
    ];
    for (text, words) in wrong {
        let line = bench.reload(&text, NOT_TAKEN).await?;
        let error = line["error"].as_str().unwrap_or_default();
        assert!(error.contains(words), "{words}: {line:#}");
    }
    std::fs::remove_file(&bench.file)?;
    bench.worker.signal(Signal::HUP)?;
    eventually(async || Ok(bench.lines(NOT_TAKEN).get(20).cloned())).await?;
    bench.reload(right.as_bytes(), UNCHANGED).await?;
    assert_eq!(bench.processes().await?, before);
    // And the next one is taken.
    bench.reload(next.as_bytes(), TAKEN).await?;
    bench.until_serves(&other).await?;
    Ok(())
}

#[tokio::test]
async fn a_next_version_that_cannot_serve_leaves_the_earlier_one_in_place() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let right = std::fs::read_to_string(&bench.file)?;
    let before = bench.processes().await?;
    let raises = bench.models.pack("raises", "raise ValueError('no')")?;
    let sample = r#"{"event": {"n": 1}, "result": 2}"#;
    let index = "def handler(event, context):\n    return event['n']\n";
    let folder = bench
        .models
        .folder("fails", index, &[("samples/one.json", sample)])?;
    let fails = bench.models.pack_folder(&folder)?;
    let refused = "Next version of the model refused, the earlier one serves on";
    for (packed, reason) in [(&raises, "ImportFailed"), (&fails, "SampleFailed")] {
        let count = bench.lines(refused).len();
        bench
            .reload(bench.configuration(packed)?.as_bytes(), TAKEN)
            .await?;
        let line = eventually(async || Ok(bench.lines(refused).get(count).cloned())).await?;
        assert_eq!(line["reason"], reason, "{line:#}");
        let status = bench.worker.status().await?;
        assert_eq!(status["ready"], true, "{status:#}");
        let errors = status["models"][1]["lastErrors"].to_string();
        assert!(errors.contains(reason), "{errors}");
        assert_eq!(bench.processes().await?, before);
    }
    // Back to what serves, there is nothing to do; a version that serves takes its place.
    bench.reload(right.as_bytes(), TAKEN).await?;
    let good = version(&bench.models, "changes", 1)?;
    bench
        .reload(bench.configuration(&good)?.as_bytes(), TAKEN)
        .await?;
    bench.until_serves(&good).await?;
    let after = bench.processes().await?;
    assert_eq!(before[0], after[0]);
    assert_ne!(before[1], after[1]);
    Ok(())
}

/// A model that was refused at the start need not wait for a restart.
#[tokio::test]
async fn a_refused_model_serves_once_the_file_is_right() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let right = std::fs::read_to_string(&bench.file)?;
    let md5 = right
        .rsplit("modelMd5: ")
        .next()
        .and_then(|rest| rest.lines().next());
    let wrong = right.replace(md5.unwrap_or_default(), "none");
    let Bench {
        broker: _broker,
        models,
        worker,
        file,
        ..
    } = bench;
    worker.stop().await?;
    std::fs::write(&file, &wrong)?;
    let worker = Running::from_file(&file, &models.installed()).await?;
    worker
        .until(|status| status["models"][1]["state"]["reason"] == "InvalidDigest")
        .await?;
    std::fs::write(&file, &right)?;
    worker.signal(Signal::HUP)?;
    worker
        .until(|status| status["models"][1]["state"]["state"] == "serving")
        .await?;
    Ok(())
}

#[tokio::test]
async fn sigusr1_logs_at_debug_and_back() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let levels = || {
        let log = bench.worker.log().into_iter();
        log.filter(|line| line["level"] == "DEBUG").count()
    };
    assert_eq!(levels(), 0);
    let mut number = 0;
    let mut next = async || {
        number += 1;
        let packed = version(&bench.models, "changes", number)?;
        bench
            .reload(bench.configuration(&packed)?.as_bytes(), TAKEN)
            .await?;
        bench.until_serves(&packed).await?;
        anyhow::Ok(())
    };
    let changed = "Log level changed";
    bench.worker.signal(Signal::USR1)?;
    eventually(async || Ok(bench.lines(changed).first().cloned())).await?;
    next().await?;
    let debug = levels();
    assert!(debug > 0, "nothing is logged at level debug");
    bench.worker.signal(Signal::USR1)?;
    eventually(async || Ok(bench.lines(changed).get(1).cloned())).await?;
    let quiet = levels();
    next().await?;
    assert_eq!(levels(), quiet);
    Ok(())
}

/// Stdin cannot be read again.
#[tokio::test]
async fn a_worker_on_stdin_says_that_it_takes_a_restart() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let Bench {
        broker: _broker,
        models,
        worker,
        file,
        ..
    } = bench;
    worker.stop().await?;
    let config = std::fs::read_to_string(&file)?;
    let worker = Running::start(&config, &models.installed()).await?;
    worker.signal(Signal::HUP)?;
    let told = async || {
        let log = worker.log().into_iter();
        let mut log = log.filter(|line| line["message"] == NOT_TAKEN);
        Ok(log.next())
    };
    let line = eventually(told).await?;
    assert!(
        line["error"]
            .as_str()
            .is_some_and(|error| error.contains("stdin")),
        "{line}"
    );
    worker.ready().await?;
    Ok(())
}
