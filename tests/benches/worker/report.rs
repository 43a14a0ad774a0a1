//! The figures of all rounds, and docs/PERFORMANCE.md made of their medians.

mod page;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::contender::Kind;
use crate::load::{Check, Throughput};
use crate::losses::Fault;
use crate::overload::Overload;
use crate::stages::STAGES;
use crate::usage::mebibytes;

/// Quality of service, devices, contender.
type Key = (u8, usize, Kind);

/// Figures by what they are of.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rates: BTreeMap<Key, Vec<f64>>,
    cpu: BTreeMap<Key, Vec<f64>>,
    /// Share of a processor that the broker takes.
    broker: BTreeMap<Key, Vec<f64>>,
    checks: BTreeMap<Key, Check>,
    latencies: BTreeMap<(u64, Kind), Vec<[f64; 3]>>,
    /// By the rate; `None` is as fast as results come back.
    stages: BTreeMap<Option<u64>, Vec<[f64; STAGES.len()]>>,
    processes: Vec<(f64, f64)>,
    overload: Vec<Overload>,
    starts: BTreeMap<Kind, Vec<f64>>,
    memory: BTreeMap<Kind, Vec<f64>>,
    two_hosts: Vec<f64>,
    hang: Vec<f64>,
    poison: Vec<f64>,
    losses: BTreeMap<(Fault, Kind), Check>,
}

impl Report {
    /// `cpu` is the contender's processor time in microseconds a message, `broker` the share of a processor
    /// that the broker takes.
    pub(crate) fn throughput(
        &mut self,
        key: Key,
        through: Throughput,
        cpu: Option<f64>,
        broker: f64,
    ) {
        let (qos, devices, kind) = key;
        let Throughput { rate, check } = through;
        eprintln!(
            "  QoS {qos}, {devices} devices, {}: {rate:.0}/s {cpu:.1?} us, broker {broker:.2}, {check:?}",
            kind.name()
        );
        let sum = self.checks.entry(key).or_default();
        sum.lost += check.lost;
        sum.repeated += check.repeated;
        sum.steps_back += check.steps_back;
        self.rates.entry(key).or_default().push(rate);
        self.cpu.entry(key).or_default().extend(cpu);
        self.broker.entry(key).or_default().push(broker);
    }

    pub(crate) fn latencies(&mut self, kind: Kind, rate: u64, sorted: &[Duration]) {
        let at = |share: usize| {
            let index = (sorted.len() * share / 1000).min(sorted.len() - 1);
            sorted[index].as_secs_f64() * 1e3
        };
        let figures = [at(500), at(990), at(999)];
        eprintln!(
            "  {}, {rate}/s: p50, p99, p999 = {figures:.2?} ms",
            kind.name()
        );
        self.latencies
            .entry((rate, kind))
            .or_default()
            .push(figures);
    }

    pub(crate) fn stages(&mut self, rate: Option<u64>, micros: [f64; STAGES.len()]) {
        eprintln!("  {rate:?}/s: {STAGES:?} take {micros:.1?} us");
        self.stages.entry(rate).or_default().push(micros);
    }

    /// Processor time for each message of the worker and of its host.
    pub(crate) fn processes(&mut self, worker: f64, host: f64) {
        self.processes.push((worker, host));
    }

    pub(crate) fn overload(&mut self, overload: Overload) {
        eprintln!("  {overload:?}");
        self.overload.push(overload);
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

    /// Throughput with a device that ends the model's process, as a share of that without it.
    pub(crate) fn poison(&mut self, share: f64) {
        eprintln!("  with a poisonous device: {share:.3}");
        self.poison.push(share);
    }

    pub(crate) fn start(&mut self, kind: Kind, first: Duration, memory: u64) {
        let first = first.as_secs_f64() * 1e3;
        let memory = mebibytes(memory);
        eprintln!(
            "  {}: first result {first:.0} ms, idle {memory:.1} MiB",
            kind.name()
        );
        self.starts.entry(kind).or_default().push(first);
        self.memory.entry(kind).or_default().push(memory);
    }

    /// What a fault cost.
    pub(crate) fn losses(&mut self, kind: Kind, fault: Fault, check: Check) {
        eprintln!("  {}, {}: {check:?}", fault.name(), kind.name());
        self.losses.insert((fault, kind), check);
    }

    /// Messages a second.
    pub(crate) fn rate(&self, qos: u8, devices: usize, kind: Kind) -> f64 {
        of(&self.rates, (qos, devices, kind))
    }

    /// Processor time in microseconds a message.
    pub(crate) fn processor_time(&self, qos: u8, devices: usize, kind: Kind) -> f64 {
        of(&self.cpu, (qos, devices, kind))
    }

    /// Share of a processor that the broker takes.
    pub(crate) fn broker_busy(&self, qos: u8, devices: usize, kind: Kind) -> f64 {
        of(&self.broker, (qos, devices, kind))
    }

    /// Most devices that were measured.
    pub(crate) fn most_devices(&self) -> usize {
        let devices = self.rates.keys().map(|(_, devices, _)| *devices);
        devices.max().unwrap_or(1)
    }

    /// The times in milliseconds that half of the results stay under, and 99 of 100.
    pub(crate) fn times(&self, rate: u64, kind: Kind) -> [f64; 2] {
        let figures = self.latencies.get(&(rate, kind));
        figures.map_or([f64::NAN; 2], |figures| {
            let [half, most, _] = medians(figures);
            [half, most]
        })
    }

    /// Medians of processor times and of times at each rate, a line each.
    pub(crate) fn rates(&self) -> String {
        let mut text = String::new();
        for ((qos, _, kind), figures) in &self.cpu {
            let (cpu, kind) = (median(figures), kind.name());
            let _ = writeln!(text, "QoS {qos}: {cpu:.1} us a message, {kind}");
        }
        for (rate, kind) in self.latencies.keys() {
            let [half, most] = self.times(*rate, *kind);
            let kind = kind.name();
            let _ = writeln!(text, "{rate}/s: p50 {half:.2} ms, p99 {most:.2} ms, {kind}");
        }
        text
    }

    /// Work of two hosts as a multiple of one's.
    pub(crate) fn two_hosts(&self) -> f64 {
        median(&self.two_hosts)
    }

    /// Milliseconds from a timeout until the model serves again.
    pub(crate) fn back_after_hang(&self) -> f64 {
        median(&self.hang)
    }

    /// Throughput with a poisonous device as a share of that without.
    pub(crate) fn poisoned(&self) -> f64 {
        median(&self.poison)
    }
}

fn of(figures: &BTreeMap<Key, Vec<f64>>, key: Key) -> f64 {
    figures
        .get(&key)
        .map_or(f64::NAN, |figures| median(figures))
}

/// The median of each column.
fn medians<const N: usize>(rows: &[[f64; N]]) -> [f64; N] {
    std::array::from_fn(|index| median(&rows.iter().map(|row| row[index]).collect::<Vec<_>>()))
}

fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
