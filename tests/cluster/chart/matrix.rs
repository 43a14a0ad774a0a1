//! Combinations of values: what each makes is taken by a real API server.

mod everything;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::control_plane::ControlPlane;
use tests::eventually;
use tests::operator::cluster;
use tokio::sync::OnceCell;

use super::{CHART, Values, render};
use everything::everything;

const KINDS: &str = include_str!("../../fixtures/monitoring/kinds.yaml");

/// The kinds of the default values.
const ALWAYS: &[&str] = &[
    "ClusterRole/edgemodel-edit",
    "ClusterRole/edgemodel-operator",
    "ClusterRole/edgemodel-view",
    "ClusterRoleBinding/edgemodel-operator",
    "CustomResourceDefinition/edgemodelruntimes.edgemodel.io",
    "Deployment/edgemodel-operator",
    "Role/edgemodel-operator-lease",
    "RoleBinding/edgemodel-operator-lease",
    "ServiceAccount/edgemodel-operator",
];

/// The shared control plane with the kinds of the Prometheus operator too.
async fn with_kinds() -> anyhow::Result<&'static ControlPlane> {
    static INSTALLED: OnceCell<()> = OnceCell::const_new();
    let control_plane = cluster().await?;
    let install = async || {
        let apply = ["apply", "--server-side", "-f", "-"];
        control_plane.kubectl_with_input(&apply, KINDS).await?;
        for kind in ["servicemonitors", "podmonitors", "prometheusrules"] {
            let name = format!("crd/{kind}.monitoring.coreos.com");
            let wait = [
                "wait",
                "--for=condition=Established",
                "--timeout=60s",
                &name,
            ];
            control_plane.kubectl(&wait).await?;
        }
        anyhow::Ok(())
    };
    INSTALLED.get_or_try_init(install).await?;
    Ok(control_plane)
}

/// Applies what the chart makes of `values`, without keeping it, and gives the objects as the API server has them.
async fn applied(namespace: &str, values: &Value) -> anyhow::Result<Vec<Value>> {
    let control_plane = with_kinds().await?;
    let text = render(control_plane, namespace, values).await?;
    let apply = [
        "apply",
        "--server-side",
        "--force-conflicts",
        "--dry-run=server",
        "--validate=strict",
        "-o",
        "json",
        "-f",
        "-",
    ];
    // kubectl learns of new kinds from a list that the API server makes now and then.
    let output = eventually(
        async || match control_plane.kubectl_with_input(&apply, &text).await {
            Err(error) if error.to_string().contains("no matches for kind") => Err(error),
            other => Ok(Some(other)),
        },
    );
    let list: Value = serde_json::from_str(&output.await??)?;
    Ok(list["items"].as_array().cloned().unwrap_or_default())
}

fn names(objects: &[Value]) -> BTreeSet<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let name = |object: &Value| text(&object["kind"]) + "/" + &text(&object["metadata"]["name"]);
    objects.iter().map(name).collect()
}

fn find<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    let found = objects.iter().find(|object| object["kind"] == kind);
    found.unwrap_or(&Value::Null)
}

