//! Labels, annotations and owner references of children.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Identity;
use super::names;

/// On every child: the runtime's name, shortened to a valid label.
pub const RUNTIME: &str = "edgemodel.io/runtime";
/// On every child: the runtime's UID. A runtime that was deleted and recreated has another, so that no
/// Service ever finds the pods of the old one.
pub const RUNTIME_UID: &str = "edgemodel.io/runtime-uid";
/// On a model's children: the model's name, shortened to a valid label.
pub const MODEL: &str = "edgemodel.io/model";
/// On every child of ours; watches are limited to it.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The value of [`MANAGED_BY`] and the field manager of all writes.
pub const OPERATOR: &str = "edgemodel-operator";

/// On a pod: the runtime's whole name.
pub const RUNTIME_NAME: &str = "edgemodel.io/runtime-name";
/// On a Deployment and its pods: the digest of the configuration that they run with.
pub const CONFIG: &str = "edgemodel.io/config";
/// On a pod: the digest of the contents of its Secrets.
pub const SECRETS: &str = "edgemodel.io/secrets";
/// On a Deployment and a ConfigMap: the digest that the model's zip must have.
pub const DIGEST: &str = "edgemodel.io/digest";
/// On a child: the model's or port's name in the spec.
pub const NAME: &str = "edgemodel.io/name";
/// On a Deployment: who decides the number of its pods.
pub const AUTOSCALING: &str = "edgemodel.io/autoscaling";
/// On a child: a digest of what was applied, which reveals fields that must be removed.
pub const APPLIED: &str = "edgemodel.io/applied";
/// On a runtime: `true` makes the operator leave everything as it is.
pub const PAUSED: &str = "edgemodel.io/paused";

/// The labels of every child.
pub fn common(identity: &Identity) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("app.kubernetes.io/name", "edgemodel".to_owned()),
        ("app.kubernetes.io/component", "worker".to_owned()),
        (MANAGED_BY, OPERATOR.to_owned()),
        (RUNTIME, names::label(&identity.name)),
        (RUNTIME_UID, identity.uid.clone()),
    ])
}

/// The labels of the children of `model`.
pub fn of_model(identity: &Identity, model: &str) -> BTreeMap<&'static str, String> {
    let mut labels = common(identity);
    labels.insert(MODEL, names::label(model));
    labels
}

/// What finds the pods of `model`.
pub fn model_selector(identity: &Identity, model: &str) -> Value {
    json!({ RUNTIME_UID: identity.uid, MODEL: names::label(model) })
}

/// What finds the pods of all models.
pub fn selector(identity: &Identity) -> Value {
    json!({ RUNTIME_UID: identity.uid })
}

/// The selector of everything that belongs to a runtime.
pub fn query(uid: &str) -> String {
    format!("{RUNTIME_UID}={uid}")
}

/// The metadata of a child.
pub fn metadata(
    identity: &Identity,
    name: &str,
    labels: &BTreeMap<&'static str, String>,
    annotations: &Value,
) -> Value {
    json!({
        "name": name,
        "namespace": identity.namespace,
        "labels": labels,
        "annotations": annotations,
        "ownerReferences": [{
            "apiVersion": "edgemodel.io/v1alpha1",
            "kind": "EdgeModelRuntime",
            "name": identity.name,
            "uid": identity.uid,
            "controller": true,
            "blockOwnerDeletion": false,
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(name: &str, uid: &str) -> Identity {
        Identity {
            name: name.to_owned(),
            namespace: "plant".to_owned(),
            uid: uid.to_owned(),
        }
    }

    /// Else a Service would send to the pods of another runtime, or of one that was deleted.
    #[test]
    fn selectors_find_the_pods_of_one_runtime_and_model() {
        let (a, b) = (identity("a", "1"), identity("a-b", "2"));
        assert_ne!(selector(&a), selector(&b));
        assert_ne!(selector(&a), selector(&identity("a", "3")));
        assert_ne!(model_selector(&a, "b-c"), model_selector(&a, "c"));
        assert_ne!(query(&a.uid), query(&b.uid));
    }

    #[test]
    fn every_label_that_is_selected_is_on_the_children() {
        let identity = identity("a", "1");
        let labels = json!(of_model(&identity, "设备"));
        let selectors = [selector(&identity), model_selector(&identity, "设备")];
        for selector in selectors {
            for (key, value) in selector.as_object().unwrap() {
                assert_eq!(labels[key], *value, "{key}");
            }
        }
    }

    #[test]
    fn children_are_controlled_by_their_runtime() {
        let labels = BTreeMap::new();
        let metadata = metadata(&identity("a", "1"), "n", &labels, &json!({}));
        let owner = &metadata["ownerReferences"][0];
        assert_eq!(owner["uid"], "1");
        assert_eq!(owner["controller"], true);
    }
}
