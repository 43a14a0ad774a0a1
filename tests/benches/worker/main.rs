//! Measures the worker beside its baselines, in one run, in turns, and writes docs/PERFORMANCE.md.
//!
//! What counts are ratios: the machine, the broker and the load are the same for all contenders of a
//! round.

#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a program for people at a terminal"
)]

mod contender;
mod load;
mod report;
mod usage;

use contender::{Contender, Kind};
use report::Report;
use tests::mosquitto::Mosquitto;

/// Rounds of each measurement; the median counts.
const ROUNDS: usize = 3;

/// Messages of one measurement of throughput.
const MESSAGES: u64 = 60_000;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let write = arguments.iter().any(|argument| argument == "--write");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    if let Some(seconds) = arguments
        .iter()
        .find_map(|argument| argument.strip_prefix("--load="))
    {
        return runtime.block_on(keep_busy(seconds.parse()?));
    }
    let (rounds, messages) = if quick {
        (1, 10_000)
    } else {
        (ROUNDS, MESSAGES)
    };
    let report = runtime.block_on(measure(rounds, messages))?;
    let text = report.render(rounds, messages);
    println!("{text}");
    if write {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/PERFORMANCE.md");
        std::fs::write(file, text)?;
    }
    Ok(())
}

async fn measure(rounds: usize, messages: u64) -> anyhow::Result<Report> {
    let mut report = Report::default();
    for round in 0..rounds {
        eprintln!("round {} of {rounds}", round + 1);
        for qos in [0, 1] {
            let broker = Mosquitto::start().await?;
            let rate = load::one_hop(&broker, qos, messages).await?;
            report.throughput(Kind::Broker, qos, 1, rate, None);
            for kind in [Kind::Worker, Kind::Plain, Kind::Tuned] {
                let (rate, cpu) = throughput(kind, qos, 1, messages).await?;
                report.throughput(kind, qos, 1, rate, Some(cpu));
            }
        }
        for devices in [1_000, 100_000] {
            let (rate, cpu) = throughput(Kind::Worker, 1, devices, messages).await?;
            report.throughput(Kind::Worker, 1, devices, rate, Some(cpu));
        }
        for rate in [1_000, 10_000] {
            let broker = Mosquitto::start().await?;
            let contender = Contender::start(Kind::Worker, &broker, 1, 1).await?;
            let latencies = load::latencies(&broker, rate, 3 * rate).await?;
            report.latencies(rate, &latencies);
            contender.stop().await?;
        }
        let (one, two) = (busy_hosts(1).await?, busy_hosts(2).await?);
        report.hosts(one, two);
        report.hang(after_a_hang().await?);
        for kind in [Kind::Worker, Kind::Plain] {
            let broker = Mosquitto::start().await?;
            let (first, idle) = contender::start_and_idle(kind, &broker).await?;
            report.start(kind, first, idle);
        }
    }
    Ok(report)
}

/// Keeps a worker busy at each quality of service, for a profiler to look at.
async fn keep_busy(seconds: u64) -> anyhow::Result<()> {
    for qos in [0, 1] {
        let broker = Mosquitto::start().await?;
        let contender = Contender::start(Kind::Worker, &broker, qos, 1).await?;
        eprintln!("QoS {qos}: process {}", contender.pid()?);
        let end = std::time::Instant::now() + std::time::Duration::from_secs(seconds);
        while std::time::Instant::now() < end {
            load::through(&broker, qos, 1, MESSAGES).await?;
        }
        contender.stop().await?;
    }
    Ok(())
}

/// Messages a second of a model that needs a processor for itself.
async fn busy_hosts(hosts: u16) -> anyhow::Result<f64> {
    let model = "
def handler(event, context):
    total = 0
    for number in range(100_000):
        total += number
    return total
";
    let broker = Mosquitto::start().await?;
    let settings = serde_json::json!({ "hosts": hosts });
    let contender = Contender::worker(&broker, 16, model, settings).await?;
    let rate = load::through(&broker, 1, 16, 800).await?;
    contender.stop().await?;
    Ok(rate)
}

/// How long the messages behind one that hangs wait, beyond the model's timeout for it and its retry.
async fn after_a_hang() -> anyhow::Result<std::time::Duration> {
    let model = "
import time
def handler(event, context):
    if event['telemetry']['ts'] == 0:
        time.sleep(3600)
    return event['telemetry']['ts']
";
    let timeout = std::time::Duration::from_millis(500);
    let broker = Mosquitto::start().await?;
    let settings = serde_json::json!({ "timeout": "500ms" });
    let contender = Contender::worker(&broker, 1, model, settings).await?;
    let mut prober = load::Prober::start(&broker).await?;
    let waited = prober.behind_the_first().await?;
    contender.stop().await?;
    Ok(waited.saturating_sub(2 * timeout) / 2)
}

/// Messages a second from broker to broker, and microseconds of processor time for each.
async fn throughput(
    kind: Kind,
    qos: u8,
    devices: usize,
    messages: u64,
) -> anyhow::Result<(f64, f64)> {
    let broker = Mosquitto::start().await?;
    let contender = Contender::start(kind, &broker, qos, devices).await?;
    // Caches, connections and the interpreter are warm when it counts.
    load::through(&broker, qos, devices, messages / 20).await?;
    let before = contender.cpu()?;
    let rate = load::through(&broker, qos, devices, messages).await?;
    let cpu = contender.cpu()?.saturating_sub(before).as_secs_f64() * 1e6;
    contender.stop().await?;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    Ok((rate, cpu / messages as f64))
}
