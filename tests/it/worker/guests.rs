//! Guests that try to use up a worker: each meets a bound, and the others are served.

use std::time::Duration;

use anyhow::Context as _;
use crds::validated::Qos;
use rustix::process::{Pid, Resource, Rlimit};
use tests::eventually;
use tests::site::{IN, Site, message};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const ECHO: &str = "
def handler(event, context):
    value = event['telemetry']['RC_cylinder1_1P_d_dispPeak']
    return 'x' * 900_000 if value == 1_000_000 else value
";

fn with_dead_letters(config: &str) -> String {
    config.replace("- pub:\n", "- pub:\n    deadLetterTopic: dead\n")
}

/// The most memory that the worker has had, in MiB.
fn peak(site: &Site) -> anyhow::Result<u64> {
    let pid = site.worker.pid().context("the worker has ended")?;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let size = line.and_then(|line| line.split_whitespace().next());
    Ok(size.context("Linux tells it")?.parse::<u64>()? >> 10)
}

/// 16 MiB of nested lists took 804 MB.
#[tokio::test]
async fn row_5_a_large_message_is_a_dead_letter_and_costs_no_more_than_its_packet()
-> anyhow::Result<()> {
    let mut site = Site::with(ECHO, |config| with_dead_letters(&config)).await?;
    let nested = "[],".repeat(5 << 20);
    let payload = format!("[{}[]]", &nested[..15 << 20]);
    let size = payload.len();
    for _ in 0..3 {
        site.device
            .send(IN, payload.clone(), Qos::AtLeastOnce)
            .await?;
        let letter = site.result().await?;
        assert_eq!(letter["reason"], "too_large");
        let text = format!("the message has {size} bytes, and maxMessageBytes is 1048576");
        assert_eq!(letter["message"], text);
        assert_eq!(letter.get("payload"), None);
    }
    site.measure(7).await?;
    assert_eq!(site.result().await?, 7);
    let peak = peak(&site)?;
    assert!(peak < 96, "{peak} MiB");
    site.worker.stop().await?;
    Ok(())
}

/// Clients that never finished a request took all file descriptors: probes failed, and a lost host was not replaced.
#[tokio::test]
async fn row_7_half_open_requests_stop_neither_probes_nor_hosts() -> anyhow::Result<()> {
    let mut site = Site::start(ECHO).await?;
    let pid = i32::try_from(site.worker.pid().context("it runs")?)?;
    let few = Rlimit {
        current: Some(1024),
        maximum: Some(1024),
    };
    rustix::process::prlimit(Pid::from_raw(pid), Resource::Nofile, few)?;
    let mut half_open = Vec::new();
    for _ in 0..1100 {
        let mut stream = TcpStream::connect(site.worker.http()).await?;
        // It may be closed already for the next one.
        let _ = stream
            .write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
            .await;
        half_open.push(stream);
    }
    assert_eq!(site.worker.get("/healthz").await?.0, 200);
    site.kill_host().await?;
    site.measure(7).await?;
    assert_eq!(site.result().await?, 7);
    drop(half_open);
    site.worker.stop().await?;
    Ok(())
}

/// One reader that did not read took 1,468 MB.
#[tokio::test]
async fn row_8_a_reader_that_does_not_read_costs_little_memory() -> anyhow::Result<()> {
    let port = tests::mosquitto::free_port()?;
    let stream =
        format!("expose:\n- name: results\n  outPort: 38081\n  protocolPort: tcp://:{port}\n");
    let mut site = Site::with(ECHO, |config| config.replace("expose:\n", &stream)).await?;
    let mut idle = TcpStream::connect(("127.0.0.1", port)).await?;
    eventually(async || {
        let metrics = site.worker.get("/metrics").await?.1;
        Ok(metrics.contains("edgemodel_stream_clients 1").then_some(()))
    })
    .await?;
    let before = peak(&site)?;
    for _ in 0..100 {
        site.device
            .send(IN, message(1_000_000), Qos::AtLeastOnce)
            .await?;
        assert_eq!(site.reader.take().await?.payload.len(), 900_002);
    }
    let grown = peak(&site)? - before;
    assert!(grown < 48, "{grown} MiB for 90 MB of results");
    // It is still there, and finds the first results that it did not take.
    let mut start = [0; 3];
    idle.read_exact(&mut start).await?;
    assert_eq!(&start, b"\"xx");
    site.worker.stop().await?;
    Ok(())
}

#[tokio::test]
async fn row_20_only_the_token_shows_what_messages_may_have_brought() -> anyhow::Result<()> {
    let model = "def handler(event, context): raise ValueError('secret 42')\n";
    let mut site = Site::start(model).await?;
    site.measure(1).await?;
    let failed = |status: &serde_json::Value| status["models"][0]["ledger"]["failed"] == 1;
    let status = site.worker.until(failed).await?.to_string();
    assert!(status.contains("ValueError"), "{status}");
    assert!(
        !status.contains("secret") && !status.contains("clientId"),
        "{status}"
    );
    site.worker.stop().await?;

    let token = site.models.path().join("token");
    std::fs::write(&token, "0123456789abcdef\n")?;
    let arguments = ["--http-token-file", &token.to_string_lossy()];
    let worker =
        tests::running::Running::with_arguments(&site.config, &site.models.installed(), &arguments)
            .await?;
    worker.ready().await?;
    site.device.send(IN, message(1), Qos::AtLeastOnce).await?;
    let address = worker.http();
    let ask = async |token: &str| {
        let client = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .build()?;
        let request = client
            .get(format!("http://{address}/status"))
            .bearer_auth(token);
        let answer = request.timeout(Duration::from_secs(10)).send().await?;
        anyhow::Ok((answer.status().as_u16(), answer.text().await?))
    };
    assert_eq!(ask("0123456789abcdeX").await?.0, 401);
    assert_eq!(worker.get("/metrics").await?.0, 401);
    assert_eq!(worker.get("/healthz").await?.0, 200);
    eventually(async || {
        let (code, text) = ask("0123456789abcdef").await?;
        anyhow::ensure!(code == 200, "{code}");
        Ok((text.contains("secret 42") && text.contains("clientId")).then_some(()))
    })
    .await?;
    worker.stop().await?;
    Ok(())
}
