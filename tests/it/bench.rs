//! `edgemodel bench` beside a running worker, as a process.

use std::process::{Output, Stdio};

use anyhow::Context as _;
use serde_json::Value;
use tests::site::Site;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

const NUMBERED: &str = "
def handler(event, context):
    return {'device': context.device, 'at': event['telemetry']['ts']}
";

/// Runs it on a site's configuration.
async fn bench(site: &Site, arguments: &[&str]) -> anyhow::Result<Output> {
    let mut child = Command::new(tests::edgemodel()?)
        .args(["bench", "--config", "-"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut stdin = child.stdin.take().context("stdin is piped")?;
    stdin.write_all(site.config.as_bytes()).await?;
    drop(stdin);
    Ok(child.wait_with_output().await?)
}

/// Runs it with `--json`, which must succeed.
async fn report(site: &Site, arguments: &[&str]) -> anyhow::Result<Value> {
    let output = bench(site, &[arguments, &["--json"]].concat()).await?;
    let errors = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{errors}");
    Ok(serde_json::from_slice(&output.stdout)?)
}

#[tokio::test]
async fn every_result_is_found_and_timed() -> anyhow::Result<()> {
    let site = Site::start(NUMBERED).await?;
    let report = report(&site, &["--messages", "2000"]).await?;
    for (name, expected) in [
        ("sent", 2000),
        ("results", 2000),
        ("missing", 0),
        ("duplicates", 0),
        ("outOfOrder", 0),
        ("others", 0),
        ("refused", 0),
    ] {
        assert_eq!(report[name], expected, "{name} of {report:#}");
    }
    assert_eq!(report["matchedBy"], "number");
    let times: Vec<_> = ["p50Ms", "p99Ms", "p999Ms"]
        .iter()
        .map(|name| report[name].as_f64().unwrap_or(0.0))
        .collect();
    assert!(times[0] > 0.0 && times.is_sorted(), "{report:#}");
    site.worker.stop().await?;
    Ok(())
}

#[tokio::test]
async fn a_rate_sends_so_many_and_text_is_for_people() -> anyhow::Result<()> {
    let site = Site::start(NUMBERED).await?;
    let output = bench(&site, &["--rate", "200", "--seconds", "1"]).await?;
    let text = String::from_utf8(output.stdout)?;
    assert!(text.starts_with("sent 200, results 200 in "), "{text}");
    assert!(text.contains("time to the result: p50 "), "{text}");
    assert!(
        text.contains("without a result 0, dead letters 0"),
        "{text}"
    );
    site.worker.stop().await?;
    Ok(())
}

/// A model may return anything.
#[tokio::test]
async fn results_without_the_message_s_time_are_taken_in_order() -> anyhow::Result<()> {
    let site = Site::start("def handler(event, context):\n    return 1\n").await?;
    let report = report(&site, &["--messages", "100"]).await?;
    assert_eq!(report["matchedBy"], "order");
    assert_eq!(report["results"], 100);
    assert_eq!(report["missing"], 0);
    site.worker.stop().await?;
    Ok(())
}

#[tokio::test]
async fn what_fails_and_what_returns_nothing_is_told_apart() -> anyhow::Result<()> {
    let model = "
def handler(event, context):
    at = event['telemetry']['ts']
    number = at // 1000 % 10
    if number == 0:
        raise ValueError('no')
    return None if number == 1 else at
";
    let site = Site::with(model, |config| {
        config.replace("- pub:\n", "- pub:\n    deadLetterTopic: dead\n")
    })
    .await?;
    let report = report(&site, &["--messages", "100", "--patience", "1"]).await?;
    assert_eq!(report["results"], 80, "{report:#}");
    assert_eq!(report["deadLettered"], 10);
    assert_eq!(report["missing"], 10);
    assert_eq!(report["duplicates"], 0);
    site.worker.stop().await?;
    Ok(())
}

#[tokio::test]
async fn without_a_worker_it_says_so() -> anyhow::Result<()> {
    let mut site = Site::start(NUMBERED).await?;
    site.worker.kill().await?;
    let output = bench(&site, &["--messages", "10", "--patience", "1"]).await?;
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr)?;
    assert!(
        text.contains("no result came; is a worker running"),
        "{text}"
    );
    site.broker.kill().await?;
    let output = bench(&site, &["--messages", "10"]).await?;
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr)?;
    assert!(
        text.starts_with("error: unable to reach 127.0.0.1:"),
        "{text}"
    );
    Ok(())
}
