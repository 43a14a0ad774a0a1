//! Every workload, interrupted at every write in every way, must end where it ends when nothing is interrupted
//! (in the manner of Sieve, OSDI 2022).
//!
//! A workload runs once without faults: its writes are counted and its end is remembered. Then it runs again for each write
//! and fault. What is checked each time:
//! the same end (O1), nothing that serves is deleted and made again (O2), few writes and none when all is done (O3), no panic
//! (O5), nothing of others touched and a generation that never goes back (O6).
//!
//! By default each write of each workload meets one fault, another one from write to write;
//! `EDGEMODEL_FAULT_PLANS=all` runs all of them, `EDGEMODEL_FAULT_PLANS=W05` one workload's.

mod run;
pub(crate) mod runner;
pub(crate) mod spec;
pub(crate) mod state;
pub(crate) mod workload;

use std::time::Instant;

use futures_util::StreamExt as _;
use tests::faults::{Answer, WriteFault};

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

#[expect(
    clippy::print_stdout,
    reason = "what was run, for who runs all of them"
)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_workload_ends_in_the_same_state_whatever_write_fails() -> anyhow::Result<()> {
    let begun = Instant::now();
    let control_plane = tests::operator::cluster().await?;
    let wanted = std::env::var("EDGEMODEL_FAULT_PLANS").unwrap_or_default();
    let chosen = |workload: &&Workload| !wanted.starts_with('W') || workload.name == wanted;
    let workloads = workload::all();
    let workloads: Vec<_> = workloads.iter().filter(chosen).collect();
    let references = futures_util::stream::iter(workloads.iter().map(async |workload| {
        let run = run::run(control_plane, workload, Setting::Reference).await;
        (*workload, run)
    }));
    let references: Vec<_> = references.buffered(CONCURRENCY).collect().await;
    let mut plans = Vec::new();
    let mut failures = Vec::new();
    for (index, (workload, reference)) in references.iter().enumerate() {
        let reference = match reference {
            Ok(reference) => reference,
            Err(error) => {
                failures.push(format!("{} without faults: {error:#}", workload.name));
                continue;
            }
        };
        println!("{}: {} writes", workload.name, reference.writes.len());
        for write in (1..=reference.writes.len()).filter(|_| wanted != "reference") {
            let one = [FAULTS[(index * 5 + write) % FAULTS.len()]];
            let all = !wanted.is_empty();
            for fault in if all { &FAULTS[..] } else { &one[..] } {
                plans.push((*workload, reference, write, *fault));
            }
        }
    }
    let count = plans.len();
    let runs = plans
        .into_iter()
        .map(async |(workload, reference, write, (name, fault))| {
            let setting = Setting::Fault {
                write,
                fault,
                reference,
            };
            let result = run::run(control_plane, workload, setting).await;
            let plan = format!(
                "{} write {write} ({}) {name}",
                workload.name,
                reference.writes[write - 1].call
            );
            result
                .and_then(|outcome: Outcome| outcome.check(reference))
                .map_err(|error| format!("{plan}: {error:#}"))
        });
    let results: Vec<_> = futures_util::stream::iter(runs)
        .buffer_unordered(CONCURRENCY)
        .collect()
        .await;
    failures.extend(results.into_iter().filter_map(Result::err));
    println!(
        "{count} plans in {} s, {} failed",
        begun.elapsed().as_secs(),
        failures.len()
    );
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    Ok(())
}
