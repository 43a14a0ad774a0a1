//! What the operator's account may do: what the chart allows is what it uses.

mod work;

use std::collections::BTreeSet;

use kube::Client;
use serde_json::{Value, json};
use tests::control_plane::{ControlPlane, Kubelet};
use tests::eventually;
use tests::faults::Plan;
use tests::operator::{Operator, candidate};

use super::Site;
use crate::chart::render;

const NAMESPACE: &str = "edgemodel-system";
const NAME: &str = "edgemodel-operator";
const LEASE_ROLE: &str = "edgemodel-operator-lease";
const DEPLOY: &str = include_str!("../../../deploy/install.yaml");

/// A rule that is missing shows as a runtime that never gets ready, on somebody's cluster; one that is too much as
/// nothing at all, until somebody has the operator's token.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operator_uses_every_rule_of_its_account_and_needs_no_other() -> anyhow::Result<()> {
    let control_plane = start().await?;
    let namespace = control_plane.namespace("access").await?;
    let other = control_plane.namespace("holder").await?;
    let roles = [
        ("clusterrole", "default", NAME),
        ("role", NAMESPACE, LEASE_ROLE),
    ];
    works(&control_plane, DEPLOY, None, &roles, [&namespace, &other]).await
}

/// An operator of one namespace has no right anywhere else, and misses but one: to say who holds a port.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_of_one_namespace_gets_on_with_a_role_there() -> anyhow::Result<()> {
    let control_plane = start().await?;
    let namespace = control_plane.namespace("access").await?;
    let values = json!({
        "watchNamespaces": [namespace],
        "createNamespace": true,
        "rbac": { "userRoles": false },
    });
    let deploy = render(&control_plane, NAMESPACE, &values).await?;
    assert!(!deploy.contains("ClusterRole"), "{deploy}");
    let roles = [
        ("role", namespace.as_str(), NAME),
        ("role", NAMESPACE, LEASE_ROLE),
    ];
    let only = Some(namespace.as_str());
    works(&control_plane, &deploy, only, &roles, [&namespace; 2]).await
}

async fn start() -> anyhow::Result<ControlPlane> {
    ControlPlane::start(tests::operator::options()).await
}

/// Kind, namespace and name of a role.
type Role<'a> = (&'a str, &'a str, &'a str);

/// Runs an operator as the account in `deploy` in one of two namespaces, and compares what it uses with its roles; `only`
/// is the namespace where they end, if they do.
async fn works(
    control_plane: &ControlPlane,
    deploy: &str,
    only: Option<&str>,
    roles: &[Role<'_>],
    [namespace, other]: [&str; 2],
) -> anyhow::Result<()> {
    let apply = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
    control_plane.kubectl_with_input(&apply, deploy).await?;
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
    let allowed = allowed(control_plane, roles).await?;
    until_authorized(control_plane, namespace).await?;

    let plan = Plan::new();
    let config = control_plane.config_as_service_account(NAMESPACE, NAME);
    let client = tests::control_plane::client_through(config.await?, &plan.layer())?;
    let mut settings = candidate(NAMESPACE, "first");
    settings.namespaces = only.map(str::to_owned).into_iter().collect();
    let site = Site {
        control_plane,
        namespace: namespace.to_owned(),
        kubelet,
        operator: Operator::alone(client, settings),
    };
    let worked = work::all(&site, other).await;
    site.operator.stop().await?;

    let refused: BTreeSet<_> = plan.forbidden().iter().map(ToString::to_string).collect();
    let holders = only.map(|_| "list services".to_owned());
    let expected: BTreeSet<_> = holders.into_iter().collect();
    assert_eq!(
        refused, expected,
        "what 403 was answered to, and what it may be"
    );
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
        "allowed by the chart and never used: {unused:#?}"
    );
    let beyond: Vec<_> = used.difference(&allowed).collect();
    assert!(beyond.is_empty(), "used without a rule: {beyond:#?}");
    is_released(&control_plane.client()?).await
}

/// Verb, resource as in `deployments.apps`, subresource.
type Rule = (String, String, String);

/// What the roles allow, as the API server has them.
async fn allowed(
    control_plane: &ControlPlane,
    roles: &[Role<'_>],
) -> anyhow::Result<BTreeSet<Rule>> {
    let mut allowed = BTreeSet::new();
    for (kind, namespace, name) in roles {
        let get = ["get", kind, name, "-n", namespace, "-o", "json"];
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
async fn until_authorized(control_plane: &ControlPlane, namespace: &str) -> anyhow::Result<()> {
    let account = format!("--as=system:serviceaccount:{NAMESPACE}:{NAME}");
    for (verb, resource, namespace) in [
        ("create", "leases.coordination.k8s.io", NAMESPACE),
        ("watch", "edgemodelruntimes.edgemodel.io", namespace),
    ] {
        // It ends with 1 when the answer is no.
        let ask = ["auth", "can-i", verb, resource, "-n", namespace, &account];
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
