//! Sequences: what is right directly after what was wrong (SQ-02), and everything during a rollout (SQ-03). Each ends
//! where the last spec ends at once.
//!
//! By default some misoperations are followed by one valid operation each, another from one to the next;
//! `EDGEMODEL_LONG=operations` runs every pair, `EDGEMODEL_LONG=operations/OP-60` those of the misoperations whose names begin so.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use serde_json::Value;
use tests::control_plane::{ControlPlane, PodState};
use tests::faults::Plan;
use tests::operator::{Operator, settings};

use super::misoperation::{self, Misoperation};
use super::{blast, valid};
use crate::campaign;
use crate::plans::runner::Runner;
use crate::plans::spec::{base, with};
use crate::plans::state::State;
use crate::plans::workload::Action;

/// Specs that admission refuses, for what follows on a refusal.
const REFUSED: [fn(&mut Value); 4] = [
    |spec| spec["rules"][0]["sub"]["name"] = "dangling".into(),
    |spec| spec["mqtts"][0]["qos"] = 3.into(),
    |spec| spec["expose"][0]["outPort"] = 70_000.into(),
    |spec| spec["funcs"][0]["modelAddress"] = "ftp://models.example/a.zip".into(),
];

/// One of so many misoperations is followed by one valid operation when not all are by all.
const SOME: usize = 6;

/// A valid operation: its name and the spec that it makes of the first.
type Operation = (String, Value);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_valid_change_directly_after_a_wrong_one_ends_where_it_ends_alone() -> anyhow::Result<()>
{
    let operations = valid()?;
    let all = misoperation::all();
    let wrong = all.iter().map(|misoperation| misoperation.name);
    let refused = REFUSED.map(|change| First::Refused(change).name());
    let wrong: Vec<_> = wrong.chain(refused).collect();
    let pairs = campaign::sliced(pairs(&wrong, operations.len()))?;
    let control_plane = tests::operator::cluster().await?;
    let ends = ends(control_plane, &operations, pairs.iter().map(|pair| pair.1)).await?;
    let first = |wrong: usize| match all.get(wrong) {
        Some(misoperation) => First::Wrong(misoperation),
        None => First::Refused(REFUSED[wrong - all.len()]),
    };
    let name = |(wrong, valid): &(usize, usize)| {
        format!("{}, then {}", first(*wrong).name(), operations[*valid].0)
    };
    let run = async |(wrong, valid): &(usize, usize)| {
        sequence(
            control_plane,
            first(*wrong),
            &operations[*valid].1,
            &ends[valid],
        )
        .await
    };
    campaign::all(&pairs, name, run).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_during_a_rollout_ends_where_it_ends_alone() -> anyhow::Result<()> {
    let operations = valid()?;
    let all = 0..operations.len();
    let chosen: Vec<_> = if every() {
        all.collect()
    } else {
        all.step_by(96).collect()
    };
    let chosen = campaign::sliced(chosen)?;
    let control_plane = tests::operator::cluster().await?;
    let ends = ends(control_plane, &operations, chosen.iter().copied()).await?;
    let name = |valid: &usize| format!("{} during a rollout", operations[*valid].0);
    let run = async |valid: &usize| {
        sequence(
            control_plane,
            First::Rollout,
            &operations[*valid].1,
            &ends[valid],
        )
        .await
    };
    campaign::all(&chosen, name, run).await?;
    Ok(())
}

/// What comes before a valid operation.
enum First<'a> {
    Wrong(&'a Misoperation),
    Refused(fn(&mut Value)),
    Rollout,
}

impl First<'_> {
    fn name(&self) -> &'static str {
        match self {
            Self::Wrong(misoperation) => misoperation.name,
            Self::Refused(_) => "a spec that is refused",
            Self::Rollout => "a rollout",
        }
    }
}

async fn sequence(
    control_plane: &ControlPlane,
    first: First<'_>,
    spec: &Value,
    end: &State,
) -> anyhow::Result<()> {
    let runner = Runner::start(control_plane, "sequence").await?;
    let client = tests::operator::client(control_plane, &Plan::new()).await?;
    let operator = Operator::start(client, settings(&runner.namespace));
    prepare(&runner).await?;
    runner.act(&Action::Apply(base())).await?;
    runner.act(&Action::Until("Ready", "Ready")).await?;
    match first {
        First::Wrong(misoperation) => {
            blast::apply(&runner, misoperation).await?;
            blast::told(&runner, misoperation).await?;
        }
        First::Refused(change) => {
            let refused = runner.act(&Action::Apply(with(change))).await;
            anyhow::ensure!(refused.is_err(), "it was not refused");
        }
        First::Rollout => {
            runner.kubelet.report_new(&blast::BETA, PodState::Running);
            let rolled = with(|spec| spec["funcs"][1]["modelMd5"] = "f".repeat(32).into());
            runner.act(&Action::Apply(rolled)).await?;
            runner
                .act(&Action::Until("ModelsReady", "RollingOut"))
                .await?;
        }
    }
    runner.act(&Action::Apply(spec.clone())).await?;
    runner.kubelet.forget(&blast::BETA);
    runner.settled(Some(end), "").await.context("O8")?;
    anyhow::ensure!(!operator.has_ended(), "O5: the operator panicked");
    operator.stop().await?;
    runner.leave().await
}

/// Where the operations end when nothing came before.
async fn ends(
    control_plane: &ControlPlane,
    operations: &[Operation],
    of: impl Iterator<Item = usize>,
) -> anyhow::Result<BTreeMap<usize, State>> {
    let of: Vec<_> = of.collect::<BTreeSet<_>>().into_iter().collect();
    let run = async |index: &usize| {
        let runner = Runner::start(control_plane, "straight").await?;
        let client = tests::operator::client(control_plane, &Plan::new()).await?;
        let operator = Operator::start(client, settings(&runner.namespace));
        prepare(&runner).await?;
        runner
            .act(&Action::Apply(operations[*index].1.clone()))
            .await?;
        let end = runner.settled(None, "").await?;
        operator.stop().await?;
        runner.leave().await?;
        Ok((*index, end))
    };
    let name = |index: &usize| format!("{} alone", operations[*index].0);
    let ends = campaign::all(&of, name, run).await?;
    Ok(ends.into_iter().collect())
}

async fn prepare(runner: &Runner<'_>) -> anyhow::Result<()> {
    runner.act(&Action::Secret("secret")).await?;
    blast::half_a_secret(runner).await
}

/// What the environment asks for; `None` is some of everything.
fn wanted() -> Option<String> {
    tests::long::long("operations")
}

fn every() -> bool {
    wanted().is_some_and(|wanted| wanted.is_empty())
}

/// Of each wrong operation, which are given by their names, the numbers of valid ones that follow on it.
fn pairs(wrong: &[&str], valid: usize) -> Vec<(usize, usize)> {
    let of = |(first, name): (usize, &&str)| {
        let seconds: Vec<_> = match wanted() {
            None if first % SOME == 0 => vec![first * 7 % valid],
            Some(wanted) if name.starts_with(&wanted) => (0..valid).collect(),
            _ => Vec::new(),
        };
        seconds.into_iter().map(move |second| (first, second))
    };
    wrong.iter().enumerate().flat_map(of).collect()
}
