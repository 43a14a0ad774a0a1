//! Random walks: where a runtime ends does not depend on the way (O8).
//!
//! There is 1 by default, 200 with `EDGEMODEL_LONG=walks`, 20 with `EDGEMODEL_LONG=walks/20`. Each has 20 steps and is
//! given by its number.

use anyhow::Context as _;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use tests::control_plane::ControlPlane;
use tests::faults::Plan;
use tests::operator::{Operator, settings};

use super::operation::{Change, Operation};
use super::schema;
use crate::campaign;
use crate::plans::runner::Runner;
use crate::plans::spec::base;
use crate::plans::state::differences;
use crate::plans::workload::Action;

const STEPS: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_random_walk_ends_where_its_last_spec_ends_at_once() -> anyhow::Result<()> {
    let control_plane = tests::operator::cluster().await?;
    let count = match tests::long::long("walks").as_deref() {
        None => 1,
        Some("") => 200,
        Some(count) => count.parse().context("EDGEMODEL_LONG=walks/COUNT")?,
    };
    let walks = campaign::sliced((0..count).collect())?;
    let run = async |seed: &u64| walk(control_plane, *seed).await;
    campaign::all(&walks, |seed| format!("walk {seed}"), run).await?;
    Ok(())
}

async fn walk(control_plane: &ControlPlane, seed: u64) -> anyhow::Result<()> {
    let mut random = StdRng::seed_from_u64(seed);
    let operations = schema::operations()?;
    let steps: Vec<_> = operations.iter().filter(|one| is_step(one)).collect();
    let way = Runner::start(control_plane, "walk").await?;
    way.act(&Action::Secret("secret")).await?;
    let client = tests::operator::client(control_plane, &Plan::new()).await?;
    let operator = Operator::start(client.clone(), settings(&way.namespace));
    let mut spec = base();
    for step in 0..STEPS {
        let operation = steps.choose(&mut random).context("there are many")?;
        spec = operation.apply(operation.beginning(spec)?, u8::try_from(step)?)?;
        // A step that does not fit to those before is refused whole, and the walk goes on from where it is.
        if way.act(&Action::Apply(spec.clone())).await.is_err() {
            spec = base();
            way.act(&Action::Apply(spec.clone())).await?;
        }
    }
    let end = way.settled(None, "").await?;
    operator.stop().await?;
    way.leave().await?;
    let straight = Runner::start(control_plane, "straight").await?;
    straight.act(&Action::Secret("secret")).await?;
    let operator = Operator::start(client, settings(&straight.namespace));
    straight.act(&Action::Apply(spec)).await?;
    let expected = straight.settled(None, "").await?;
    operator.stop().await?;
    straight.leave().await?;
    let differences = differences(&expected, &end);
    anyhow::ensure!(differences.is_empty(), "O8: {}", differences.join("\n  "));
    Ok(())
}

/// Whether it can be done in a walk, whose steps have to be legal beside what others have made before.
fn is_step(operation: &Operation) -> bool {
    let alone = [
        "modelCache.",
        "mqtts[].tls",
        "placement.tolerations",
        "funcs[].autoscaling",
        "mqtts[].name",
    ];
    let is_alone = alone.iter().any(|of| operation.path.starts_with(of));
    // 64 workers roll out one by one, for minutes on a busy machine; that number is tested alone.
    let is_long = operation.path == "funcs[].replicas"
        && matches!(operation.change, Change::Bound("most", _));
    !is_alone && !is_long && operation.is_valid() && operation.is_comparable()
}
