//! `run --try` beside a production worker, and warnings of client ids that are in use.

use anyhow::Context as _;
use crds::validated::Qos;
use rustix::process::Signal;
use serde_json::Value;
use tests::client::TestClient;
use tests::running::Running;
use tests::site::{IN, Models, OUT, Site, message};
use tokio::io::{BufReader, Lines};
use tokio::process::ChildStdout;

const MODEL: &str = "
def handler(event, context):
    value = event['telemetry']['RC_cylinder1_1P_d_dispPeak']
    if value == 13:
        raise ValueError('thirteen')
    return {'value': value}
";

type Printed = Lines<BufReader<ChildStdout>>;

/// Starts a trial on the site's configuration and waits until it is subscribed.
async fn trial(site: &Site) -> anyhow::Result<(Running, Printed)> {
    let arguments = ["--try", "--drain-timeout", "3"];
    let models = site.models.installed();
    let (trial, printed) = Running::printing(&site.config, &models, &arguments).await?;
    logs(&trial, "Session ready").await?;
    Ok((trial, printed))
}

async fn line(printed: &mut Printed) -> anyhow::Result<String> {
    printed.next_line().await?.context("the trial ended")
}

/// Waits until a worker logs this message.
async fn logs(worker: &Running, message: &str) -> anyhow::Result<()> {
    tests::eventually(async || Ok(logged(&worker.log(), message).then_some(()))).await
}

/// The client id of the one session that a trial has, from the broker's log.
fn trial_id(site: &Site) -> anyhow::Result<String> {
    let log = std::fs::read_to_string(site.broker.directory().join("log"))?;
    let mut ids = log
        .split_whitespace()
        .filter(|word| word.starts_with("edgemodel-try-") && word.ends_with("-industry-0-sub"));
    let id = ids.next().context("no session of the trial")?;
    assert!(ids.all(|other| other == id), "{log}");
    Ok(id.to_owned())
}

fn logged(log: &[Value], part: &str) -> bool {
    log.iter()
        .any(|line| line["message"].as_str().unwrap_or_default().contains(part))
}

/// On a laptop with production's configuration, shared group included.
#[tokio::test]
async fn a_trial_takes_nothing_from_production_and_leaves_nothing_at_the_broker()
-> anyhow::Result<()> {
    for (version, group) in [("'3.1.1'", ""), ("'5'", ""), ("'5'", "$share/g/")] {
        let mut site = Site::with(MODEL, |config| {
            config
                .replace(
                    "retain: false",
                    &format!("retain: true\n  version: {version}"),
                )
                .replace("- pub:\n", "- pub:\n    deadLetterTopic: dead\n")
                .replace(
                    "topic: cloud/edge-data",
                    &format!("topic: {group}cloud/edge-data"),
                )
        })
        .await?;
        let (trial, mut printed) = self::trial(&site).await?;
        for value in 10..20 {
            site.measure(value).await?;
        }
        for value in 10..20 {
            let printed = line(&mut printed).await?;
            let result = site.result().await?;
            if value == 13 {
                assert_eq!(result["reason"], "exception", "{version} {group}");
                let letter = printed.strip_prefix("dead ").context(printed.clone())?;
                let letter: Value = serde_json::from_str(letter)?;
                assert_eq!(letter["message"], result["message"]);
            } else {
                assert_eq!(result["value"], value, "{version} {group}");
                assert_eq!(printed, format!("{OUT} {{\"value\":{value}}}"));
            }
        }
        let status = trial.status().await?;
        let sessions = status["models"][0]["sessions"]
            .as_array()
            .context("sessions")?;
        assert_eq!(sessions.len(), 1, "{sessions:#?}");
        assert_eq!(sessions[0]["topic"], IN);
        let id = trial_id(&site)?;
        trial.signal(Signal::TERM)?;
        assert!(trial.ended().await?.0.success());
        // What the trial published would come before this.
        site.measure(20).await?;
        assert_eq!(site.result().await?["value"], 20);
        let present = TestClient::has_session(site.broker.address(), &id).await?;
        assert!(!present, "the broker has a session of the trial");
        let (status, log) = site.worker.stop().await?;
        assert!(status.success());
        assert!(!logged(&log, "Session down"), "{log:#?}");
    }
    Ok(())
}

/// `edgemodel run --try | head -1`
#[tokio::test]
async fn a_trial_ends_when_its_output_is_closed() -> anyhow::Result<()> {
    let mut site = Site::start(MODEL).await?;
    let (trial, mut printed) = self::trial(&site).await?;
    site.measure(1).await?;
    assert_eq!(line(&mut printed).await?, format!("{OUT} {{\"value\":1}}"));
    drop(printed);
    site.measure(2).await?;
    logs(&trial, "Stdout is closed").await?;
    assert!(trial.ended().await?.0.success());
    Ok(())
}

/// `edgemodel run --try | less`: the pipe takes 64 KiB, and the reader no more.
#[tokio::test]
async fn a_reader_that_stops_reading_does_not_keep_a_trial_from_ending() -> anyhow::Result<()> {
    let long = "x".repeat(200_000);
    let model = "
def handler(event, context):
    return {'value': event['long']}
";
    let mut site = Site::start(model).await?;
    let (trial, _unread) = self::trial(&site).await?;
    let long = message(1).replacen('{', &format!("{{\"long\": \"{long}\","), 1);
    site.device.send(IN, long, Qos::AtLeastOnce).await?;
    site.result().await?;
    trial
        .until(|status| status["models"][0]["ledger"]["in_flight"] == 1)
        .await?;
    trial.signal(Signal::INT)?;
    logs(&trial, "Drain timeout expired").await?;
    trial.ended().await?;
    Ok(())
}

#[test]
fn a_trial_is_alone_with_its_options() -> anyhow::Result<()> {
    for option in [
        ["--replica", "a"],
        ["--ordinal", "1"],
        ["--termination-log", "f"],
    ] {
        let output =
            crate::cli::edgemodel(&["run", "--try", "--config", "-", option[0], option[1]], "")?;
        let text = String::from_utf8(output.stderr)?;
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains("cannot be used with"), "{text}");
    }
    Ok(())
}

const ELSEWHERE: &str = "of which this machine has no record";
const IN_USE: &str = "Another worker uses the same client id";

/// Another machine is another models directory.
#[tokio::test]
async fn a_start_on_client_ids_that_another_machine_uses_warns() -> anyhow::Result<()> {
    for version in ["'3.1.1'", "'5'"] {
        let site = Site::with(MODEL, |config| {
            config.replace("retain: false", &format!("version: {version}"))
        })
        .await?;
        assert!(!logged(&site.worker.log(), ELSEWHERE));
        let config = without_ports(&site.config)?;
        let other = Models::new()?;
        let copied = Running::start(&config, &other.installed()).await?;
        logs(&copied, ELSEWHERE).await?;
        // The worker of the site has just begun too. Of MQTT 3.1.1, it learns only that its connection ended.
        if version == "'5'" {
            logs(&site.worker, IN_USE).await?;
        }
        copied.stop().await?;
        // Its own session, from before a restart.
        let restarted = Running::start(&config, &other.installed()).await?;
        restarted.ready().await?;
        assert!(
            !logged(&restarted.log(), ELSEWHERE),
            "{:#?}",
            restarted.log()
        );
    }
    Ok(())
}

/// Two workers on one machine cannot serve the same port.
fn without_ports(config: &str) -> anyhow::Result<String> {
    let start = config.find("expose:").context("expose")?;
    let end = config[start..].find("# mapping").context("funcs")?;
    Ok(format!("{}{}", &config[..start], &config[start + end..]))
}
