//! The state of a namespace with everything masked that differs from run to run.

use std::collections::BTreeMap;

use kube::api::{Api, ListParams};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};

use super::decoys;

/// Kind and name.
pub(crate) type Key = (String, String);

/// What there is: masked objects and their UIDs.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct State {
    pub(crate) objects: BTreeMap<Key, Value>,
    pub(crate) uids: BTreeMap<Key, String>,
    /// What is still in progress: empty when the status describes the current spec and no rollout is running.
    pub(crate) unsettled: Vec<String>,
    pub(crate) generation: i64,
    /// The digest of the Secrets on the pods.
    pub(crate) secrets: String,
}

/// Group, version, kind and plural.
type Kind = (&'static str, &'static str, &'static str, &'static str);

/// What runtimes and their children are.
pub(super) const KINDS: [Kind; 5] = [
    (
        "edgemodel.io",
        "v1alpha1",
        "EdgeModelRuntime",
        "edgemodelruntimes",
    ),
    ("apps", "v1", "Deployment", "deployments"),
    ("", "v1", "ConfigMap", "configmaps"),
    ("", "v1", "Service", "services"),
    (
        "autoscaling",
        "v2",
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
    ),
];

/// What else is looked at.
const OTHERS: [Kind; 4] = [
    ("", "v1", "Pod", "pods"),
    ("", "v1", "Endpoints", "endpoints"),
    ("apps", "v1", "ReplicaSet", "replicasets"),
    ("events.k8s.io", "v1", "Event", "events"),
];

/// The objects of a kind, which is given as `deployments` or `deployments.apps`.
pub(crate) fn api(client: &Client, namespace: &str, plural: &str) -> Api<DynamicObject> {
    let wanted = plural.split('.').next().unwrap_or_default();
    let (group, version, kind, plural) = KINDS
        .into_iter()
        .chain(OTHERS)
        .find(|kind| kind.3 == wanted)
        .expect("a kind of the list above");
    let resource =
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural);
    Api::namespaced_with(client.clone(), namespace, &resource)
}

/// Reads and masks. `words` are replaced wherever they stand: the namespace, the ports. The digest of the
/// Secrets differs from run to run; what counts is whether it is still `secrets_before`.
pub(crate) async fn read(
    client: &Client,
    namespace: &str,
    words: &[(String, String)],
    secrets_before: &str,
) -> anyhow::Result<State> {
    let mut state = State::default();
    let mut uid = String::new();
    for (_, _, kind, plural) in KINDS {
        for object in api(client, namespace, plural)
            .list(&ListParams::default())
            .await?
            .items
        {
            let name = object.name_any();
            if name == "kube-root-ca.crt" || name.starts_with(decoys::PREFIX) {
                continue;
            }
            let key = (kind.to_owned(), object.name_any());
            state
                .uids
                .insert(key.clone(), object.uid().unwrap_or_default());
            if kind == "EdgeModelRuntime" {
                uid = object.uid().unwrap_or_default();
                state.generation = object.metadata.generation.unwrap_or_default();
            }
            let value = serde_json::to_value(&object)?;
            let progress = unsettled(kind, &value);
            state.unsettled.extend(progress.map(|progress| {
                let name = object.name_any();
                format!("{kind} {name} is in progress: {progress}")
            }));
            let annotations = &value["spec"]["template"]["metadata"]["annotations"];
            if let Some(digest) = annotations["edgemodel.io/secrets"].as_str() {
                digest.clone_into(&mut state.secrets);
            }
            let own = [
                (uid.clone(), "UID".to_owned()),
                (node_port(&value), "90000".to_owned()),
            ];
            let masked = mask(kind, value, secrets_before);
            let mut text = masked.to_string();
            for (word, mask) in words.iter().chain(&own) {
                text = replaced(&text, word, mask);
            }
            state.objects.insert(key, serde_json::from_str(&text)?);
        }
    }
    Ok(state)
}

/// The port of a worker in its node's network, which follows from the namespace; empty in a network of its own.
fn node_port(deployment: &Value) -> String {
    let template = &deployment["spec"]["template"];
    let port = &template["metadata"]["annotations"]["prometheus.io/port"];
    let port = port
        .as_str()
        .filter(|_| template["spec"]["hostNetwork"] == true);
    port.unwrap_or_default().to_owned()
}

/// `text` with a mask for each `word` that stands alone: a port may be a part of somebody's UID.
fn replaced(text: &str, word: &str, mask: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(word).filter(|_| !word.is_empty()) {
        let (before, from) = rest.split_at(at);
        let after = &from[word.len()..];
        let is_part = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        masked.push_str(before);
        let part = is_part(masked.chars().next_back()) || is_part(after.chars().next());
        masked.push_str(if part { word } else { mask });
        rest = after;
    }
    masked.push_str(rest);
    masked
}

/// What shows that an object is still in progress, if it is.
fn unsettled(kind: &str, value: &Value) -> Option<Value> {
    let status = &value["status"];
    let generation = &value["metadata"]["generation"];
    let settled = match kind {
        "EdgeModelRuntime" => {
            let conditions = status["conditions"].as_array();
            let working = conditions
                .into_iter()
                .flatten()
                .any(|one| one["type"] == "Reconciling" && one["status"] == "True");
            status["observedGeneration"] == *generation && !working
        }
        "Deployment" => {
            // Zero counts are omitted.
            let count = |name: &str| status[name].as_u64().unwrap_or_default();
            let counts = ["updatedReplicas", "replicas", "availableReplicas"].map(count);
            let wanted = value["spec"]["replicas"].as_u64();
            status["observedGeneration"] == *generation && counts.map(Some) == [wanted; 3]
        }
        _ => value["metadata"]["deletionTimestamp"].is_null(),
    };
    let shown = || {
        let deleted = &value["metadata"]["deletionTimestamp"];
        json!({
            "generation": generation, "deletionTimestamp": deleted,
            "replicas": value["spec"]["replicas"], "status": status,
        })
    };
    (!settled).then(shown)
}

