//! A worker under load for a while: memory and files stay what they are.
//!
//! A minute by default; `EDGEMODEL_SOAK_SECONDS=3600` for an hour.

use std::time::{Duration, Instant};

use crds::validated::Qos;
use mqtt::{Client as _, Event};
use tests::site::{IN, Site, message};

const ECHO: &str =
    "def handler(event, context):\n    return event['telemetry']['RC_cylinder1_1P_d_dispPeak']\n";

/// What allocators keep for themselves; a leak of a hundred bytes a message is far more.
const SLACK: u64 = 8 << 20;

/// Resident memory in bytes and open files of a process.
fn usage(pid: u32) -> anyhow::Result<(u64, usize)> {
    let statm = std::fs::read_to_string(format!("/proc/{pid}/statm"))?;
    let pages: u64 = statm.split_whitespace().nth(1).unwrap_or("0").parse()?;
    let files = std::fs::read_dir(format!("/proc/{pid}/fd"))?.count();
    Ok((pages * rustix::param::page_size() as u64, files))
}

/// Messages through the worker until `end`; how many.
async fn load(site: &mut Site, end: Instant) -> anyhow::Result<u64> {
    let (mut sent, mut came) = (0, 0);
    while Instant::now() < end || came < sent {
        while Instant::now() < end
            && sent - came < 200
            && site.device.session.publish_capacity() > 0
        {
            site.device.publish(IN, message(sent), Qos::AtLeastOnce);
            sent += 1;
        }
        tokio::select! {
            message = site.reader.take() => {
                message?;
                came += 1;
            }
            event = site.device.until(Some) => if let Event::Published { result, .. } = event? {
                result?;
            },
        }
    }
    Ok(sent)
}

#[tokio::test]
async fn memory_and_files_stay_flat_under_load() -> anyhow::Result<()> {
    let seconds = std::env::var("EDGEMODEL_SOAK_SECONDS").ok();
    let seconds: u64 = seconds.map_or(Ok(60), |text| text.parse())?;
    let mut site = Site::start(ECHO).await?;
    let status = site.worker.status().await?;
    let host = status["models"][0]["hosts"][0]["pid"].as_u64().unwrap_or(0);
    let processes = [site.worker.pid().unwrap_or(0), u32::try_from(host)?];
    // Buffers grow to what the load needs first.
    load(&mut site, Instant::now() + Duration::from_secs(seconds / 4)).await?;
    let before = processes.map(usage);
    let messages = load(
        &mut site,
        Instant::now() + Duration::from_secs(seconds * 3 / 4),
    )
    .await?;
    for (before, pid) in before.into_iter().zip(processes) {
        let (before, after) = (before?, usage(pid)?);
        assert!(
            after.0 < before.0 + SLACK,
            "{before:?} {after:?} after {messages} messages"
        );
        assert_eq!(after.1, before.1, "files after {messages} messages");
    }
    let status = site
        .worker
        .until(|status| status["models"][0]["ledger"]["in_flight"] == 0)
        .await?;
    assert_eq!(status["models"][0]["hosts"][0]["restarts"], 0);
    site.worker.stop().await?;
    Ok(())
}
