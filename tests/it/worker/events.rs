//! `/results` on exposed HTTP ports: results as server-sent events.

use std::net::SocketAddr;

use tests::site::Site;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::TcpStream;

const MODEL: &str = "
def handler(event, context):
    value = event['telemetry']['RC_cylinder1_1P_d_dispPeak']
    return b'raw\\r\\nbytes' if value == 2 else {'value': value}
";

/// Most readers of a port.
const READERS: usize = 64;

fn exposed(site: &Site) -> anyhow::Result<SocketAddr> {
    let port = site.config.split("http://:").nth(1);
    let port = port.and_then(|rest| rest.lines().next());
    Ok(([127, 0, 0, 1], port.unwrap_or_default().trim().parse()?).into())
}

/// A reader that has asked for events, with what it is answered.
async fn reader(address: SocketAddr) -> anyhow::Result<Lines<BufReader<TcpStream>>> {
    let mut stream = TcpStream::connect(address).await?;
    stream
        .write_all(b"GET /results HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
        .await?;
    Ok(BufReader::new(stream).lines())
}

async fn head(lines: &mut Lines<BufReader<TcpStream>>) -> anyhow::Result<String> {
    let mut head = String::new();
    while let Some(line) = lines.next_line().await?.filter(|line| !line.is_empty()) {
        head += &line;
        head.push('\n');
    }
    Ok(head)
}

async fn until_metric(site: &Site, wanted: &str) -> anyhow::Result<()> {
    tests::eventually(async || {
        let metrics = site.worker.get("/metrics").await?.1;
        Ok(metrics.lines().any(|line| line == wanted).then_some(()))
    })
    .await
}

#[tokio::test]
async fn every_result_is_one_event_with_one_line_of_json() -> anyhow::Result<()> {
    let mut site = Site::start(MODEL).await?;
    let mut lines = reader(exposed(&site)?).await?;
    let head = head(&mut lines).await?;
    assert!(head.starts_with("HTTP/1.1 200 OK\n"), "{head}");
    assert!(head.contains("content-type: text/event-stream\n"), "{head}");
    until_metric(&site, "edgemodel_event_stream_clients 1").await?;
    for value in 1..=3 {
        site.measure(value).await?;
    }
    for expected in ["{\"value\":1}", "\"raw\\r\\nbytes\"", "{\"value\":3}"] {
        let data = loop {
            // Between chunks of HTTP there are their sizes.
            match lines.next_line().await? {
                Some(line) if line.starts_with("data: ") => break line,
                Some(_) => {}
                None => anyhow::bail!("the stream has ended"),
            }
        };
        assert_eq!(data, format!("data: {expected}"));
    }
    drop(lines);
    // A reader that left is noticed with the next result.
    site.measure(4).await?;
    tests::eventually(async || {
        site.measure(5).await?;
        let metrics = site.worker.get("/metrics").await?.1;
        let gone = "edgemodel_event_stream_clients 0";
        Ok(metrics.lines().any(|line| line == gone).then_some(()))
    })
    .await?;
    site.worker.stop().await?;
    Ok(())
}

/// Results are data: a port that is not exposed does not give them away.
#[tokio::test]
async fn only_exposed_ports_serve_results_and_only_to_so_many() -> anyhow::Result<()> {
    let site = Site::start(MODEL).await?;
    assert_eq!(site.worker.get("/results").await?.0, 404);
    let mut readers = Vec::new();
    for _ in 0..READERS {
        let mut lines = reader(exposed(&site)?).await?;
        assert!(head(&mut lines).await?.contains(" 200 "));
        readers.push(lines);
    }
    // One address has all places: its oldest reader makes room.
    let mut next = reader(exposed(&site)?).await?;
    assert!(head(&mut next).await?.contains(" 200 "));
    while readers[0].next_line().await?.is_some() {}
    until_metric(&site, &format!("edgemodel_event_stream_clients {READERS}")).await?;
    site.worker.stop().await?;
    Ok(())
}
