//! Measures the worker beside its baselines, in one run, in turns, and writes docs/PERFORMANCE.md.
//!
//! What counts are ratios: the machine, the broker and the load are the same for all contenders of a
//! round.

#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a program for people at a terminal"
)]

mod alarm;
mod ceiling;
mod chart;
mod contender;
mod goals;
mod lineup;
mod load;
mod losses;
mod overload;
mod poison;
mod report;
mod stages;
mod usage;

use contender::{Contender, Entrant, Kind};
use lineup::Lineup;
use losses::Fault;
use report::Report;
use stages::Stages;
use tests::mosquitto::Mosquitto;

/// Rounds of each measurement; the median counts.
const ROUNDS: usize = 3;

/// Messages of one measurement of throughput.
const MESSAGES: u64 = 60_000;

/// Messages a second at which the time from publishing to the result is measured.
const RATES: [u64; 3] = [1_000, 5_000, 10_000];

/// Where the figures begin that other scripts take, which stay as they are.
const MODELS: &str = "## Interpreters and models\n";

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
    if let Some(filter) = arguments
        .iter()
        .find_map(|argument| argument.strip_prefix("--ceiling"))
    {
        let table = runtime.block_on(ceiling::measure(filter.trim_start_matches('=')))?;
        println!("{table}");
        return Ok(());
    }
    if arguments.iter().any(|argument| argument == "--rates") {
        return runtime.block_on(rates());
    }
    if let Some(only) = arguments
        .iter()
        .find_map(|argument| argument.strip_prefix("--faults"))
    {
        let mut lineup = Lineup::new(only.strip_prefix('='));
        runtime.block_on(faults(&mut Report::default(), &mut lineup));
        return Ok(());
    }
    let (rounds, messages) = if quick {
        (1, 10_000)
    } else {
        (ROUNDS, MESSAGES)
    };
    let mut lineup = Lineup::new(None);
    let report = runtime.block_on(measure(&mut lineup, rounds, messages))?;
    let text = report.render(rounds, messages, &lineup);
    println!("{text}");
    if write {
        let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/");
        let page = format!("{docs}PERFORMANCE.md");
        let before = std::fs::read_to_string(&page)?;
        let models = before.find(MODELS).map_or("", |at| &before[at..]);
        std::fs::write(page, format!("{text}\n{models}"))?;
        std::fs::write(format!("{docs}performance.svg"), report.chart())?;
    }
    Ok(())
}

/// All of it; a contender that fails is left out from then on.
async fn measure(lineup: &mut Lineup, rounds: usize, messages: u64) -> anyhow::Result<Report> {
    let mut report = Report::default();
    for round in 0..rounds {
        eprintln!("round {} of {rounds}", round + 1);
        for qos in [0, 1] {
            one_hop(&mut report, qos, messages).await?;
            for entrant in lineup.present() {
                let messages = messages / entrant.kind.facts().share;
                let measured = throughput(&mut report, &entrant, qos, 1, messages).await;
                lineup.came_of(entrant.kind, measured);
            }
        }
        for rate in RATES {
            for entrant in lineup.present() {
                if rate <= entrant.kind.facts().keeps_up {
                    let measured = latencies(&mut report, &entrant, rate).await;
                    lineup.came_of(entrant.kind, measured);
                }
            }
        }
        for entrant in lineup.present() {
            let broker = Mosquitto::start().await?;
            let measured = contender::start_and_idle(&entrant, &broker).await;
            if let Some((first, idle)) = lineup.came_of(entrant.kind, measured) {
                report.start(entrant.kind, first, idle);
            }
        }
        // These take long.
        if round == 0 {
            faults(&mut report, lineup).await;
        }
        of_the_worker(&mut report, lineup, rounds == 1, messages).await?;
    }
    Ok(report)
}

async fn faults(report: &mut Report, lineup: &mut Lineup) {
    for fault in Fault::ALL {
        for entrant in lineup.present() {
            let measured = losses::measure(&entrant, fault).await;
            if let Some(check) = lineup.came_of(entrant.kind, measured) {
                report.losses(entrant.kind, fault, check);
            }
        }
    }
}

/// What only edgemodel has, and what becomes of it and of loops in Python with many devices.
async fn of_the_worker(
    report: &mut Report,
    lineup: &Lineup,
    quick: bool,
    messages: u64,
) -> anyhow::Result<()> {
    let (many_devices, overload) = if quick { (10_000, 3) } else { (100_000, 10) };
    let worker = lineup.entrant(Kind::Worker)?;
    for devices in [1_000, many_devices] {
        for qos in [0, 1] {
            throughput(report, &worker, qos, devices, messages).await?;
        }
    }
    // A loop over 1,000 devices takes so long that fewer messages tell enough, and over 100,000 a second each.
    for (kind, share) in [(Kind::Plain, 60), (Kind::Tuned, 10)] {
        // One that failed before is named.
        if let Ok(entrant) = lineup.entrant(kind) {
            throughput(report, &entrant, 1, 1_000, messages / share).await?;
        }
    }
    report.overload(overload::measure(overload).await?);
    let (one, two) = (busy_hosts(1).await?, busy_hosts(2).await?);
    report.hosts(one, two);
    report.hang(after_a_hang().await?);
    report.poison(poison::measure(messages).await?);
    Ok(())
}

