//! Every workload, interrupted at every write in every way, must end where it ends when nothing is interrupted
//! (in the manner of Sieve, OSDI 2022).
//!
//! A workload runs once without faults: its writes are counted and its end is remembered. Then it runs again for each write
//! and fault. What is checked each time:
//! the same end (O1), soon (O4), nothing that serves is deleted and made again (O2), few writes and none when all is done
//! (O3), no panic and no error in the log (O5), and at every moment what [`invariant_watcher`] knows (O6).
//!
//! By default each write of each workload meets one fault, another one from write to write; [`campaign`] says how to
//! run all of them.

mod campaign;
mod decoys;
mod invariant_watcher;
mod neighbour;
mod run;
pub(crate) mod runner;
pub(crate) mod spec;
pub(crate) mod state;
pub(crate) mod workload;

use std::time::Duration;

use futures_util::StreamExt as _;
use tests::faults::{Answer, WriteFault};
use tests::operator::at_once;

use campaign::Campaign;
use run::{Outcome, Setting};
use workload::Workload;

/// Plans at the same time: more only wait for the same two cores.
const CONCURRENCY: usize = 10;

const FAULTS: [(&str, WriteFault); 9] = [
    ("crash before", WriteFault::CrashBefore),
    ("crash after", WriteFault::CrashAfter),
    ("lost reply", WriteFault::LostReply),
    ("conflict", WriteFault::Answer(Answer::CONFLICT)),
    ("500", WriteFault::Answer(Answer::INTERNAL_ERROR)),
    ("503", WriteFault::Answer(Answer::UNAVAILABLE)),
    (
        "504 though done",
        WriteFault::AnswerThoughDone(Answer::TIMEOUT),
    ),
    ("429", WriteFault::Answer(Answer::TOO_MANY_REQUESTS)),
    (
        "500 though done",
        WriteFault::AnswerThoughDone(Answer::INTERNAL_ERROR),
    ),
];

/// A workload with a fault at one of its writes.
struct Planned<'a> {
    workload: &'a Workload,
    reference: &'a Outcome,
    write: usize,
    name: &'static str,
    fault: WriteFault,
}

impl Planned<'_> {
    /// The same in every run.
    fn name(&self) -> String {
        format!("{} write {} {}", self.workload.name, self.write, self.name)
    }
}

#[expect(
    clippy::print_stdout,
    reason = "what was run, for who runs all of them"
)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_workload_ends_in_the_same_state_whatever_write_fails() -> anyhow::Result<()> {
    let control_plane = tests::operator::cluster().await?;
    let mut campaign = Campaign::from_environment()?;
    let workloads = workload::all();
    let chosen = |workload: &&Workload| campaign.takes(workload.name);
    let workloads: Vec<_> = workloads.iter().filter(chosen).collect();
    let references = futures_util::stream::iter(workloads.iter().map(async |workload| {
        let run = run::run(control_plane, workload, Setting::Reference).await;
        (*workload, run)
    }));
    let references: Vec<_> = references.buffered(at_once(CONCURRENCY)).collect().await;
    let mut plans = Vec::new();
    for (index, (workload, reference)) in references.iter().enumerate() {
        let reference = match reference {
            Ok(reference) => reference,
            Err(error) => {
                campaign.failed(&format!("{} without faults: {error:#}", workload.name));
                continue;
            }
        };
        println!("{}: {reference}", workload.name);
        for write in (1..=reference.writes.len()).filter(|_| !campaign.only_references()) {
            let one = [FAULTS[(index * 5 + write) % FAULTS.len()]];
            let all = campaign.every_fault();
            for (name, fault) in if all { &FAULTS[..] } else { &one[..] } {
                plans.push(Planned {
                    workload,
                    reference,
                    write,
                    name,
                    fault: *fault,
                });
            }
        }
    }
    let plans = campaign.choose(plans, Planned::name);
    let runs = plans.into_iter().map(async |plan| {
        let setting = Setting::Fault {
            write: plan.write,
            fault: plan.fault,
            reference: plan.reference,
        };
        let outcome = run::run(control_plane, plan.workload, setting).await;
        let took = outcome.as_ref().map(|outcome| outcome.took).ok();
        let call = &plan.reference.writes[plan.write - 1].call;
        let checked = outcome
            .and_then(|outcome| outcome.check(plan.reference))
            .map_err(|error| error.context(call.to_string()));
        let took = took.unwrap_or_default();
        (
            plan.name(),
            took.saturating_sub(plan.reference.took),
            checked,
        )
    });
    let (mut slowest, mut late) = ((Duration::ZERO, String::new()), 0);
    let mut results =
        std::pin::pin!(futures_util::stream::iter(runs).buffer_unordered(at_once(CONCURRENCY)));
    while let Some((name, delay, result)) = results.next().await {
        slowest = slowest.max((delay, name.clone()));
        late += u32::from(delay > run::DELAY);
        campaign.ended(&name, result)?;
    }
    println!("{}", campaign.summary());
    println!(
        "O4: {late} took more than {:?} longer than without the fault; most {:.1?}: {}",
        run::DELAY,
        slowest.0,
        slowest.1
    );
    campaign.verdict()
}
