//! The pods of a model: one worker, no rights, nothing that an edge node without its cloud would lack.

use std::collections::{BTreeMap, BTreeSet};

use crds::cluster::{ExposeMode, Resources};
use crds::cluster_runtime::Cache;
use crds::contract::{HTTP_PORT, TERMINATION_GRACE_SECONDS, USER, argument, mount, path};
use crds::digest::hex;
use crds::runtime::Expose;
use crds::worker_config::ReadKeys;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::model_source::ModelSource;
use super::{labels, names};

/// Ports of metrics and status in a node's network, where every worker needs one of its own: below the
/// NodePorts and the ports that Linux gives to clients.
const HOST_HTTP_PORTS: std::ops::Range<u16> = 20_000..30_000;

/// The worker's container; its termination message is where it says why it does not serve.
pub const CONTAINER: &str = "worker";

/// What a worker may write besides models.
const TMP_SIZE: &str = "256Mi";

pub(super) fn template(source: &ModelSource<'_>, labels: &BTreeMap<&'static str, String>) -> Value {
    let identity = source.inputs.identity;
    let runtime = source.inputs.runtime;
    let http_port = http_port(source);
    let mut annotations = Map::new();
    annotations.insert(
        labels::RUNTIME_NAME.to_owned(),
        identity.name.clone().into(),
    );
    annotations.insert(labels::NAME.to_owned(), source.func.name.clone().into());
    annotations.insert(labels::CONFIG.to_owned(), source.restart_digest.into());
    annotations.insert("prometheus.io/scrape".to_owned(), "true".into());
    annotations.insert(
        "prometheus.io/port".to_owned(),
        http_port.to_string().into(),
    );
    let secrets = source.secrets;
    let at_start = secrets.iter().filter(|(_, keys)| keys.at_start);
    let at_start: Vec<_> = at_start.map(|(name, _)| *name).collect();
    if !at_start.is_empty() {
        let digests = at_start
            .iter()
            .filter_map(|name| source.inputs.secrets.get(*name));
        let mut digest = Sha256::new();
        digests.for_each(|view| digest.update(&view.digest));
        let digest = hex(&digest.finalize()[..8]);
        annotations.insert(labels::SECRETS.to_owned(), digest.into());
    }
    let mut node_selector = runtime.nodes.selector.clone();
    if runtime.nodes.edge {
        node_selector.insert("node-role.kubernetes.io/edge".to_owned(), String::new());
    }
    let mut pod = json!({
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "terminationGracePeriodSeconds": TERMINATION_GRACE_SECONDS,
        "securityContext": {
            "runAsNonRoot": true,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": { "type": "RuntimeDefault" },
        },
        "tolerations": tolerations(&runtime.nodes.tolerations),
        "containers": [container(source, http_port, secrets.keys().copied())],
        "volumes": volumes(source),
    });
    if !node_selector.is_empty() {
        pod["nodeSelector"] = json!(node_selector);
    }
    if runtime.nodes.host_network {
        pod["hostNetwork"] = true.into();
        pod["dnsPolicy"] = "ClusterFirstWithHostNet".into();
    }
    if !runtime.image_pull_secrets.is_empty() {
        let secrets = runtime.image_pull_secrets.iter();
        pod["imagePullSecrets"] = secrets.map(|name| json!({ "name": name })).collect();
    }
    json!({ "metadata": { "labels": labels, "annotations": annotations }, "spec": pod })
}

fn container<'a>(
    source: &ModelSource<'_>,
    http_port: u16,
    secrets: impl Iterator<Item = &'a str>,
) -> Value {
    let runtime = source.inputs.runtime;
    let image = runtime
        .image
        .as_ref()
        .unwrap_or(&source.inputs.defaults.worker_image);
    let mut arguments = vec![
        "run".to_owned(),
        argument::with(
            argument::CONFIG,
            format_args!("{}/{}", mount::CONFIG_DIR, mount::CONFIG_FILE),
        ),
        format!("--{}", argument::DOWNLOAD),
        argument::with(argument::MODELS_DIR, mount::MODELS_DIR),
        argument::with(argument::HTTP, format_args!("0.0.0.0:{http_port}")),
        argument::with(argument::LOG_FORMAT, "json"),
        argument::with(argument::TERMINATION_LOG, mount::TERMINATION_LOG),
    ];
    if !runtime.nodes.host_network {
        // Each answers for all, see the headless Service; in a node's network every worker has another port.
        let identity = source.inputs.identity;
        let workers = names::workers(&identity.name);
        let address = format!("{workers}.{}.svc:{HTTP_PORT}", identity.namespace);
        arguments.push(argument::with(argument::PEERS, address));
    }
    let mut environment = vec![json!({ "name": "HOME", "value": "/tmp" })];
    if source.func.scaling.shares() {
        environment.push(json!({
            "name": "POD_NAME",
            "valueFrom": { "fieldRef": { "apiVersion": "v1", "fieldPath": "metadata.name" } },
        }));
        arguments.push(argument::with(argument::REPLICA, "$(POD_NAME)"));
    }
    let mut mounts = vec![
        json!({ "name": "config", "mountPath": mount::CONFIG_DIR, "readOnly": true }),
        json!({ "name": "models", "mountPath": mount::MODELS_DIR }),
        json!({ "name": "tmp", "mountPath": "/tmp" }),
    ];
    mounts.extend(secrets.map(|name| {
        let path = format!("{}/{name}", mount::SECRETS_DIR);
        json!({ "name": secret_volume(name), "mountPath": path, "readOnly": true })
    }));
    json!({
        "name": CONTAINER,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "args": arguments,
        "env": environment,
        "ports": ports(source, http_port),
        "readinessProbe": probe(path::READY, 5, 1),
        "livenessProbe": probe(path::LIVE, 10, 6),
        "resources": resources(source.func.resources.as_ref()),
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": { "drop": ["ALL"] },
        },
        "terminationMessagePath": mount::TERMINATION_LOG,
        "terminationMessagePolicy": "File",
        "volumeMounts": mounts,
    })
}

