//! The worker's own ceiling: how much it does where no broker is the limit, and what a message then costs.

mod generator;
mod packets;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::json;
use tests::certificates::Certificates;
use tests::python::baselines;
use tests::running::Running;
use tests::site::{Models, file_url};
use tests::within;

use crate::usage;
use generator::{Generator, Load};

/// How long messages flow before it counts.
const WARM: Duration = Duration::from_secs(1);

/// How long it counts.
const LONG: Duration = Duration::from_secs(3);

/// Rounds of each case, in turns; the median counts.
const ROUNDS: usize = 5;

/// Enough that each host has its share.
const DEVICES: usize = 16;

/// Nothing takes so long unless messages were lost.
const PATIENCE: Duration = Duration::from_mins(1);

const SINGLE: &str = "
def handler(event, context):
    return {'device': event['d'], 'value': event['v']}
";

const BATCH: &str = "
def handler(event, context):
    return handler_batch([event], [context])[0]
def handler_batch(events, contexts):
    return [{'device': event['d'], 'value': event['v']} for event in events]
";

/// What is measured; each differs from the first in one thing.
#[derive(Debug, Clone)]
struct Case {
    name: &'static str,
    qos: u8,
    version: &'static str,
    sessions: usize,
    hosts: usize,
    bytes: usize,
    tls: bool,
    model: &'static str,
}

impl Case {
    fn all() -> Vec<Self> {
        let base = Self {
            name: "QoS 1, MQTT 3.1.1, one session, one host, 300 bytes",
            qos: 1,
            version: "3.1.1",
            sessions: 1,
            hosts: 1,
            bytes: 300,
            tls: false,
            model: SINGLE,
        };
        let with = |name, change: fn(&mut Self)| {
            let mut case = base.clone();
            case.name = name;
            change(&mut case);
            case
        };
        vec![
            base.clone(),
            with("QoS 0", |case| case.qos = 0),
            with("QoS 2", |case| case.qos = 2),
            with("MQTT 5", |case| case.version = "5"),
            with("TLS", |case| case.tls = true),
            with("four sessions", |case| case.sessions = 4),
            with("two hosts", |case| case.hosts = 2),
            with("four hosts", |case| case.hosts = 4),
            with("four sessions, four hosts", |case| {
                case.sessions = 4;
                case.hosts = 4;
            }),
            with("3 KB", |case| case.bytes = 3_000),
            with("100 KB", |case| case.bytes = 100_000),
            with("handler_batch", |case| case.model = BATCH),
            with("QoS 0, handler_batch", |case| {
                case.qos = 0;
                case.model = BATCH;
            }),
        ]
    }

    /// Telemetry of so many bytes.
    fn payload(&self, device: usize) -> Vec<u8> {
        let mut text = format!("{{\"d\":\"d{device}\",\"v\":86.5");
        for number in 0.. {
            if text.len() >= self.bytes - 1 {
                break;
            }
            // A string cannot fail to take it.
            let _ = write!(text, ",\"p{number}\":{}.25", number % 1000);
        }
        text.push('}');
        text.into_bytes()
    }
}

/// What a case gave.
#[derive(Debug, Clone, Copy)]
struct Figures {
    /// Messages a second.
    rate: f64,
    /// Processor time a message, in microseconds.
    worker: f64,
    hosts: f64,
    generator: f64,
}

