//! Which plans are run, and what is told of them while they run.
//!
//! - `EDGEMODEL_LONG=plans` runs every fault at every write, `EDGEMODEL_LONG=plans/W05` those of one workload,
//!   `EDGEMODEL_LONG=plans/reference` only the workloads without faults.
//! - `EDGEMODEL_FAULT_SLICE=2/4` runs the second of four parts.
//! - `EDGEMODEL_FAULT_LOG=FILE` writes the name of each plan that passed to the file, and passes over those that stand
//!   in it already: a run that was broken off goes on where it was.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::time::{Duration, Instant};

use anyhow::Context as _;

/// How often a run that takes long says how far it is.
const TELL: Duration = Duration::from_secs(20);

/// A choice of plans and their results so far.
pub(super) struct Campaign {
    /// The part of all plans that runs with every fault; `None` is one fault for each write.
    wanted: Option<String>,
    /// The number of the part, from 0, and how many there are.
    slice: (usize, usize),
    passed: BTreeSet<String>,
    log: Option<File>,
    begun: Instant,
    told: Instant,
    total: usize,
    finished: usize,
    failures: Vec<String>,
}

impl Campaign {
    pub(super) fn from_environment() -> anyhow::Result<Self> {
        let variable = |name| std::env::var(name).unwrap_or_default();
        let (passed, log) = match variable("EDGEMODEL_FAULT_LOG").as_str() {
            "" => (BTreeSet::new(), None),
            path => {
                let before = std::fs::read_to_string(path).unwrap_or_default();
                let log = OpenOptions::new().create(true).append(true).open(path);
                let log = log.with_context(|| format!("EDGEMODEL_FAULT_LOG: {path}"))?;
                (before.lines().map(str::to_owned).collect(), Some(log))
            }
        };
        Ok(Self {
            wanted: tests::long::long("plans"),
            slice: slice(&variable("EDGEMODEL_FAULT_SLICE"))?,
            passed,
            log,
            begun: Instant::now(),
            told: Instant::now(),
            total: 0,
            finished: 0,
            failures: Vec::new(),
        })
    }

    /// Whether a workload is run at all.
    pub(super) fn takes(&self, workload: &str) -> bool {
        let wanted = self.wanted.as_deref().unwrap_or_default();
        !wanted.starts_with('W') || wanted == workload
    }

    /// Whether workloads are only run without faults.
    pub(super) fn only_references(&self) -> bool {
        self.wanted.as_deref() == Some("reference")
    }

    /// Whether each write meets every fault, and not one of them.
    pub(super) fn every_fault(&self) -> bool {
        self.wanted.is_some()
    }

    /// The plans of this run.
    pub(super) fn choose<T>(&mut self, plans: Vec<T>, name: impl Fn(&T) -> String) -> Vec<T> {
        let (part, parts) = self.slice;
        let plans = plans.into_iter().enumerate();
        let plans = plans.filter(|(index, _)| index % parts == part);
        let plans: Vec<_> = plans
            .map(|(_, plan)| plan)
            .filter(|plan| !self.passed.contains(&name(plan)))
            .collect();
        self.total = plans.len();
        plans
    }

    /// A plan has ended.
    pub(super) fn ended(&mut self, name: &str, result: anyhow::Result<()>) -> anyhow::Result<()> {
        self.finished += 1;
        match result {
            Ok(()) => {
                if let Some(log) = &mut self.log {
                    writeln!(log, "{name}")?;
                }
            }
            Err(error) => self.failed(&format!("{name}: {error:#}")),
        }
        if self.told.elapsed() > TELL {
            self.told = Instant::now();
            tell(&self.summary());
        }
        Ok(())
    }

    /// Something went wrong, and is told at once.
    pub(super) fn failed(&mut self, failure: &str) {
        tell(&format!("FAILED {failure}"));
        self.failures.push(failure.to_owned());
    }

    pub(super) fn summary(&self) -> String {
        format!(
            "{} of {} plans in {} s, {} failed",
            self.finished,
            self.total,
            self.begun.elapsed().as_secs(),
            self.failures.len()
        )
    }

    pub(super) fn verdict(self) -> anyhow::Result<()> {
        tell(&self.summary());
        anyhow::ensure!(self.failures.is_empty(), "{}", self.failures.join("\n\n"));
        Ok(())
    }
}

/// To the terminal, past the test harness, which holds back what a test prints until it ends.
fn tell(text: &str) {
    // Whoever closed it does not want to know.
    let _ = writeln!(std::io::stderr(), "fault plans: {text}");
}

fn slice(text: &str) -> anyhow::Result<(usize, usize)> {
    if text.is_empty() {
        return Ok((0, 1));
    }
    let parts = text
        .split_once('/')
        .and_then(|(part, parts)| Some((part.parse::<usize>().ok()?, parts.parse::<usize>().ok()?)))
        .filter(|(part, parts)| (1..=*parts).contains(part));
    let (part, parts) = parts.with_context(|| {
        format!("EDGEMODEL_FAULT_SLICE={text}: write which part of how many, as 2/4")
    })?;
    Ok((part - 1, parts))
}
