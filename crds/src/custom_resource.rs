//! The CustomResourceDefinition of `EdgeModelRuntime`: what an API server accepts, and what it says
//! about the rest.
//!
//! [`structural`] turns the JSON Schema of the types, with the bounds and rules that are attributes on their
//! fields ([`crate::constraint`]), into the dialect of API servers. What no rule can say, the operator
//! reports by the condition `Accepted`.

mod structural;

use kube::Resource as _;
use serde_json::{Value, json};

use crate::schema;
use crate::status::RuntimeStatus;
use crate::{EdgeModelRuntime, RuntimeSpec};

/// The CustomResourceDefinition, as an API server takes it.
pub fn crd() -> Value {
    let plural = EdgeModelRuntime::plural(&());
    let group = EdgeModelRuntime::group(&());
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": format!("{plural}.{group}"),
            "labels": { "app.kubernetes.io/part-of": "edgemodel" },
        },
        "spec": {
            "group": group,
            "names": {
                "kind": EdgeModelRuntime::kind(&()),
                "listKind": format!("{}List", EdgeModelRuntime::kind(&())),
                "plural": plural,
                "singular": "edgemodelruntime",
                "shortNames": ["emr"],
                "categories": ["edgemodel"],
            },
            "scope": "Namespaced",
            "versions": [{
                "name": EdgeModelRuntime::version(&()),
                "served": true,
                "storage": true,
                "subresources": { "status": {} },
                "additionalPrinterColumns": columns(),
                "schema": { "openAPIV3Schema": openapi() },
            }],
        },
    })
}

/// The schema of a whole object, with bounds and rules.
pub fn openapi() -> Value {
    let mut status = structural::from(&schema::constrained::<RuntimeStatus>());
    // Waiting for a condition works from the first moment on: kstatus treats an object with an unobserved
    // generation as in progress.
    status["default"] = json!({ "observedGeneration": -1 });
    json!({
        "description": "A runtime on a cluster: its models, the devices they serve, and the brokers between.",
        "type": "object",
        "required": ["spec"],
        "properties": {
            "spec": structural::from(&schema::constrained::<RuntimeSpec>()),
            "status": status,
        },
    })
}

fn columns() -> Value {
    let ready = |field: &str| format!(".status.conditions[?(@.type==\"Ready\")].{field}");
    let column = |name: &str, path: &str, description: &str| json!({ "name": name, "type": "string", "jsonPath": path, "description": description });
    let wide = |name: &str, path: &str, description: &str| {
        let mut column = column(name, path, description);
        column["priority"] = 1.into();
        column
    };
    json!([
        column(
            "Ready",
            &ready("status"),
            "Whether all models serve and all ports are in effect"
        ),
        column("Reason", &ready("reason"), "Why, in one word"),
        column(
            "Models",
            ".status.modelsSummary",
            "Models that serve, of all"
        ),
        column("Exposed", ".status.exposedSummary", "Ports in effect"),
        wide("Wanted", ".status.wantedSummary", "The digests that the spec asks for, in the order of the models"),
        wide("Serving", ".status.servingSummary", "The digests that workers serve, in the order of the models"),
        wide("Nodes", ".status.nodesSummary", "Where they serve"),
        wide("Message", &ready("message"), "Why, for people"),
        { "name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp" },
    ])
}

#[cfg(test)]
mod tests;
