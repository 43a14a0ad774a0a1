//! What a worker serves over HTTP and TCP.

use std::process::Stdio;

use tests::running::get;
use tests::site::Site;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::Command;

const ECHO: &str =
    "def handler(event, context):\n    return event['telemetry']['RC_cylinder1_1P_d_dispPeak']\n";

/// Prometheus' own tool is the judge of what Prometheus scrapes.
#[tokio::test]
async fn promtool_finds_nothing_to_complain_of() -> anyhow::Result<()> {
    let mut site = Site::start(ECHO).await?;
    site.measure(1).await?;
    site.result().await?;
    let metrics = site.worker.get("/metrics").await?.1;
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdin = promtool
        .stdin
        .take()
        .ok_or_else(|| anyhow::anyhow!("stdin is piped"))?;
    stdin.write_all(metrics.as_bytes()).await?;
    drop(stdin);
    let output = promtool.wait_with_output().await?;
    let said = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.trim().is_empty(), "{said}");
    site.worker.stop().await?;
    Ok(())
}

#[tokio::test]
async fn every_exposed_http_port_serves_the_same() -> anyhow::Result<()> {
    let site = Site::start(ECHO).await?;
    let port = site
        .config
        .split("http://:")
        .nth(1)
        .and_then(|rest| rest.lines().next());
    let port: u16 = port.unwrap_or_default().trim().parse()?;
    let exposed = ([127, 0, 0, 1], port).into();
    for path in ["/queue_size_metrics", "/readyz", "/healthz"] {
        let (code, text) = get(exposed, path).await?;
        assert_eq!(
            (code, &text),
            (200, &site.worker.get(path).await?.1),
            "{path}"
        );
    }
    let (code, page) = get(exposed, "/").await?;
    assert_eq!(code, 200);
    assert!(page.contains("src=\"console/app.js\""), "{page}");
    assert_eq!(get(exposed, "/console/app.js").await?.0, 200);
    let (code, text) = get(exposed, "/nowhere").await?;
    assert_eq!(code, 404);
    assert!(text.contains("/metrics"), "{text}");
    site.worker.stop().await?;
    Ok(())
}

#[tokio::test]
async fn a_tcp_port_streams_results_one_json_text_a_line() -> anyhow::Result<()> {
    let port = tests::mosquitto::free_port()?;
    let model = "
def handler(event, context):
    value = event['telemetry']['RC_cylinder1_1P_d_dispPeak']
    return b'raw\\nbytes' if value == 2 else {'value': value}
";
    let mut site = Site::with(model, |config| {
        let stream =
            format!("expose:\n- name: results\n  outPort: 38081\n  protocolPort: tcp://:{port}\n");
        config.replace("expose:\n", &stream)
    })
    .await?;
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let clients = "edgemodel_stream_clients 1";
    tests::eventually(async || {
        let metrics = site.worker.get("/metrics").await?.1;
        Ok(metrics.lines().any(|line| line == clients).then_some(()))
    })
    .await?;
    let mut lines = BufReader::new(stream).lines();
    for value in 1..=3 {
        site.measure(value).await?;
    }
    for expected in ["{\"value\":1}", "\"raw\\nbytes\"", "{\"value\":3}"] {
        assert_eq!(lines.next_line().await?.as_deref(), Some(expected));
    }
    site.worker.stop().await?;
    assert_eq!(lines.next_line().await?, None);
    Ok(())
}
