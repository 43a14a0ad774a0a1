//! One run of one workload, with or without a fault.

use std::time::Duration;

use anyhow::Context as _;
use tests::control_plane::ControlPlane;
use tests::faults::{Plan, Write, WriteFault};
use tests::operator::{Operator, settings};

use super::runner::Runner;
use super::state::{self, State};
use super::workload::Workload;

/// Longer than the operator's resync, so that it looks at everything at least once more.
const QUIET: Duration = Duration::from_millis(2500);

#[derive(Debug, Clone, Copy)]
pub(super) enum Setting<'a> {
    Reference,
    Fault {
        write: usize,
        fault: WriteFault,
        reference: &'a Outcome,
    },
}

/// What a run came to.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) writes: Vec<Write>,
    before: State,
    after: State,
    /// Writes after everything was done.
    late: Vec<Write>,
    panicked: bool,
}

impl Outcome {
    pub(super) fn check(self, reference: &Self) -> anyhow::Result<()> {
        let differences = state::differences(&reference.after, &self.after);
        anyhow::ensure!(differences.is_empty(), "O1: {}", differences.join("\n  "));
        for (key, uid) in &reference.before.uids {
            let serves = ["Deployment", "Service"].contains(&key.0.as_str());
            if serves && reference.after.uids.get(key) == Some(uid) {
                let kept = self.after.uids.get(key) == self.before.uids.get(key);
                anyhow::ensure!(kept, "O2: {key:?} was deleted and made again");
            }
        }
        let most = 2 * reference.writes.len() + 4;
        let shown = || {
            self.writes
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n  ")
        };
        anyhow::ensure!(
            self.writes.len() <= most,
            "O3: {} writes, at most {most}:\n  {}",
            self.writes.len(),
            shown()
        );
        anyhow::ensure!(
            self.late.is_empty(),
            "O3: writes when all was done: {:?}",
            self.late
        );
        anyhow::ensure!(!self.panicked, "O5: the operator panicked");
        Ok(())
    }
}

pub(super) async fn run(
    control_plane: &ControlPlane,
    workload: &Workload,
    setting: Setting<'_>,
) -> anyhow::Result<Outcome> {
    let runner = Runner::start(control_plane, &workload.name.to_lowercase()).await?;
    let (client, namespace) = (runner.client.clone(), runner.namespace.clone());
    let before = {
        let operator = Operator::start(client.clone(), settings(&namespace));
        for action in &workload.before {
            runner.act(action).await?;
        }
        let before = runner.settled(None, "").await.context("before")?;
        operator.stop().await?;
        before
    };
    let mut plan = Plan::new();
    if let Setting::Fault { write, fault, .. } = setting {
        plan = plan.at_write(write, fault);
    }
    let mut under_test = settings(&namespace);
    workload
        .image
        .clone_into(&mut under_test.defaults.worker_image);
    let faulty = control_plane.client_through(&plan.layer())?;
    let operator = Operator::start(faulty, under_test.clone());
    let rest = Plan::new();
    let secrets = before.secrets.clone();
    let steps = async {
        for action in &workload.then {
            runner.act(action).await?;
        }
        let wanted = match setting {
            Setting::Reference => None,
            Setting::Fault { reference, .. } => Some(&reference.after),
        };
        runner.settled(wanted, &secrets).await
    };
    tokio::pin!(steps);
    let operator = tokio::select! {
        end = &mut steps => {
            end?;
            operator
        }
        () = plan.crashed() => {
            operator.kill();
            let client = control_plane.client_through(&rest.layer())?;
            let successor = Operator::start(client, under_test);
            steps.await?;
            successor
        }
    };
    let writes = || [plan.writes(), rest.writes()].concat();
    // What looks like the end may be a moment on the way: the operator looks at everything once more first.
    tokio::time::sleep(QUIET).await;
    let so_far = writes().len();
    // That nothing happens takes a time to see; it is longer than the operator's own rhythm.
    tokio::time::sleep(QUIET).await;
    let all = writes();
    let after = runner.look(&secrets).await?;
    let panicked = operator.has_ended();
    operator.stop().await?;
    runner.leave().await?;
    Ok(Outcome {
        late: all[so_far..].to_vec(),
        writes: all[..so_far].to_vec(),
        before,
        after,
        panicked,
    })
}