fn http_port(source: &ModelSource<'_>) -> u16 {
    if !source.inputs.runtime.nodes.host_network {
        return HTTP_PORT;
    }
    let identity = source.inputs.identity;
    let text = format!(
        "{}/{}/{}",
        identity.namespace, identity.name, source.func.name
    );
    let hash = Sha256::digest(text.as_bytes());
    let number = u16::from_be_bytes([hash[0], hash[1]]);
    let count = HOST_HTTP_PORTS.end - HOST_HTTP_PORTS.start;
    HOST_HTTP_PORTS.start + number % count
}

fn ports(source: &ModelSource<'_>, http_port: u16) -> Vec<Value> {
    let runtime = source.inputs.runtime;
    let host_network = runtime.nodes.host_network;
    let mut ports = vec![json!({
        "name": "metrics", "containerPort": http_port, "protocol": "TCP",
    })];
    if host_network {
        ports[0]["hostPort"] = http_port.into();
    }
    let host_port = runtime.expose_mode == ExposeMode::HostPort;
    let validated = |served: &Expose| {
        let mut all = runtime.ports().iter();
        all.find(|entry| entry.name == served.name)
    };
    let served = source.config.expose.iter().filter_map(validated);
    for (index, entry) in served.enumerate() {
        let listen = runtime.listen_port(entry);
        if listen == http_port {
            continue;
        }
        let mut port = json!({
            "name": format!("expose-{index}"), "containerPort": listen, "protocol": "TCP",
        });
        // In the node's network, a worker's port is the node's.
        if host_network {
            port["hostPort"] = listen.into();
        } else if host_port {
            port["hostPort"] = entry.out_port.into();
        }
        ports.push(port);
    }
    ports
}

fn probe(path: &str, period_seconds: u32, failure_threshold: u32) -> Value {
    json!({
        "httpGet": { "path": path, "port": "metrics", "scheme": "HTTP" },
        "periodSeconds": period_seconds,
        "timeoutSeconds": 3,
        "failureThreshold": failure_threshold,
    })
}

/// Small requests, so that workers find a place on small nodes; limits only where the spec has them.
fn resources(resources: Option<&Resources>) -> Value {
    match resources {
        Some(resources) => json!({ "requests": resources.requests, "limits": resources.limits }),
        None => json!({ "requests": { "cpu": "50m", "memory": "64Mi" } }),
    }
}

/// A worker keeps running while its node is cut off from the cloud, without a limit.
fn tolerations(more: &[crds::cluster::Toleration]) -> Vec<Value> {
    let away = ["not-ready", "unreachable"].map(|condition| {
        json!({
            "key": format!("node.kubernetes.io/{condition}"), "operator": "Exists", "effect": "NoExecute",
        })
    });
    let more = more.iter().map(|toleration| json!(toleration));
    away.into_iter().chain(more).collect()
}

fn volumes(source: &ModelSource<'_>) -> Vec<Value> {
    let identity = source.inputs.identity;
    let config = names::config_map(&identity.name, &source.func.name, source.restart_digest);
    let models = match &source.inputs.runtime.model_cache {
        Cache::HostPath(path) => {
            json!({ "name": "models", "hostPath": { "path": path, "type": "DirectoryOrCreate" } })
        }
        Cache::Claim(claim) => {
            json!({ "name": "models", "persistentVolumeClaim": { "claimName": claim } })
        }
        Cache::Pod(size) => {
            json!({ "name": "models", "emptyDir": { "sizeLimit": size } })
        }
    };
    let mut volumes = vec![
        json!({ "name": "config", "configMap": { "name": config } }),
        models,
        json!({ "name": "tmp", "emptyDir": { "sizeLimit": TMP_SIZE } }),
    ];
    volumes.extend(source.secrets.iter().map(|(name, keys)| {
        let items = mounted(source, name, keys);
        json!({
            "name": secret_volume(name),
            "secret": { "secretName": name, "defaultMode": 0o440, "items": items },
        })
    }));
    volumes
}

/// The keys of a Secret that a worker reads, each as a file of its name.
fn mounted(source: &ModelSource<'_>, secret: &str, keys: &ReadKeys) -> Vec<Value> {
    let found = source.inputs.secrets.get(secret);
    let present = |key: &&&'static str| found.is_some_and(|found| found.keys.contains(**key));
    let optional = keys.optional.iter().filter(present);
    let read: BTreeSet<_> = keys.required.iter().chain(optional).collect();
    let items = read.into_iter();
    items
        .map(|key| json!({ "key": key, "path": key }))
        .collect()
}

/// Names of volumes are shorter than those of Secrets.
fn secret_volume(secret: &str) -> String {
    let digest = hex(&Sha256::digest(secret.as_bytes())[..4]);
    format!("secret-{digest}")
}