/// Measures all cases whose name has `filter`, and returns the table.
pub(crate) async fn measure(filter: &str) -> anyhow::Result<String> {
    let cases: Vec<_> = Case::all();
    let cases: Vec<_> = cases
        .iter()
        .filter(|case| case.name.contains(filter))
        .collect();
    let mut all = vec![Vec::new(); cases.len()];
    for round in 0..ROUNDS {
        for (case, figures) in cases.iter().zip(&mut all) {
            let found = one(case).await?;
            eprintln!("round {} of {ROUNDS}: {}: {found:?}", round + 1, case.name);
            figures.push(found);
        }
    }
    let mut table = "| what | messages/s | worker, µs | hosts, µs | messages/s a core | generator, µs |\n|---|---|---|---|---|---|\n".to_owned();
    for (case, figures) in cases.iter().zip(all) {
        let median = |of: fn(&Figures) -> f64| {
            let mut values: Vec<_> = figures.iter().map(of).collect();
            values.sort_unstable_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let (worker, hosts) = (median(|f| f.worker), median(|f| f.hosts));
        writeln!(
            table,
            "| {} | {:.0} | {worker:.2} | {hosts:.2} | {:.0} | {:.2} |",
            case.name,
            median(|f| f.rate),
            1e6 / (worker + hosts),
            median(|f| f.generator),
        )?;
    }
    Ok(table)
}

async fn one(case: &Case) -> anyhow::Result<Figures> {
    let certificates = Certificates::make()?;
    let load = Load {
        qos: case.qos,
        payloads: (0..DEVICES).map(|device| case.payload(device)).collect(),
    };
    let tls = case.tls.then(|| certificates.acceptor()).transpose()?;
    let generator = Generator::start(load, tls)?;
    let models = Models::new()?;
    let packed = models.pack("bench", case.model)?;
    let config = configuration(case, &generator, &certificates, &packed)?;
    let worker = Running::start(&config, &models.installed()).await?;
    worker.ready().await?;
    generator.feed(true);
    tokio::time::sleep(WARM).await;
    let pid = worker
        .pid()
        .ok_or_else(|| anyhow::anyhow!("the worker has ended"))?;
    let take = || anyhow::Ok((usage::cpu(pid)?, usage::own_cpu(pid)?, generator.busy()));
    let (all, own, busy) = take()?;
    let (before, started) = (generator.results(), Instant::now());
    tokio::time::sleep(LONG).await;
    let (seconds, results) = (
        started.elapsed().as_secs_f64(),
        generator.results() - before,
    );
    let (all, own, busy) = {
        let now = take()?;
        (
            now.0.saturating_sub(all),
            now.1.saturating_sub(own),
            now.2.saturating_sub(busy),
        )
    };
    generator.feed(false);
    settled(case, &generator).await?;
    worker.stop().await?;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let results = results as f64;
    let each = |time: Duration| time.as_secs_f64() * 1e6 / results;
    Ok(Figures {
        rate: results / seconds,
        worker: each(own),
        hosts: each(all.saturating_sub(own)),
        generator: each(busy),
    })
}

/// Waits until each message has its result and, at QoS 1 and 2, its acknowledgement.
async fn settled(case: &Case, generator: &Generator) -> anyhow::Result<()> {
    within(PATIENCE, async || {
        let (sent, results) = (generator.sent(), generator.results());
        let acknowledged = if case.qos == 0 {
            sent
        } else {
            generator.acknowledged()
        };
        anyhow::ensure!(
            (results, acknowledged) == (sent, sent),
            "{}: {sent} messages, {results} results, {acknowledged} acknowledged",
            case.name
        );
        Ok(Some(()))
    })
    .await
}

fn configuration(
    case: &Case,
    generator: &Generator,
    certificates: &Certificates,
    packed: &packages::Packed,
) -> anyhow::Result<String> {
    let scheme = if case.tls { "ssl" } else { "tcp" };
    let mut broker = json!({
        "name": "m", "broker": format!("{scheme}://{}", generator.address()), "qos": case.qos,
        "version": case.version,
    });
    if case.tls {
        broker["tls"] = json!({ "caFile": certificates.authority() });
    }
    let rule = |number: usize| {
        json!({
            "sub": { "name": "m", "topic": format!("in/{number}") },
            "pub": { "name": "m", "topic": format!("out/{number}") },
        })
    };
    let device = |number: usize| {
        let name = format!("d{number}");
        json!({ "deviceName": name, "deviceAttr": [
            { "attrName": "name", "attrValue": name, "attrExpression": "== data_to_dict['d']" },
        ]})
    };
    let config = json!({
        "mqtts": [broker],
        "rules": (0..case.sessions).map(rule).collect::<Vec<_>>(),
        "funcs": [{
            "modelName": "bench", "modelAddress": file_url(&packed.path)?,
            "modelMd5": packed.md5.to_string(), "python": baselines()?, "hosts": case.hosts,
            "devices": (0..DEVICES).map(device).collect::<Vec<_>>(),
        }],
    });
    Ok(config.to_string())
}
