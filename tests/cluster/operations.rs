//! Each property of the schema is changed and changed back (in the manner of Acto, SOSP 2023).
//!
//! The operations come from the CustomResourceDefinition: a property that is added to it is changed here too, or the test
//! says that it does not know how. Of each change: it is refused at admission where it must be, else it shows up in a child
//! (O7), unless it only concerns people; and the way back ends where it began (O8).
//!
//! [`built`] decides both in process for every operation. Here an API server, a kubelet and a whole operator take part: by
//! default in one operation of [`SOME`] and in all that are refused; `EDGEMODEL_LONG=operations` tries all of them,
//! `EDGEMODEL_LONG=operations/funcs` those whose names begin so.

mod after;
mod blast;
mod built;
mod expectation;
mod misoperation;
mod operation;
mod schema;
mod value;
mod walk;

use anyhow::Context as _;
use serde_json::Value;
use tests::faults::Plan;
use tests::operator::{Operator, settings};

use expectation::Effect;
use operation::Operation;

use crate::campaign;
use crate::operator::condition;
use crate::plans::runner::Runner;
use crate::plans::spec::base;
use crate::plans::state::{State, differences};
use crate::plans::workload::Action;

/// By default one of so many operations is tried on a cluster.
const SOME: usize = 24;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_property_shows_up_in_a_child_and_the_way_back_ends_where_it_began()
-> anyhow::Result<()> {
    let control_plane = tests::operator::cluster().await?;
    let operations = schema::operations()?;
    let chosen = campaign::sliced(chosen(&operations))?;
    let run = async |operation: &&Operation| {
        let runner = Runner::start(control_plane, "operation").await?;
        let client = tests::operator::client(control_plane, &Plan::new()).await?;
        let _operator = Operator::start(client, settings(&runner.namespace));
        change_and_back(&runner, operation).await?;
        runner.leave().await
    };
    campaign::all(&chosen, |operation| operation.name(), run).await?;
    Ok(())
}

/// Those that the environment asks for.
fn chosen(operations: &[Operation]) -> Vec<&Operation> {
    let taken = operations
        .iter()
        .filter(|operation| !operation.is_refused());
    match tests::long::long("operations") {
        None => taken.step_by(SOME).collect(),
        Some(prefix) => taken
            .filter(|operation| operation.name().starts_with(&prefix))
            .collect(),
    }
}

#[tokio::test]
async fn what_cannot_be_is_refused_in_words() -> anyhow::Result<()> {
    let control_plane = tests::operator::cluster().await?;
    let runner = Runner::start(control_plane, "refused").await?;
    for operation in schema::operations()? {
        let Effect::Refused(word) = operation.effect() else {
            continue;
        };
        let name = operation.name();
        let begin = operation.beginning(base())?;
        let begun = runner.act(&Action::Apply(begin.clone())).await;
        begun.with_context(|| name.clone())?;
        let applied = runner.act(&Action::Apply(operation.apply(begin, 0)?)).await;
        let refusal = applied.err().with_context(|| format!("{name}: taken"))?;
        let refusal = refusal.to_string();
        anyhow::ensure!(
            refusal.contains(word),
            "{name}: it does not say {word:?}: {refusal}"
        );
    }
    runner.leave().await
}

async fn change_and_back(runner: &Runner<'_>, operation: &Operation) -> anyhow::Result<()> {
    runner.act(&Action::Secret("secret")).await?;
    let begin = operation.beginning(base())?;
    runner.act(&Action::Apply(begin.clone())).await?;
    let before = runner.settled(None, "").await.context("before")?;
    let changed = operation.apply(begin.clone(), 0)?;
    runner.act(&Action::Apply(changed)).await?;
    let effect = operation.effect();
    let after = runner
        .settled(None, &before.secrets)
        .await
        .context("after")?;
    let status = &after.objects[&("EdgeModelRuntime".to_owned(), "plant".to_owned())]["status"];
    let shows = children(&before) != children(&after);
    anyhow::ensure!(
        shows == (effect == Effect::Shows),
        "O7: {}: {status:#}",
        if shows {
            "a child changed"
        } else {
            "no child shows it"
        },
    );
    if let Effect::Told(reason) = effect {
        let told = &condition(status, "Ready")["reason"];
        anyhow::ensure!(told == reason, "{status:#}");
    }
    let rolls = templates(&before) != templates(&after);
    anyhow::ensure!(
        !(rolls && operation.is_without_rollout()),
        "workers restart"
    );
    runner.act(&Action::Apply(begin)).await?;
    let back = runner.settled(Some(&before), "").await;
    let back = back.context("O8: the way back")?;
    anyhow::ensure!(differences(&before, &back).is_empty());
    Ok(())
}

/// The operations that a cluster takes and whose ends can be compared: their names, and the spec that each makes.
fn valid() -> anyhow::Result<Vec<(String, Value)>> {
    let taken = schema::operations()?
        .into_iter()
        .filter(|operation| operation.is_valid() && operation.is_comparable());
    taken
        .map(|operation| {
            let spec = operation.apply(operation.beginning(base())?, 0)?;
            Ok((operation.name(), spec))
        })
        .collect()
}

/// What is not the runtime itself.
fn children(state: &State) -> Vec<(&(String, String), &Value)> {
    let objects = state.objects.iter();
    objects
        .filter(|((kind, _), _)| kind != "EdgeModelRuntime")
        .collect()
}

/// What pods are made from; a change of it rolls them.
fn templates(state: &State) -> Vec<&Value> {
    let deployments = children(state)
        .into_iter()
        .filter(|((kind, _), _)| kind == "Deployment");
    deployments
        .map(|(_, object)| &object["spec"]["template"])
        .collect()
}
