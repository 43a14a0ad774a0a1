//! One run of one workload, with or without a fault.

use std::time::Duration;

use anyhow::Context as _;
use tests::control_plane::ControlPlane;
use tests::faults::{Plan, Verb, Write, WriteFault};
use tests::operator::{Operator, ha_operators, settings};

use super::runner::{CONVERGENCE, Runner};
use super::state::State;
use super::workload::Workload;
use crate::operator::RUNTIMES;

/// A fault may cost at most this, beyond what the workload takes without it (O4).
pub(super) const DELAY: Duration = Duration::from_secs(10);

/// How many times that on a machine that does other things too: pods start when the controllers get to it.
const LOADED: u32 = 4;

/// Where the operator itself is killed again and again, it takes as long as its successor needs to lead.
const DELAY_OF_CREW: Duration = Duration::from_mins(1);

/// On a machine that does other things too, what a controller has done may be heard of late, and the status changes once
/// more. So many times may be; what writes forever does so in each of them.
const ROUNDS: u32 = 3;

/// A workload with a fault at one of its writes.
pub(super) struct Planned<'a> {
    pub(super) workload: &'a Workload,
    pub(super) reference: &'a Outcome,
    pub(super) write: usize,
    pub(super) name: &'static str,
    pub(super) fault: WriteFault,
}

impl Planned<'_> {
    /// The same in every run.
    pub(super) fn name(&self) -> String {
        format!("{} write {} {}", self.workload.name, self.write, self.name)
    }
}

/// What a run came to.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) writes: Vec<Write>,
    /// From the last thing that was done to the end.
    pub(super) took: Duration,
    before: State,
    after: State,
    /// Writes after everything was done.
    late: Vec<Write>,
    panicked: bool,
    /// What was logged as an error.
    errors: Vec<String>,
}

impl Outcome {
    pub(super) fn check(self, reference: &Self) -> anyhow::Result<()> {
        for (key, uid) in &reference.before.uids {
            let serves = ["Deployment", "Service"].contains(&key.0.as_str());
            if serves && reference.after.uids.get(key) == Some(uid) {
                let kept = self.after.uids.get(key) == self.before.uids.get(key);
                anyhow::ensure!(kept, "O2: {key:?} was deleted and made again");
            }
        }
        let (writes, most) = (self.writes.len(), 2 * reference.writes.len() + 4);
        let shown = || {
            self.writes
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n  ")
        };
        anyhow::ensure!(
            writes <= most || ha_operators().is_some(),
            "O3: {writes} writes, at most {most}:\n  {}",
            shown()
        );
        anyhow::ensure!(
            self.late.is_empty(),
            "O3: writes when all was done: {:?}",
            self.late
        );
        anyhow::ensure!(!self.panicked, "O5: the operator panicked");
        // Leaders that are killed leave some to others.
        let quiet = self.errors.is_empty() || ha_operators().is_some();
        anyhow::ensure!(quiet, "O5: errors in the log: {}", self.errors.join("\n  "));
        Ok(())
    }
}

/// How often an operator has begun to look at the runtime.
fn looks_of(plan: &Plan) -> usize {
    plan.count(Verb::Get, RUNTIMES)
}

pub(super) async fn run(
    control_plane: &ControlPlane,
    workload: &Workload,
    planned: Option<&Planned<'_>>,
) -> anyhow::Result<Outcome> {
    let runner = Runner::start(control_plane, &workload.name.to_lowercase()).await?;
    let namespace = runner.namespace.clone();
    let reference = planned.map(|planned| planned.reference);
    let before = {
        let client = tests::operator::client(control_plane, &Plan::new()).await?;
        let operator = Operator::start(client, settings(&namespace));
        for action in &workload.before {
            runner.act(action).await?;
        }
        let known = reference.map(|reference| &reference.before);
        let before = runner.settled(known, "").await.context("before")?;
        operator.stop().await?;
        before
    };
    let plan = match planned {
        Some(planned) => Plan::new().at_write(planned.write, planned.fault),
        None => Plan::new(),
    };
    let mut under_test = settings(&namespace);
    workload
        .image
        .clone_into(&mut under_test.defaults.worker_image);
    let faulty = tests::operator::client(control_plane, &plan).await?;
    let operator = Operator::start(faulty, under_test.clone());
    let rest = Plan::new();
    let secrets = before.secrets.clone();
    let limit = match reference {
        Some(reference) if ha_operators().is_none() => reference.took + DELAY * LOADED,
        Some(reference) => reference.took + DELAY_OF_CREW,
        None => CONVERGENCE,
    };
    let wanted = reference.map(|reference| &reference.after);
    let settled = async || runner.settled_within(limit, wanted, &secrets).await;
    let steps = async {
        for action in &workload.then {
            runner.act(action).await?;
        }
        settled().await
    };
    tokio::pin!(steps);
    let (operator, took) = tokio::select! {
        end = &mut steps => (operator, end?.1),
        () = plan.crashed() => {
            operator.kill();
            let client = tests::operator::client(control_plane, &rest).await?;
            let successor = Operator::start(client, under_test);
            let end = steps.await;
            let end = end.with_context(|| {
                format!(
                    "the successor has looked {} times, written {:?}, logged {:?}{}",
                    looks_of(&rest),
                    rest.writes(),
                    successor.errors(),
                    if successor.has_ended() { ", and ended" } else { "" }
                )
            });
            (successor, end?.1)
        }
    };
    let writes = || [plan.writes(), rest.writes()].concat();
    let looks = || looks_of(&plan) + looks_of(&rest);
    // What looks like the end may be a moment on the way: the operator has not heard yet of what was done, or pods are
    // still to come. It looks at everything once more first.
    runner.looked(looks).await?;
    let mut rounds = 0;
    let (after, so_far) = loop {
        let (after, _) = settled().await?;
        let so_far = writes().len();
        runner.looked(looks).await?;
        rounds += 1;
        if writes().len() == so_far || rounds == ROUNDS {
            break (after, so_far);
        }
    };
    let all = writes();
    let panicked = operator.has_ended();
    let errors = operator.errors();
    operator.stop().await?;
    runner.leave().await?;
    Ok(Outcome {
        took,
        late: all[so_far..].to_vec(),
        writes: all[..so_far].to_vec(),
        before,
        after,
        panicked,
        errors,
    })
}
