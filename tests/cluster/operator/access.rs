//! What the operator's account may do: what `deploy/operator.yaml` allows is what it uses.

mod work;

use std::collections::BTreeSet;

use kube::Client;
use serde_json::Value;
use tests::control_plane::{ControlPlane, Kubelet};
use tests::eventually;
use tests::faults::Plan;
use tests::operator::{Operator, candidate};

use super::Site;

const NAMESPACE: &str = "edgemodel-system";
const NAME: &str = "edgemodel-operator";
const DEPLOY: &str = include_str!("../../../deploy/operator.yaml");

/// A rule that is missing shows as a runtime that never gets ready, on somebody's cluster; one that is too much as
/// nothing at all, until somebody has the operator's token.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operator_uses_every_rule_of_its_account_and_needs_no_other() -> anyhow::Result<()> {
    let control_plane = ControlPlane::start(tests::operator::options()).await?;
    let apply = ["apply", "-f", "-"];
    control_plane.kubectl_with_input(&apply, DEPLOY).await?;
    let kubelet = Kubelet::start(control_plane.client()?, None);
    // Admission as `restricted` lets its pod in.
    let deployment = format!("deployment/{NAME}");
    let available = "--for=condition=Available";
    let wait = [
        "wait",
        available,
        &deployment,
        "-n",
        NAMESPACE,
        "--timeout=60s",
    ];
    control_plane.kubectl(&wait).await?;
    let allowed = allowed(&control_plane).await?;
    until_authorized(&control_plane).await?;

    let plan = Plan::new();
    let config = control_plane.config_as_service_account(NAMESPACE, NAME);
    let client = tests::control_plane::client_through(config.await?, &plan.layer())?;
    let mut settings = candidate(NAMESPACE, "first");
    settings.namespace = None;
    let namespace = control_plane.namespace("access").await?;
    let site = Site {
        control_plane: &control_plane,
        namespace,
        kubelet,
        operator: Operator::start(client, settings),
    };
    let worked = work::all(&site).await;
    site.operator.stop().await?;

    let refused: BTreeSet<_> = plan.forbidden().iter().map(ToString::to_string).collect();
    assert!(refused.is_empty(), "403 was answered to {refused:#?}");
    worked?;
    let accesses = plan.accesses();
    let used: BTreeSet<Rule> = accesses
        .iter()
        .map(|access| {
            let verb = access.verb.as_str().to_owned();
            (verb, access.resource.clone(), access.subresource.clone())
        })
        .collect();
    let unused: Vec<_> = allowed.difference(&used).collect();
    assert!(
        unused.is_empty(),
        "allowed by deploy/operator.yaml and never used: {unused:#?}"
    );
    let beyond: Vec<_> = used.difference(&allowed).collect();
    assert!(beyond.is_empty(), "used without a rule: {beyond:#?}");
    is_released(&control_plane.client()?).await
}

/// Verb, resource as in `deployments.apps`, subresource.
type Rule = (String, String, String);

/// What the roles allow, as the API server has them.
async fn allowed(control_plane: &ControlPlane) -> anyhow::Result<BTreeSet<Rule>> {
    let mut allowed = BTreeSet::new();
    for (kind, namespace) in [("clusterrole", "default"), ("role", NAMESPACE)] {
        let get = ["get", kind, NAME, "-n", namespace, "-o", "json"];
        let role: Value = serde_json::from_str(&control_plane.kubectl(&get).await?)?;
        for rule in role["rules"].as_array().into_iter().flatten() {
            let words = |key: &str| {
                let words = rule[key].as_array().into_iter().flatten();
                words.filter_map(Value::as_str).collect::<Vec<_>>()
            };
            for group in words("apiGroups") {
                for resource in words("resources") {
                    let (resource, part) = resource.split_once('/').unwrap_or((resource, ""));
                    let resource = [resource, group].join(".");
                    let resource = resource.trim_end_matches('.');
                    allowed.extend(
                        words("verbs")
                            .into_iter()
                            .map(|verb| (verb.to_owned(), resource.to_owned(), part.to_owned())),
                    );
                }
            }
        }
    }
    anyhow::ensure!(
        !allowed.iter().any(|rule| format!("{rule:?}").contains('*')),
        "a rule that allows everything: {allowed:?}"
    );
    Ok(allowed)
}

/// The authorizer hears of roles by a watch.
async fn until_authorized(control_plane: &ControlPlane) -> anyhow::Result<()> {
    let account = format!("--as=system:serviceaccount:{NAMESPACE}:{NAME}");
    for (verb, resource, scope) in [
        (
            "create",
            "leases.coordination.k8s.io",
            "--namespace=edgemodel-system",
        ),
        (
            "watch",
            "edgemodelruntimes.edgemodel.io",
            "--all-namespaces",
        ),
    ] {
        // It ends with 1 when the answer is no.
        let ask = ["auth", "can-i", verb, resource, scope, &account];
        eventually(async || control_plane.kubectl(&ask).await.map(Some)).await?;
    }
    Ok(())
}

/// Whoever comes next need not wait for the Lease to run out.
async fn is_released(client: &Client) -> anyhow::Result<()> {
    let leases = kube::Api::<k8s_openapi::api::coordination::v1::Lease>::namespaced(
        client.clone(),
        NAMESPACE,
    );
    let lease = leases.get(NAME).await?;
    let holder = lease.spec.and_then(|spec| spec.holder_identity);
    assert_eq!(holder.as_deref(), Some(""));
    Ok(())
}
