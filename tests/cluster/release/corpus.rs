//! Runtimes that use what the operator can do, and what it makes of them.

use std::collections::BTreeMap;

use crds::{ClusterRuntime, RuntimeSpec};
use operator::desired::{self, Defaults, Identity, Inputs, Model, SecretView};
use serde_json::{Value, json};

/// Everything here is in one namespace, whose name stands in configurations.
pub(super) const NAMESPACE: &str = "release";

/// Stands for the UID of a runtime.
pub(super) const UID: &str = "01234567-89ab-cdef-0123-456789abcdef";

/// The same in all releases, so that its own version is not a difference.
pub(super) const IMAGE: &str = "edgemodel-worker:release";

/// The digest of the Secrets' contents in the fixtures, where it stands for one that depends on the runtime's UID.
pub(super) const SECRETS: &str = "8391c0b390ace4f9";

/// The Secrets that runtimes refer to, by name, with their contents.
pub(super) fn secrets() -> BTreeMap<&'static str, BTreeMap<&'static str, &'static str>> {
    BTreeMap::from([
        (
            "tls",
            BTreeMap::from([("ca.crt", "a"), ("tls.crt", "b"), ("tls.key", "c")]),
        ),
        (
            "user",
            BTreeMap::from([("password", "secret"), ("username", "edge")]),
        ),
    ])
}

/// One of them.
pub(super) struct Runtime {
    pub(super) name: &'static str,
    spec: Value,
}

/// All of them.
pub(super) fn all() -> Vec<Runtime> {
    let change = |name, change: fn(&mut Value)| {
        let mut spec = plain();
        change(&mut spec);
        Runtime { name, spec }
    };
    vec![
        change("plain", |_| {}),
        change("scaled", |spec| {
            spec["expose"][0]["outPort"] = 39_002.into();
            spec["funcs"][0]["replicas"] = 3.into();
            spec["funcs"][1]["autoscaling"] =
                json!({ "class": "external", "minReplicas": 2, "maxReplicas": 5 });
        }),
        change("edge", |spec| {
            spec["exposeMode"] = "HostPort".into();
            spec["expose"][0]["outPort"] = 39_003.into();
            spec["placement"] = json!({
                "edge": true,
                "hostNetwork": true,
                "nodeSelector": { "hall": "1" },
                "tolerations": [{ "key": "dedicated", "operator": "Exists" }],
            });
            spec["modelCache"] = json!({ "hostPath": "/var/lib/edgemodel" });
            spec["image"] = "registry.example/worker:1".into();
            spec["imagePullSecrets"] = json!(["pull"]);
            spec["funcs"][0]["resources"] =
                json!({ "requests": { "cpu": "500m" }, "limits": { "memory": "1Gi" } });
        }),
        change("secured", |spec| {
            spec["expose"][0]["outPort"] = 39_004.into();
            spec["mqtts"][0]["broker"] = "ssl://10.0.0.1:8883".into();
            spec["mqtts"][0]["credentialsSecretRef"] = json!({ "name": "user" });
            spec["mqtts"][0]["tls"] = json!({ "secretRef": { "name": "tls" } });
            spec["funcs"][1]["autoscaling"] = json!({ "class": "hpa", "targetQueueDepth": 7 });
        }),
    ]
}

fn plain() -> Value {
    let func = |name: &str, digest: &str| {
        json!({
            "modelName": name,
            "modelAddress": format!("https://models.example/{name}.zip"),
            "modelMd5": digest,
            "devices": [{ "deviceName": "turbine-1", "deviceAttr": [{
                "attrName": "model", "attrValue": "设备2",
                "attrExpression": "== data_to_dict['deviceInfo']['deviceName']",
            }] }],
        })
    };
    json!({
        "mqtts": [{ "name": "plant", "broker": "tcp://10.0.0.1:1883", "qos": 1 }],
        "rules": [{
            "sub": { "name": "plant", "topic": "telemetry/#", "clientId": "edge-sub" },
            "pub": { "name": "plant", "topic": "results", "timeout": "5s" },
        }],
        "funcs": [func("industry", "sOAKsXmXr7GzKK0YwpFm0A=="), func("设备/1", "0123456789abcdef0123456789abcdef")],
        "expose": [{ "name": "monitor", "protocolPort": "http://:8080", "outPort": 39_001, "desc": "for people" }],
    })
}

impl Runtime {
    /// As a user applies it.
    pub(super) fn object(&self) -> Value {
        json!({
            "apiVersion": "edgemodel.io/v1alpha1",
            "kind": "EdgeModelRuntime",
            "metadata": { "name": self.name },
            "spec": self.spec,
        })
    }

    /// What the operator makes of it, as YAML.
    pub(super) fn objects(&self) -> anyhow::Result<String> {
        let spec: RuntimeSpec = serde_json::from_value(self.spec.clone())?;
        let runtime =
            ClusterRuntime::new(spec).map_err(|problems| anyhow::anyhow!("{:?}", problems.list))?;
        let secrets = secrets().into_iter().map(|(name, contents)| {
            let view = SecretView {
                keys: contents.into_keys().map(str::to_owned).collect(),
                digest: "a digest".to_owned(),
            };
            (name.to_owned(), view)
        });
        let secrets = secrets.collect();
        let built = desired::build(&Inputs {
            identity: &Identity {
                name: self.name.to_owned(),
                namespace: NAMESPACE.to_owned(),
                uid: UID.to_owned(),
            },
            runtime: &runtime,
            secrets: &secrets,
            defaults: &Defaults {
                worker_image: IMAGE.to_owned(),
            },
        });
        let mut children = Vec::new();
        for model in built.models {
            let Model::Served(model) = model else {
                anyhow::bail!("a model of {} is blocked", self.name);
            };
            children.extend([model.config_map, model.deployment]);
            children.extend(model.autoscaler);
        }
        children.extend(built.ports.into_iter().filter_map(|port| port.service));
        children.extend(built.workers);
        let documents = children
            .iter()
            .map(|child| Ok(crds::yaml::write(&child.body)?))
            .collect::<anyhow::Result<Vec<_>>>()?;
        Ok(documents.join("---\n"))
    }
}
