//! The figures of all rounds, and docs/PERFORMANCE.md made of their medians.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::contender::Kind;

/// Figures by what they are of.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rates: BTreeMap<(u8, usize, Kind), Vec<f64>>,
    cpu: BTreeMap<(u8, usize, Kind), Vec<f64>>,
    latencies: BTreeMap<u64, Vec<[f64; 3]>>,
    starts: BTreeMap<Kind, Vec<f64>>,
    memory: BTreeMap<Kind, Vec<f64>>,
    two_hosts: Vec<f64>,
    hang: Vec<f64>,
}

impl Report {
    pub(crate) fn throughput(
        &mut self,
        kind: Kind,
        qos: u8,
        devices: usize,
        rate: f64,
        cpu: Option<f64>,
    ) {
        let key = (qos, devices, kind);
        eprintln!(
            "  QoS {qos}, {devices} devices, {}: {rate:.0}/s {cpu:.1?} us",
            kind.name()
        );
        self.rates.entry(key).or_default().push(rate);
        self.cpu.entry(key).or_default().extend(cpu);
    }

    pub(crate) fn latencies(&mut self, rate: u64, sorted: &[Duration]) {
        let at = |share: usize| {
            let index = (sorted.len() * share / 1000).min(sorted.len() - 1);
            sorted[index].as_secs_f64() * 1e3
        };
        let figures = [at(500), at(990), at(999)];
        eprintln!("  {rate}/s: p50, p99, p999 = {figures:.2?} ms");
        self.latencies.entry(rate).or_default().push(figures);
    }

    pub(crate) fn hosts(&mut self, one: f64, two: f64) {
        eprintln!("  busy model: one host {one:.0}/s, two hosts {two:.0}/s");
        self.two_hosts.push(two / one);
    }

    pub(crate) fn hang(&mut self, beyond: Duration) {
        let beyond = beyond.as_secs_f64() * 1e3;
        eprintln!("  a host that hangs is replaced in {beyond:.0} ms");
        self.hang.push(beyond);
    }

    pub(crate) fn start(&mut self, kind: Kind, first: Duration, memory: u64) {
        let first = first.as_secs_f64() * 1e3;
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let memory = memory as f64 / f64::from(1 << 20);
        eprintln!(
            "  {}: first result {first:.0} ms, idle {memory:.1} MiB",
            kind.name()
        );
        self.starts.entry(kind).or_default().push(first);
        self.memory.entry(kind).or_default().push(memory);
    }

    pub(crate) fn render(&self, rounds: usize, messages: u64) -> String {
        let mut text = format!(
            "# Performance\n\nWritten by `make bench`: medians of {rounds} rounds in turns, {messages} messages \
             each, everything (broker, load, contender) on one machine with {} processors and mosquitto with \
             the limits of the README. Only ratios within this table mean something elsewhere.\n\n\
             ## Throughput\n\n\
             | QoS | devices | contender | messages/s | of the broker alone | processor time, µs each | of tuned Python |\n\
             |---|---|---|---|---|---|---|\n",
            std::thread::available_parallelism().map_or(0, usize::from),
        );
        for (&(qos, devices, kind), rates) in &self.rates {
            let rate = median(rates);
            let broker = self
                .rates
                .get(&(qos, 1, Kind::Broker))
                .map_or(0.0, |rates| median(rates));
            let cpu = median(&self.cpu[&(qos, devices, kind)]);
            let tuned = self
                .cpu
                .get(&(qos, 1, Kind::Tuned))
                .map_or(0.0, |cpu| median(cpu));
            let (cpu, share) = if kind == Kind::Broker {
                (String::new(), String::new())
            } else {
                (format!("{cpu:.1}"), format!("{:.2}", cpu / tuned))
            };
            let _ = writeln!(
                text,
                "| {qos} | {devices} | {} | {rate:.0} | {:.2} | {cpu} | {share} |",
                kind.name(),
                rate / broker
            );
        }
        text += "\nEach message passes the broker twice on its way through a worker, so half of the broker's own \
                 rate is the most that any worker can reach. edgemodel acknowledges a message at QoS 1 after its \
                 result was acknowledged; the Python workers acknowledge on receipt.\n\n\
                 ## Time from publishing to the result, edgemodel, QoS 1\n\n\
                 | messages/s | p50, ms | p99, ms | p999, ms |\n|---|---|---|---|\n";
        for (rate, figures) in &self.latencies {
            let at = |index: usize| median(&figures.iter().map(|f| f[index]).collect::<Vec<_>>());
            let _ = writeln!(
                text,
                "| {rate} | {:.2} | {:.2} | {:.2} |",
                at(0),
                at(1),
                at(2)
            );
        }
        text += "\n## Start and idle memory\n\n\
                 | contender | first result after, ms | idle memory (PSS) with its model's process, MiB |\n|---|---|---|\n";
        for (kind, starts) in &self.starts {
            let memory = median(&self.memory[kind]);
            let _ = writeln!(
                text,
                "| {} | {:.0} | {memory:.1} |",
                kind.name(),
                median(starts)
            );
        }
        let _ = write!(
            text,
            "\n## Hosts\n\nTwo hosts do {:.2} times the work of one on a model that needs a processor for \
             itself (broker, load and worker need theirs too). A host whose call takes too long is \
             replaced, and serves again, {:.0} ms after the timeout.\n",
            median(&self.two_hosts),
            median(&self.hang),
        );
        text
    }
}

fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
