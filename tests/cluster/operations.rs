//! Each property of the schema is changed and changed back (in the manner of Acto, SOSP 2023).
//!
//! The operations come from the CustomResourceDefinition: a property that is added to it is changed here too, or the test
//! says that it does not know how. Of each change: it is refused at admission where it must be (`REFUSED`), else it shows up in a child
//! (O7), unless it only concerns people (`STATUS_ONLY`); and the way back ends where it began (O8).

mod after;
mod blast;
mod misoperation;
mod value;
mod walk;

use anyhow::Context as _;
use futures_util::StreamExt as _;
use serde_json::Value;
use tests::faults::Plan;
use tests::operator::{Operator, at_once, settings};

use crate::plans::runner::Runner;
use crate::plans::spec::base;
use crate::plans::state::{State, differences};
use crate::plans::workload::Action;

const CONCURRENCY: usize = 8;

/// Properties that no child shows.
const STATUS_ONLY: [&str; 1] = ["expose[].desc"];

/// Properties of a laptop's configuration that a cluster refuses, and a word of what it says instead.
const REFUSED: [(&str, &str); 7] = [
    ("mqtts[].auth.username", "credentialsSecretRef"),
    ("mqtts[].auth.usernameFile", "credentialsSecretRef"),
    ("mqtts[].auth.password", "credentialsSecretRef"),
    ("mqtts[].auth.passwordFile", "credentialsSecretRef"),
    ("mqtts[].tls.caFile", "secretRef"),
    ("mqtts[].tls.certFile", "secretRef"),
    ("mqtts[].tls.keyFile", "secretRef"),
];

/// Properties that need what this cluster has not: their effect is a condition, which has a test of its own.
const ELSEWHERE: [&str; 1] = ["funcs[].autoscaling.prometheusAddress"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_property_shows_up_in_a_child_and_the_way_back_ends_where_it_began()
-> anyhow::Result<()> {
    let control_plane = tests::operator::cluster().await?;
    let schema = crds::custom_resource::openapi();
    let leaves = value::leaves(&schema["properties"]["spec"], "");
    assert!(leaves.len() > 50, "{leaves:?}");
    let runs = leaves
        .iter()
        .filter(|(path, _)| !ELSEWHERE.contains(&path.as_str()));
    let runs = runs.map(async |(path, schema)| {
        let operation = async {
            let runner = Runner::start(control_plane, "operation").await?;
            let client = tests::operator::client(control_plane, &Plan::new()).await?;
            let _operator = Operator::start(client, settings(&runner.namespace));
            change_and_back(&runner, path, schema).await?;
            runner.leave().await
        };
        operation
            .await
            .map_err(|error: anyhow::Error| format!("{path}: {error:#}"))
    });
    let results: Vec<_> = futures_util::stream::iter(runs)
        .buffer_unordered(at_once(CONCURRENCY))
        .collect()
        .await;
    let failures: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    assert!(
        failures.is_empty(),
        "{} failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
    Ok(())
}

async fn change_and_back(runner: &Runner<'_>, path: &str, schema: &Value) -> anyhow::Result<()> {
    runner.act(&Action::Secret("secret")).await?;
    let begin = value::beginning(path, base());
    runner.act(&Action::Apply(begin.clone())).await?;
    let before = runner.settled(None, "").await.context("before")?;
    let changed = value::changed(path, schema, begin.clone())?;
    let applied = runner.act(&Action::Apply(changed)).await;
    if let Some((_, word)) = REFUSED.iter().find(|(of, _)| *of == path) {
        let refusal = applied.err().context("it was not refused")?.to_string();
        anyhow::ensure!(
            refusal.contains(word),
            "it does not say {word:?}: {refusal}"
        );
        return Ok(());
    }
    applied?;
    let after = runner
        .settled(None, &before.secrets)
        .await
        .context("after")?;
    let shows = children(&before) != children(&after);
    let quiet = STATUS_ONLY.contains(&path);
    anyhow::ensure!(
        shows != quiet,
        "O7: {}",
        if quiet {
            "a child changed"
        } else {
            "no child shows it"
        }
    );
    runner.act(&Action::Apply(begin)).await?;
    let back = runner.settled(Some(&before), "").await;
    let back = back.context("O8: the way back")?;
    anyhow::ensure!(differences(&before, &back).is_empty());
    Ok(())
}

/// The valid operations: each property of the schema that a cluster takes, changed.
fn valid() -> anyhow::Result<Vec<(String, Value)>> {
    let schema = crds::custom_resource::openapi();
    let leaves = value::leaves(&schema["properties"]["spec"], "");
    let taken = leaves.into_iter().filter(|(path, _)| {
        let refused = REFUSED.iter().any(|(of, _)| of == path);
        // In the node's network a worker's port depends on the namespace's name, which differs from run to run.
        let differs = path == "placement.hostNetwork";
        !refused && !differs && !ELSEWHERE.contains(&path.as_str())
    });
    let changed = taken.map(|(path, schema)| {
        let spec = value::changed(&path, &schema, value::beginning(&path, base()))?;
        Ok((path, spec))
    });
    changed.collect()
}

/// What is not the runtime itself.
fn children(state: &State) -> Vec<(&(String, String), &Value)> {
    let objects = state.objects.iter();
    objects
        .filter(|((kind, _), _)| kind != "EdgeModelRuntime")
        .collect()
}
