//! The chart's ValidatingAdmissionPolicy, enforced by a real API server.

use serde_json::{Value, json};
use tests::control_plane::{ControlPlane, Options};
use tests::eventually;
use tests::operator::DEFINITION;

use super::render;
use crate::operator::runtime;

/// A control plane with the policy in force on the namespace that is given with it.
async fn with_policy(policy: &Value) -> anyhow::Result<(ControlPlane, String)> {
    let control_plane = ControlPlane::start(Options {
        controllers: false,
        definitions: vec![DEFINITION],
        ..Options::default()
    })
    .await?;
    let namespace = control_plane.namespace("policy").await?;
    // From before the policy.
    put(
        &control_plane,
        &namespace,
        &from("old", "http://elsewhere.example/m.zip"),
    )
    .await?;
    let mut values =
        json!({ "admissionPolicy": { "enabled": true }, "crds": { "enabled": false } });
    let entries = policy.as_object().into_iter().flatten();
    for (key, value) in entries {
        values["admissionPolicy"][key] = value.clone();
    }
    let text = render(&control_plane, &namespace, &values).await?;
    let apply = ["apply", "--server-side", "-f", "-"];
    control_plane.kubectl_with_input(&apply, &text).await?;
    Ok((control_plane, namespace))
}

/// A runtime with a model of that address.
fn from(name: &str, address: &str) -> Value {
    let mut runtime = runtime(name, &["model"], &[]);
    runtime["spec"]["funcs"][0]["modelAddress"] = address.into();
    runtime["spec"]["funcs"][0]["modelSha256"] = "00".repeat(32).into();
    runtime
}

async fn put(
    control_plane: &ControlPlane,
    namespace: &str,
    object: &Value,
) -> anyhow::Result<String> {
    let apply = ["apply", "--server-side", "-n", namespace, "-f", "-"];
    control_plane
        .kubectl_with_input(&apply, &object.to_string())
        .await
}

