//! What users do to a runtime that makes an operator use all that it may.

use serde_json::{Value, json};
use tests::control_plane::PodState;

use super::super::{Site, condition, keda};

/// A port that somebody else has at first, and two that are free.
const TAKEN: u16 = 40_002;
const FREE: [u16; 2] = [40_001, 40_003];

const HOLDER: &str = "
apiVersion: v1
kind: Service
metadata: { name: holder }
spec:
  type: NodePort
  ports: [{ port: 80, nodePort: 40002 }]
";

const SECRET: &str = "
apiVersion: v1
kind: Secret
metadata: { name: broker }
stringData: { username: edge, password: one }
";

/// Each step ends when the runtime's status tells of it. In the namespace `other`, somebody has a port.
pub(super) async fn all(site: &Site<'_>, other: &str) -> anyhow::Result<()> {
    let kubectl = async |arguments: &[&str]| site.kubectl(arguments).await;
    site.apply(HOLDER).await?;
    site.apply(&runtime(&["alpha", "beta"], FREE[0]).to_string())
        .await?;
    until(site, "Ready", "SecretNotFound").await?;
    site.apply(SECRET).await?;
    until(site, "Ready", "Ready").await?;

    // A model comes, another goes, a child is repaired.
    site.apply(&runtime(&["alpha", "gamma"], FREE[0]).to_string())
        .await?;
    until(site, "Ready", "Ready").await?;
    kubectl(&[
        "delete",
        "deployments,services,configmaps",
        "-l",
        "edgemodel.io/runtime",
    ])
    .await?;
    until(site, "Ready", "Ready").await?;

    // The Service that has the port may be in another namespace.
    kubectl(&["delete", "service", "holder"]).await?;
    let holder = HOLDER.replace("name: holder", &format!("name: holder, namespace: {other}"));
    let apply = ["apply", "-f", "-"];
    site.control_plane
        .kubectl_with_input(&apply, &holder)
        .await?;
    site.apply(&runtime(&["alpha"], TAKEN).to_string()).await?;
    let taken = until(site, "Exposed", "PortTaken").await?;
    let message = taken["message"].as_str().unwrap_or_default();
    let named = format!("Service \"holder\" in namespace \"{other}\"");
    anyhow::ensure!(message.contains(&named), "{message}");
    let delete = ["delete", "service", "holder", "-n", other];
    site.control_plane.kubectl(&delete).await?;
    until(site, "Exposed", "Exposed").await?;
    site.apply(&runtime(&["alpha"], FREE[1]).to_string())
        .await?;
    until(site, "Ready", "Ready").await?;

    let keda = json!({ "class": "keda", "prometheusAddress": "http://prometheus:9090" });
    for (scaling, kind) in [
        (
            json!({ "class": "hpa", "maxReplicas": 3 }),
            "horizontalpodautoscalers",
        ),
        (keda, "scaledobjects.keda.sh"),
    ] {
        let mut scaled = runtime(&["alpha"], FREE[1]);
        scaled["spec"]["funcs"][0]["autoscaling"] = scaling;
        site.apply(&scaled.to_string()).await?;
        if kind.ends_with("keda.sh") {
            until(site, "Ready", "ApiAbsent").await?;
            site.control_plane.define(keda::DEFINITION).await?;
        }
        until(site, "Ready", "Ready").await?;
        scaled["spec"]["funcs"][0]["autoscaling"]["maxReplicas"] = 5.into();
        site.apply(&scaled.to_string()).await?;
        until(site, "Ready", "Ready").await?;
        site.apply(&runtime(&["alpha"], FREE[1]).to_string())
            .await?;
        kubectl(&["wait", "--for=delete", "--timeout=60s", kind, "--all"]).await?;
        until(site, "Ready", "Ready").await?;
    }

    // Why a worker does not serve is read from its pod.
    let alpha = [("edgemodel.io/model", "alpha")];
    let words = "no such image";
    let waiting = PodState::Waiting {
        reason: "ImagePullBackOff".to_owned(),
        message: words.to_owned(),
    };
    site.kubelet.report(&alpha, waiting);
    site.until("plant", |status| {
        let message = status["models"][0]["message"].as_str();
        message.is_some_and(|message| message.contains(words))
    })
    .await?;
    site.kubelet.forget(&alpha);
    until(site, "Ready", "Ready").await?;

    let mut closed = runtime(&["alpha"], FREE[1]);
    closed["spec"]["expose"] = json!([]);
    site.apply(&closed.to_string()).await?;
    until(site, "Exposed", "NothingExposed").await?;

    kubectl(&["annotate", "emr", "plant", "edgemodel.io/paused=true"]).await?;
    until(site, "Reconciling", "Paused").await?;
    kubectl(&["annotate", "emr", "plant", "edgemodel.io/paused-"]).await?;
    until(site, "Reconciling", "Settled").await?;

    kubectl(&["delete", "emr", "plant"]).await?;
    let of = [
        "deployments,services,configmaps,pods",
        "-l",
        "edgemodel.io/runtime",
    ];
    let wait = ["wait", "--for=delete", "--timeout=60s"];
    kubectl(&[&wait[..], &of].concat()).await.map(drop)
}

/// Waits for a reason of a condition, and gives the condition.
async fn until(site: &Site<'_>, kind: &str, reason: &str) -> anyhow::Result<Value> {
    let has = |status: &Value| condition(status, kind)["reason"] == reason;
    let runtime = site.until("plant", has).await?;
    Ok(condition(&runtime["status"], kind).clone())
}

fn runtime(models: &[&str], port: u16) -> Value {
    let funcs = models.iter().enumerate().map(|(number, model)| {
        json!({
            "modelName": model,
            "modelAddress": format!("http://models.example/{model}.zip"),
            "modelMd5": format!("{number:032x}"),
            "devices": [{ "deviceName": format!("device-{model}"), "deviceAttr": [] }],
        })
    });
    json!({
        "apiVersion": "edgemodel.io/v1alpha1",
        "kind": "EdgeModelRuntime",
        "metadata": { "name": "plant" },
        "spec": {
            "mqtts": [{
                "name": "plant",
                "broker": "tcp://10.0.0.1:1883",
                "credentialsSecretRef": { "name": "broker" },
            }],
            "rules": [{
                "sub": { "name": "plant", "topic": "telemetry/#", "clientId": "edge-sub" },
                "pub": { "name": "plant", "topic": "results", "clientId": "edge-pub" },
            }],
            "funcs": funcs.collect::<Vec<_>>(),
            "expose": [{ "name": "monitor", "protocolPort": "http://:8080", "outPort": port }],
        },
    })
}
