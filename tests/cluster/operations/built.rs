//! Every operation in process: it shows up in what the operator builds where it must, and rolls workers where it must.
//!
//! What only an API server can say, of some of them, is `every_property_shows_up_in_a_child` in the module above.

use std::collections::BTreeMap;

use anyhow::Context as _;
use crds::{ClusterRuntime, RuntimeSpec};
use operator::desired::{Child, Defaults, Desired, Identity, Inputs, SecretView, build};
use operator::kind::Kind;
use serde_json::Value;

use super::expectation::Effect;
use super::operation::Operation;
use super::schema;
use crate::plans::spec::base;

#[test]
fn every_operation_shows_up_in_what_is_built() -> anyhow::Result<()> {
    let operations = schema::operations()?;
    assert!(operations.len() > 200, "{}", operations.len());
    let checked = operations.iter().map(|operation| {
        let result = check(operation);
        result.with_context(|| operation.name())
    });
    let failures: Vec<_> = checked.filter_map(Result::err).collect();
    anyhow::ensure!(failures.is_empty(), "{failures:#?}");
    Ok(())
}

fn check(operation: &Operation) -> anyhow::Result<()> {
    let begin = operation.beginning(base())?;
    let before = built(&begin)?.context("the beginning is refused")?;
    let after = built(&operation.apply(begin, 0)?)?;
    let (shows, after) = match (operation.effect(), after) {
        // The API server refuses it: see `crds/tests/admission`.
        (Effect::Refused(_), _) | (Effect::Told(_), None) => return Ok(()),
        (Effect::Told(_), Some(_)) => anyhow::bail!("it is not refused"),
        (_, None) => anyhow::bail!("it is refused"),
        (effect, Some(after)) => (effect == Effect::Shows, after),
    };
    let changes = bodies(&before) != bodies(&after);
    anyhow::ensure!(changes == shows, "a child changes: {changes}");
    let rolls = templates(&before) != templates(&after);
    anyhow::ensure!(
        !(rolls && operation.is_without_rollout()),
        "workers restart"
    );
    Ok(())
}

/// What is built for a spec, unless it is refused.
fn built(spec: &Value) -> anyhow::Result<Option<Desired>> {
    // Ports of a run on a cluster are known by their numbers alone.
    let text = (1..=9).fold(spec.to_string(), |text, number| {
        text.replace(&format!("\"PORT{number}\""), &format!("4000{number}"))
    });
    let Ok(runtime) = ClusterRuntime::new(serde_json::from_str::<RuntimeSpec>(&text)?) else {
        return Ok(None);
    };
    let keys = ["username", "password", "ca.crt", "tls.crt", "tls.key"];
    let view = SecretView {
        keys: keys.map(str::to_owned).into(),
        digest: "digest".to_owned(),
    };
    Ok(Some(build(&Inputs {
        identity: &Identity {
            name: "plant".to_owned(),
            namespace: "operation".to_owned(),
            uid: "0b8f1c1e".to_owned(),
        },
        runtime: &runtime,
        secrets: &BTreeMap::from([("broker".to_owned(), view)]),
        defaults: &Defaults {
            worker_image: "worker:1".to_owned(),
        },
    })))
}

/// Of each child what is applied.
fn bodies(desired: &Desired) -> BTreeMap<(&str, &str), &Value> {
    let children = desired.children();
    children
        .map(|child| ((child.kind.as_str(), child.name.as_str()), &child.body))
        .collect()
}

/// What pods are made from.
fn templates(desired: &Desired) -> Vec<&Value> {
    let deployments = desired
        .children()
        .filter(|child: &&Child| child.kind == Kind::Deployment);
    deployments
        .map(|child| &child.body["spec"]["template"])
        .collect()
}