fn mask(kind: &str, mut value: Value, secrets_before: &str) -> Value {
    let metadata = &mut value["metadata"];
    let labels = metadata["labels"].take();
    let mut annotations = metadata["annotations"].take();
    if let Some(annotations) = annotations.as_object_mut() {
        // Digests over UIDs, and what Kubernetes writes.
        annotations
            .retain(|name, _| name.starts_with("edgemodel.io/") && name != "edgemodel.io/applied");
    }
    if annotations
        .as_object()
        .is_some_and(serde_json::Map::is_empty)
    {
        annotations = Value::Null;
    }
    let owners = metadata["ownerReferences"].take();
    value["metadata"] =
        json!({ "labels": labels, "annotations": annotations, "ownerReferences": owners });
    if kind == "EdgeModelRuntime" {
        if let Some(conditions) = value["status"]["conditions"].as_array_mut() {
            for condition in conditions.iter_mut().filter_map(Value::as_object_mut) {
                condition.remove("lastTransitionTime");
                condition.remove("observedGeneration");
            }
            conditions.sort_by_key(|one| one["type"].to_string());
        }
        if let Some(status) = value["status"].as_object_mut() {
            status.remove("observedGeneration");
            let models = status.get_mut("models").and_then(Value::as_array_mut);
            for model in models.into_iter().flatten() {
                // What was before, and when, differs with the way to a state.
                if let Some(model) = model.as_object_mut() {
                    model.remove("history");
                }
                if let Some(serving) = model.pointer_mut("/serving").and_then(Value::as_object_mut)
                {
                    serving.remove("since");
                }
            }
        }
        if let Some(spec) = value["spec"].as_object_mut() {
            // The API server leaves out a list whose last item is taken away, and keeps one that never had any.
            spec.retain(|_, field| *field != json!([]));
        }
    } else if let Some(fields) = value.as_object_mut() {
        fields.remove("status");
    }
    if kind == "Service"
        && let Some(spec) = value["spec"].as_object_mut()
    {
        spec.remove("clusterIPs");
        if spec
            .get("clusterIP")
            .is_some_and(|address| address != "None")
        {
            spec.remove("clusterIP");
        }
    }
    let scaled = &value["metadata"]["annotations"]["edgemodel.io/autoscaling"];
    if kind == "Deployment" && *scaled != "none" {
        // The number is the autoscaler's.
        value["spec"]["replicas"] = Value::Null;
    }
    if kind == "Deployment"
        && let Some(annotations) =
            value["spec"]["template"]["metadata"]["annotations"].as_object_mut()
        && let Some(digest) = annotations.get_mut("edgemodel.io/secrets")
    {
        *digest = (digest == secrets_before).into();
    }
    value
}

/// The first differences of two states.
pub(crate) fn differences(wanted: &State, found: &State) -> Vec<String> {
    let mut lines = Vec::new();
    for key in wanted.objects.keys().chain(found.objects.keys()) {
        match (wanted.objects.get(key), found.objects.get(key)) {
            (Some(wanted), Some(found)) => {
                compare(wanted, found, &format!("{} {}", key.0, key.1), &mut lines);
            }
            (Some(_), None) => lines.push(format!("{} {} is missing", key.0, key.1)),
            (None, Some(_)) => lines.push(format!("{} {} is left", key.0, key.1)),
            (None, None) => {}
        }
    }
    lines.sort();
    lines.dedup();
    lines.truncate(12);
    lines
}

/// Where two values differ.
pub(crate) fn compare(wanted: &Value, found: &Value, path: &str, lines: &mut Vec<String>) {
    match (wanted, found) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys()) {
                compare(
                    &wanted[key.as_str()],
                    &found[key.as_str()],
                    &format!("{path}.{key}"),
                    lines,
                );
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                compare(a, b, &format!("{path}[{index}]"), lines);
            }
        }
        _ if wanted == found => {}
        _ => lines.push(format!("{path}: {found} instead of {wanted}")),
    }
}

#[test]
fn what_is_in_progress_is_shown() {
    let rolling = json!({
        "metadata": { "generation": 2 }, "spec": { "replicas": 1 },
        "status": { "observedGeneration": 2, "replicas": 2, "updatedReplicas": 1, "availableReplicas": 1 },
    });
    let shown = unsettled("Deployment", &rolling).expect("a pod too many");
    assert_eq!(shown["status"]["replicas"], 2);
    let mut done = rolling;
    done["status"]["replicas"] = 1.into();
    assert_eq!(unsettled("Deployment", &done), None);
    let deleted = json!({ "metadata": { "deletionTimestamp": "2026-01-01T00:00:00Z" } });
    assert!(unsettled("ConfigMap", &deleted).is_some());
}

#[test]
fn a_port_within_a_uid_is_not_masked() {
    let text = "40003c2e:40003, 140003 w:40003";
    assert_eq!(
        replaced(text, "40003", "PORT"),
        "40003c2e:PORT, 140003 w:PORT"
    );
    assert_eq!(replaced(text, "", "PORT"), text);
}
