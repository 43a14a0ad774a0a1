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
    let pod = &find(&objects, "Deployment")["spec"]["template"]["spec"];
    // As KubeEdge's own charts: on any node that is not an edge node, the control plane's too.
    let required =
        &pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    let terms = json!([{ "matchExpressions": [{ "key": "node-role.kubernetes.io/edge", "operator": "DoesNotExist" }] }]);
    assert_eq!(required["nodeSelectorTerms"], terms);
    let tolerated = pod["tolerations"].as_array().into_iter().flatten();
    let tolerated: Vec<_> = tolerated.map(|one| &one["key"]).collect();
    assert_eq!(
        tolerated,
        [
            "node-role.kubernetes.io/master",
            "node-role.kubernetes.io/control-plane"
        ]
    );
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
async fn two_namespaces() -> anyhow::Result<()> {
    let control_plane = cluster().await?;
    let namespace = control_plane.namespace("chart").await?;
    let watched = [
        control_plane.namespace("watched").await?,
        control_plane.namespace("watched").await?,
    ];
    let values = json!({ "watchNamespaces": watched, "rbac": { "userRoles": false }, "createNamespace": true });
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
    let places = roles
        .iter()
        .map(|role| role["metadata"]["namespace"].as_str());
    let mut places: Vec<_> = places.flatten().collect();
    places.sort_unstable();
    let mut expected: Vec<_> = watched.iter().chain(&watched).collect();
    expected.sort_unstable();
    assert_eq!(places, expected, "a Role and its binding in each");
    let arguments =
        &find(&objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]["args"];
    let only = format!("--namespace={}", watched.join(","));
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
        "ConfigMap/edgemodel-text",
        "ConfigMap/extra",
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
        format!("registry.example:5000/edge/op:2@sha256:{digest}")
    );
    let arguments = container["args"].to_string();
    let worker = "--worker-image=registry.example:5000/edge/models/worker:2-science";
    assert!(arguments.contains(worker), "{arguments}");
    let secret = json!({ "secretKeyRef": { "name": "proxy", "key": "token", "optional": true } });
    assert_eq!(container["env"][4]["valueFrom"], secret);
    assert_eq!(container["volumeMounts"][0]["mountPath"], "/etc/ca");
    assert_eq!(pod["spec"]["volumes"].as_array().map(Vec::len), Some(3));
    let spread = &pod["spec"]["topologySpreadConstraints"];
    let ours = json!({
        "app.kubernetes.io/name": "edgemodel",
        "app.kubernetes.io/component": "operator",
    });
    assert_eq!(spread[0]["labelSelector"]["matchLabels"], ours);
    let theirs = json!({ "team": "edge" });
    assert_eq!(spread[1]["labelSelector"]["matchLabels"], theirs);
    assert_eq!(pod["metadata"]["annotations"], json!({ "note": "1" }));
    assert_eq!(pod["spec"]["serviceAccountName"], "theirs");

    for object in &objects {
        let metadata = &object["metadata"];
        let extra = ["extra", "edgemodel-text"].map(Value::from);
        let owner = &metadata["annotations"]["owner"];
        let expected = if extra.contains(&metadata["name"]) {
            assert_eq!(metadata["namespace"], namespace, "a template");
            Value::Null
        } else {
            "edge-team".into()
        };
        assert_eq!(*owner, expected, "{metadata:#}");
    }

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