/// What is there besides, and what is not.
fn expected(more: &[&str], less: &[&str]) -> BTreeSet<String> {
    let always = ALWAYS.iter().filter(|name| !less.contains(name));
    always.chain(more).map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn helm_finds_nothing_to_complain_of() -> anyhow::Result<()> {
    let control_plane = cluster().await?;
    for values in [json!({}), everything("default")] {
        let values = Values::new(&values)?;
        let lint = ["lint", "--strict", CHART];
        control_plane
            .helm(&[&lint[..], &values.arguments()].concat())
            .await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_default_values() -> anyhow::Result<()> {
    let namespace = cluster().await?.namespace("chart").await?;
    let objects = applied(&namespace, &json!({})).await?;
    assert_eq!(names(&objects), expected(&[], &[]));
    let container = &find(&objects, "Deployment")["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["image"], "edgemodel-operator:0.1.0");
    let arguments = json!([
        "run",
        "--worker-image=edgemodel-worker:0.1.0",
        "--resync=180",
        "--concurrency=8"
    ]);
    assert_eq!(container["args"], arguments);
    let definition = &find(&objects, "CustomResourceDefinition")["metadata"];
    assert_eq!(definition["annotations"]["helm.sh/resource-policy"], "keep");
    Ok(())
}

/// The chart's definition is that of the code, character for character, whatever Helm makes of its braces.
#[tokio::test]
async fn the_definition_survives_being_a_template() -> anyhow::Result<()> {
    let namespace = cluster().await?.namespace("chart").await?;
    let objects = applied(&namespace, &json!({})).await?;
    let ours = &find(&objects, "CustomResourceDefinition")["spec"]["versions"];
    let code = serde_json::to_value(crds::custom_resource::crd())?;
    assert_eq!(*ours, code["spec"]["versions"]);
    Ok(())
}

#[tokio::test]
async fn one_namespace() -> anyhow::Result<()> {
    let control_plane = cluster().await?;
    let (namespace, watched) = (
        control_plane.namespace("chart").await?,
        control_plane.namespace("watched").await?,
    );
    let values = json!({ "watchNamespace": watched, "rbac": { "userRoles": false }, "createNamespace": true });
    let objects = applied(&namespace, &values).await?;
    let more = [
        "Role/edgemodel-operator",
        "RoleBinding/edgemodel-operator",
        &format!("Namespace/{namespace}"),
    ];
    let less = [ALWAYS[0], ALWAYS[1], ALWAYS[2], ALWAYS[3]];
    assert_eq!(names(&objects), expected(&more, &less));
    let roles = objects
        .iter()
        .filter(|object| object["metadata"]["name"] == "edgemodel-operator");
    let roles: Vec<_> = roles
        .filter(|object| {
            object["kind"]
                .as_str()
                .is_some_and(|kind| kind.starts_with("Role"))
        })
        .collect();
    assert!(
        roles
            .iter()
            .all(|role| role["metadata"]["namespace"] == *watched),
        "{roles:#?}"
    );
    let arguments =
        &find(&objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]["args"];
    let only = format!("--namespace={watched}");
    assert!(
        arguments
            .as_array()
            .is_some_and(|all| all.contains(&json!(only))),
        "{arguments}"
    );
    Ok(())
}

#[tokio::test]
async fn parts_left_to_others() -> anyhow::Result<()> {
    let namespace = cluster().await?.namespace("chart").await?;
    let account = "ServiceAccount/edgemodel-operator";
    let definition = "CustomResourceDefinition/edgemodelruntimes.edgemodel.io";
    let cases: [(Value, &[&str]); 5] = [
        (json!({ "crds": { "enabled": false } }), &[definition]),
        (
            json!({ "rbac": { "userRoles": false } }),
            &[ALWAYS[0], ALWAYS[2]],
        ),
        (
            json!({ "rbac": { "create": false, "userRoles": false } }),
            &[
                ALWAYS[0], ALWAYS[1], ALWAYS[2], ALWAYS[3], ALWAYS[6], ALWAYS[7],
            ],
        ),
        (
            json!({ "serviceAccount": { "create": false, "name": "theirs" } }),
            &[account],
        ),
        (
            json!({ "leaderElection": { "enabled": false } }),
            &[ALWAYS[6], ALWAYS[7]],
        ),
    ];
    for (values, less) in cases {
        let objects = applied(&namespace, &values).await?;
        assert_eq!(names(&objects), expected(&[], less), "{values}");
    }
    let objects = applied(&namespace, &json!({ "crds": { "keep": false } })).await?;
    let metadata = &find(&objects, "CustomResourceDefinition")["metadata"];
    assert_eq!(
        metadata["annotations"]["helm.sh/resource-policy"],
        Value::Null
    );
    Ok(())
}

/// Without an election two operators at once would both write.
#[tokio::test]
async fn without_an_election_the_old_operator_goes_first() -> anyhow::Result<()> {
    let namespace = cluster().await?.namespace("chart").await?;
    let objects = applied(
        &namespace,
        &json!({ "leaderElection": { "enabled": false } }),
    )
    .await?;
    let spec = &find(&objects, "Deployment")["spec"];
    assert_eq!(spec["strategy"]["type"], "Recreate");
    let arguments = &spec["template"]["spec"]["containers"][0]["args"];
    assert_eq!(arguments[4], "--no-leader-election");
    Ok(())
}

#[tokio::test]
async fn everything_at_once() -> anyhow::Result<()> {
    let namespace = cluster().await?.namespace("chart").await?;
    let objects = applied(&namespace, &everything(&namespace)).await?;
    let more = [
        "ConfigMap/edgemodel-dashboard",
        "NetworkPolicy/edgemodel-operator",
        "PodDisruptionBudget/edgemodel-operator",
        "PodMonitor/edgemodel-workers",
        "PrometheusRule/edgemodel",
        "Service/edgemodel-operator",
        "ServiceMonitor/edgemodel-operator",
        "ValidatingAdmissionPolicy/edgemodel-models",
        "ValidatingAdmissionPolicyBinding/edgemodel-models",
    ];
    let less = ["ServiceAccount/edgemodel-operator"];
    let mut all = expected(&more, &less);
    all.insert("ServiceAccount/theirs".to_owned());
    assert_eq!(names(&objects), all);

    let pod = &find(&objects, "Deployment")["spec"]["template"];
    let container = &pod["spec"]["containers"][0];
    let digest = "0123456789abcdef".repeat(4);
    assert_eq!(
        container["image"],
        format!("registry.example:5000/op:2@sha256:{digest}")
    );
    assert_eq!(pod["metadata"]["annotations"], json!({ "note": "1" }));
    assert_eq!(pod["spec"]["serviceAccountName"], "theirs");

    let rules = find(&objects, "PrometheusRule").to_string();
    assert!(!rules.contains("EdgeModelDeadLetters"), "{rules}");
    assert!(
        rules.contains("https://wiki.example/edge#edgemodelqueuebacksup"),
        "{rules}"
    );
    assert!(rules.contains("{{ $labels.model }}"), "{rules}");
    let dashboard = &find(&objects, "ConfigMap")["data"]["edgemodel.json"];
    let dashboard: Value = serde_json::from_str(dashboard.as_str().unwrap_or_default())?;
    let file = std::fs::read_to_string(format!("{CHART}/dashboards/edgemodel.json"))?;
    assert_eq!(dashboard, serde_json::from_str::<Value>(&file)?);
    Ok(())
}