/// The broker alone.
async fn one_hop(report: &mut Report, qos: u8, messages: u64) -> anyhow::Result<()> {
    let broker = Mosquitto::start().await?;
    let before = usage::own_cpu(broker.pid()?)?;
    let hop = load::one_hop(&broker, qos, messages).await?;
    let busy = usage::own_cpu(broker.pid()?)?.saturating_sub(before);
    report.throughput((qos, 1, Kind::Broker), hop, None, hop.share(busy, messages));
    Ok(())
}

/// Processor time and times at a rate, of the worker and of its strongest rival alone, to compare two builds in a minute a
/// round; each figure is printed when it is there.
async fn rates() -> anyhow::Result<()> {
    let mut report = Report::default();
    let entrants = [Entrant::new(Kind::Worker)?, Entrant::new(Kind::Tuned)?];
    for _ in 0..ROUNDS {
        for qos in [0, 1] {
            for entrant in &entrants {
                throughput(&mut report, entrant, qos, 1, MESSAGES).await?;
            }
        }
        for rate in RATES {
            for entrant in &entrants {
                latencies(&mut report, entrant, rate).await?;
            }
        }
    }
    println!("{}", report.rates());
    Ok(())
}

/// Times at a rate.
async fn latencies(report: &mut Report, entrant: &Entrant, rate: u64) -> anyhow::Result<()> {
    let broker = Mosquitto::start().await?;
    let contender = Contender::start(entrant, &broker, 1, 1).await?;
    // Caches, connections and the interpreter are warm when it counts.
    load::latencies(&broker, rate, rate / 10).await?;
    let before = Stages::scrape(&contender).await?;
    let latencies = load::latencies(&broker, rate, 3 * rate).await?;
    let after = Stages::scrape(&contender).await?;
    report.latencies(entrant.kind, rate, &latencies);
    if let Some((before, after)) = before.zip(after) {
        report.stages(Some(rate), after.since(before));
    }
    contender.stop().await
}

/// Keeps a worker busy at each quality of service, for a profiler to look at.
async fn keep_busy(seconds: u64) -> anyhow::Result<()> {
    let worker = Entrant::new(Kind::Worker)?;
    for qos in [0, 1] {
        let broker = Mosquitto::start().await?;
        let contender = Contender::start(&worker, &broker, qos, 1).await?;
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
    return {'n': event['telemetry']['ts']}
";
    let broker = Mosquitto::start().await?;
    let settings = serde_json::json!({ "hosts": hosts });
    let contender = Contender::worker(&broker, 16, model, settings).await?;
    let rate = load::through(&broker, 1, 16, 800).await?.rate;
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

/// Messages a second from broker to broker, processor time for each, and where the worker's time goes.
async fn throughput(
    report: &mut Report,
    entrant: &Entrant,
    qos: u8,
    devices: usize,
    messages: u64,
) -> anyhow::Result<()> {
    let kind = entrant.kind;
    let held = kind.facts().holds;
    let broker = Mosquitto::start().await?;
    let contender = Contender::start(entrant, &broker, qos, devices).await?;
    // Caches, connections and the interpreter are warm when it counts.
    load::through_at_most(&broker, qos, devices, messages / 20, held).await?;
    let before = Stages::scrape(&contender).await?;
    let (all, own) = (contender.cpu()?, usage::own_cpu(contender.pid()?)?);
    let busy = usage::own_cpu(broker.pid()?)?;
    let through = load::through_at_most(&broker, qos, devices, messages, held).await?;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let each = |time: std::time::Duration| time.as_secs_f64() * 1e6 / messages as f64;
    let all = each(contender.cpu()?.saturating_sub(all));
    let own = each(usage::own_cpu(contender.pid()?)?.saturating_sub(own));
    let busy = usage::own_cpu(broker.pid()?)?.saturating_sub(busy);
    let busy = through.share(busy, messages);
    report.throughput((qos, devices, kind), through, Some(all), busy);
    let after = Stages::scrape(&contender).await?;
    if let Some((before, after)) = before.zip(after)
        && qos == 1
        && devices == 1
    {
        report.stages(None, after.since(before));
        report.processes(own, all - own);
    }
    contender.stop().await
}