/// What the API server says of a runtime that it does not take. It hears of a policy by a watch.
async fn until_refused(
    control_plane: &ControlPlane,
    namespace: &str,
    object: &Value,
) -> anyhow::Result<String> {
    let dry = ["create", "--dry-run=server", "-n", namespace, "-f", "-"];
    eventually(async || {
        let answer = control_plane
            .kubectl_with_input(&dry, &object.to_string())
            .await;
        Ok(answer.err().map(|error| error.to_string()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn models_from_foreign_hosts_and_without_sha256_are_refused() -> anyhow::Result<()> {
    let policy = json!({ "allowedModelHosts": ["models.example", "*.plant.example", "10.0.0.7", "fd00::7"], "requireSha256": true });
    let (control_plane, namespace) = with_policy(&policy).await?;
    let said = until_refused(
        &control_plane,
        &namespace,
        &from("r", "http://elsewhere.example/m.zip"),
    )
    .await?;
    for words in [
        "modelAddress of \"model\" is not on a host that this cluster allows",
        "models.example, *.plant.example, 10.0.0.7, fd00::7",
    ] {
        assert!(said.contains(words), "{said}");
    }
    for foreign in [
        "http://models.example.evil.example/m.zip",
        "http://plant.example/m.zip",
        "http://evilplant.example/m.zip",
        "http://10.0.0.70/m.zip",
        "http://[fd00::70]/m.zip",
        "http://elsewhere.example/models.example/m.zip",
        "http://elsewhere.example/m.zip?x=//models.example/",
    ] {
        let answer = put(&control_plane, &namespace, &from("r", foreign)).await;
        let said = answer
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert!(said.contains("is not on a host"), "{foreign}: {said:?}");
    }
    for good in [
        "http://models.example/m.zip",
        "https://MODELS.example:8443/a/m.zip",
        "http://a.plant.example/m.zip",
        "http://a.b.plant.example:80/m.zip",
        "http://10.0.0.7:9000/m.zip",
        "http://[fd00::7]:9000/m.zip",
    ] {
        put(&control_plane, &namespace, &from("good", good)).await?;
    }

    let mut unsigned = from("r", "http://models.example/m.zip");
    if let Some(func) = unsigned["spec"]["funcs"][0].as_object_mut() {
        func.remove("modelSha256");
    }
    let answer = put(&control_plane, &namespace, &unsigned).await;
    let said = answer
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    assert!(said.contains("\"model\" lacks modelSha256"), "{said:?}");
    // Without any model there is nothing to refuse.
    put(
        &control_plane,
        &namespace,
        &json!({
            "apiVersion": "edgemodel.io/v1alpha1", "kind": "EdgeModelRuntime",
            "metadata": { "name": "empty" }, "spec": {},
        }),
    )
    .await?;

    // What was there before can be paused and deleted, but not get a worse spec.
    let kubectl = async |arguments: &[&str]| {
        control_plane
            .kubectl(&[arguments, &["-n", &namespace]].concat())
            .await
    };
    kubectl(&["annotate", "emr", "old", "edgemodel.io/paused=true"]).await?;
    let patch = "--patch={\"spec\":{\"exposeMode\":\"ClusterIP\"}}";
    let answer = kubectl(&["patch", "emr", "old", "--type=merge", patch]).await;
    let said = answer
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    assert!(said.contains("is not on a host"), "{said:?}");
    kubectl(&["delete", "emr", "old"]).await?;
    Ok(())
}

/// A policy of one namespace says nothing of others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_of_one_namespace_ends_there() -> anyhow::Result<()> {
    let control_plane = ControlPlane::start(Options {
        controllers: false,
        definitions: vec![DEFINITION],
        ..Options::default()
    })
    .await?;
    let (inside, outside) = (
        control_plane.namespace("inside").await?,
        control_plane.namespace("outside").await?,
    );
    let values = json!({
        "watchNamespaces": [inside],
        "crds": { "enabled": false },
        "admissionPolicy": { "enabled": true, "requireSha256": true },
    });
    let text = render(&control_plane, &inside, &values).await?;
    let apply = ["apply", "--server-side", "-f", "-"];
    control_plane.kubectl_with_input(&apply, &text).await?;
    let unsigned = runtime("r", &["model"], &[]);
    until_refused(&control_plane, &inside, &unsigned).await?;
    put(&control_plane, &outside, &unsigned).await?;
    Ok(())
}

/// Creates a runtime with more in its spec, in a dry run.
async fn create_as(
    control_plane: &ControlPlane,
    namespace: &str,
    spec: &Value,
    user: &str,
) -> anyhow::Result<String> {
    let mut object = from("r", "http://models.example/m.zip");
    for (key, value) in spec.as_object().into_iter().flatten() {
        object["spec"][key] = value.clone();
    }
    let user = format!("--as={user}");
    let arguments = [
        "create",
        "--dry-run=server",
        "-n",
        namespace,
        &user,
        "-f",
        "-",
    ];
    control_plane
        .kubectl_with_input(&arguments, &object.to_string())
        .await
}

/// Who may write runtimes but not read Secrets could have any Secret mounted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_6_a_runtime_uses_what_its_author_may_use() -> anyhow::Result<()> {
    let policy = json!({ "requireSecretAccess": true });
    let (control_plane, namespace) = with_policy(&policy).await?;
    let rule = |groups: &str, resource: &str, verbs: &[&str], names: &[&str]| json!({ "apiGroups": [groups], "resources": [resource], "verbs": verbs, "resourceNames": names });
    let own: Vec<_> = (0..16).map(|number| format!("own-{number}")).collect();
    let names: Vec<_> = own.iter().map(String::as_str).collect();
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": { "name": "tenant" },
        "rules": [
            rule("edgemodel.io", "edgemodelruntimes", &["create"], &[]),
            rule("", "secrets", &["get"], &names),
        ],
    });
    put(&control_plane, &namespace, &role).await?;
    let bind = [
        "create",
        "rolebinding",
        "tenant",
        "--role=tenant",
        "--user=tenant",
        "-n",
    ];
    control_plane
        .kubectl(&[&bind[..], &[&namespace]].concat())
        .await?;
    let create =
        async |spec: &Value, user: &str| create_as(&control_plane, &namespace, spec, user).await;
    let pulls = |names: &[String]| json!({ "imagePullSecrets": names });
    // The API server hears of the role and of the policy by watches.
    eventually(async || Ok(create(&json!({}), "tenant").await.ok())).await?;
    eventually(async || {
        Ok(create(&pulls(&["foreign".to_owned()]), "tenant")
            .await
            .err())
    })
    .await?;

    let secret = |name: &str| json!({ "name": name });
    let mqtts = |key: &str, value: Value| {
        let mut mqtt = json!({ "name": "m", "broker": "ssl://h" });
        mqtt[key] = value;
        json!({ "mqtts": [mqtt], "rules": [] })
    };
    let funcs = |value: Value| {
        let mut func = from("r", "http://models.example/m.zip")["spec"]["funcs"][0].clone();
        func["modelCredentialsSecretRef"] = value;
        json!({ "funcs": [func] })
    };
    let databases = |value: Value| json!({ "databases": [{ "name": "d", "url": "mysql://h/d", "credentialsSecretRef": value }] });
    for name in ["own-7", "foreign"] {
        for spec in [
            mqtts("credentialsSecretRef", secret(name)),
            mqtts("tls", json!({ "secretRef": secret(name) })),
            funcs(secret(name)),
            databases(secret(name)),
            pulls(&[own[0].clone(), name.to_owned()]),
        ] {
            let answer = create(&spec, "tenant").await;
            match answer {
                Ok(_) => assert_eq!(name, "own-7", "{spec}"),
                Err(error) => {
                    let said = error.to_string();
                    let words = "names the Secret \"foreign\", which tenant may not read";
                    assert!(said.contains(words), "{spec}: {said}");
                    assert_eq!(name, "foreign", "{said}");
                }
            }
        }
    }
    // As many as the API server has time to ask for.
    create(&json!({ "imagePullSecrets": own[..8], "databases": (8..16).map(|number| json!({
        "name": format!("d{number}"), "url": "mysql://h/d", "credentialsSecretRef": secret(&own[number]),
    })).collect::<Vec<_>>() }), "tenant")
    .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_6_a_policy_refuses_what_is_of_nodes_and_other_images() -> anyhow::Result<()> {
    let policy = json!({ "denyHostAccess": true, "allowedImages": ["registry.example/edge/"] });
    let (control_plane, namespace) = with_policy(&policy).await?;
    let create = async |spec: &Value| {
        let arguments = ["create", "--dry-run=server", "-n", &namespace, "-f", "-"];
        let mut object = from("r", "http://models.example/m.zip");
        for (key, value) in spec.as_object().into_iter().flatten() {
            object["spec"][key] = value.clone();
        }
        control_plane
            .kubectl_with_input(&arguments, &object.to_string())
            .await
    };
    let host_network = json!({ "placement": { "hostNetwork": true } });
    eventually(async || Ok(create(&host_network).await.err())).await?;
    for (spec, words) in [
        (
            json!({ "modelCache": { "hostPath": "/var/lib" } }),
            "directories, network or ports of nodes",
        ),
        (
            json!({ "placement": { "hostNetwork": true } }),
            "directories, network or ports of nodes",
        ),
        (
            json!({ "exposeMode": "HostPort" }),
            "directories, network or ports of nodes",
        ),
        (
            json!({ "image": "registry.example/other:1" }),
            "must begin with registry.example/edge/",
        ),
    ] {
        let said = create(&spec).await.err().map(|error| error.to_string());
        assert!(
            said.as_ref().is_some_and(|said| said.contains(words)),
            "{spec}: {said:?}"
        );
    }
    for spec in [
        json!({ "modelCache": { "claimName": "c" } }),
        json!({ "placement": { "hostNetwork": false, "edge": true } }),
        json!({ "image": "registry.example/edge/worker:1" }),
    ] {
        create(&spec).await?;
    }
    Ok(())
}
