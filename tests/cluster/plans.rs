//! Every workload, interrupted at every write in every way, must end where it ends when nothing is interrupted
//! (in the manner of Sieve, OSDI 2022).
//!
//! A workload runs once without faults: its writes are counted and its end is remembered. Then it runs again for each write
//! and fault. What is checked each time:
//! the same end (O1), soon (O4), nothing that serves is deleted and recreated (O2), few writes and none when all is done
//! (O3), no panic and no error in the log (O5), and at every moment what [`invariant_watcher`] knows (O6).
//!
//! By default every third write of each workload meets one fault, another one from write to write; `EDGEMODEL_LONG=plans` runs
//! every fault at every write, `EDGEMODEL_LONG=plans/W05` those of one workload.

mod decoys;
mod invariant_watcher;
mod neighbour;
mod run;
pub(crate) mod runner;
pub(crate) mod spec;
pub(crate) mod state;
pub(crate) mod workload;

use anyhow::Context as _;
use tests::faults::{Answer, WriteFault};

use crate::campaign;
use run::{Outcome, Planned};

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_workload_ends_in_the_same_state_whatever_write_fails() -> anyhow::Result<()> {
    let control_plane = tests::operator::cluster().await?;
    let wanted = tests::long::long("plans");
    let mut workloads: Vec<_> = workload::all().into_iter().enumerate().collect();
    let one = wanted.as_deref().filter(|wanted| !wanted.is_empty());
    workloads.retain(|(_, workload)| one.is_none_or(|one| one == workload.name));
    let references = campaign::all(
        &workloads,
        |(_, workload)| format!("{} without faults", workload.name),
        async |(index, workload)| {
            Ok((
                *index,
                workload,
                run::run(control_plane, workload, None).await?,
            ))
        },
    );
    let references: Vec<(_, _, Outcome)> = references.await?;
    let mut plans = Vec::new();
    for (index, workload, reference) in &references {
        for write in 1..=reference.writes.len() {
            let faults = if wanted.is_some() {
                &FAULTS[..]
            } else if (index + write) % 3 == 0 {
                &FAULTS[(index * 5 + write / 3) % FAULTS.len()..][..1]
            } else {
                &[]
            };
            plans.extend(faults.iter().map(|(name, fault)| Planned {
                workload,
                reference,
                write,
                name,
                fault: *fault,
            }));
        }
    }
    let plans = campaign::sliced(plans)?;
    let run = async |plan: &Planned| {
        let outcome = run::run(control_plane, plan.workload, Some(plan)).await;
        let checked = outcome.and_then(|outcome| outcome.check(plan.reference));
        checked.with_context(|| plan.reference.writes[plan.write - 1].call.to_string())
    };
    campaign::all(&plans, Planned::name, run).await?;
    Ok(())
}
