//! How long every list, map and text may be.
//!
//! An API server keeps an object of at most 1.5 MB (etcd's limit, with the field managers' records), and
//! estimates what a rule costs from these bounds alone. The product of the largest numbers would be too
//! much for etcd, so [`super::rules`] also bounds the sum of all devices.

use serde_json::{Value, json};

use super::schema_path;
use crate::status::{MAX_CONDITION_MESSAGE, MAX_MESSAGE};

/// One bound.
pub(super) enum Bound {
    /// Least and most characters.
    Text(usize, usize),
    /// Most entries; whoever writes the list owns all of it.
    List(usize),
    /// Most entries, and the field that tells them apart; each may have its own owner.
    ListMap(usize, &'static str),
    /// Most entries.
    Map(usize),
}

use Bound::{List, ListMap, Map, Text};

/// Kubernetes' own longest name (a DNS subdomain), and here everything's that people name.
const NAME: Bound = Text(1, 253);
/// A topic, and an address where a broker listens. MQTT would allow 65,535 bytes.
const TOPIC: Bound = Text(1, 1024);
const PATH: Bound = Text(1, 1024);
/// A time span, or a quantity such as `500m`.
const QUANTITY: Bound = Text(1, 32);
const REASON: Bound = Text(1, 128);

/// Path and bound.
pub(super) const BOUNDS: &[(&str, Bound)] = &[
    ("spec.mqtts", ListMap(32, "name")),
    ("spec.mqtts[].name", NAME),
    ("spec.mqtts[].broker", TOPIC),
    ("spec.mqtts[].auth.username", Text(0, 256)),
    ("spec.mqtts[].auth.usernameFile", PATH),
    ("spec.mqtts[].auth.password", Text(0, 256)),
    ("spec.mqtts[].auth.passwordFile", PATH),
    ("spec.mqtts[].credentialsSecretRef.name", NAME),
    ("spec.mqtts[].tls.caFile", PATH),
    ("spec.mqtts[].tls.certFile", PATH),
    ("spec.mqtts[].tls.keyFile", PATH),
    ("spec.mqtts[].tls.serverName", NAME),
    ("spec.mqtts[].tls.secretRef.name", NAME),
    ("spec.rules", List(64)),
    ("spec.rules[].sub.name", NAME),
    ("spec.rules[].sub.clientId", NAME),
    ("spec.rules[].sub.topic", TOPIC),
    ("spec.rules[].pub.name", NAME),
    ("spec.rules[].pub.clientId", NAME),
    ("spec.rules[].pub.timeout", QUANTITY),
    ("spec.rules[].pub.topic", TOPIC),
    ("spec.rules[].pub.deadLetterTopic", TOPIC),
    ("spec.funcs", ListMap(64, "modelName")),
    ("spec.funcs[].modelAddress", Text(1, 2048)),
    // Longer than any digest: one that cannot be read refuses its model alone, in the status.
    ("spec.funcs[].modelMd5", Text(0, 128)),
    ("spec.funcs[].modelSha256", Text(0, 128)),
    ("spec.funcs[].modelName", NAME),
    ("spec.funcs[].devices", List(512)),
    ("spec.funcs[].devices[].deviceName", NAME),
    ("spec.funcs[].devices[].deviceAttr", List(8)),
    ("spec.funcs[].devices[].deviceAttr[].attrName", Text(0, 253)),
    (
        "spec.funcs[].devices[].deviceAttr[].attrValue",
        Text(0, 1024),
    ),
    (
        "spec.funcs[].devices[].deviceAttr[].attrExpression",
        Text(1, 512),
    ),
    ("spec.funcs[].timeout", QUANTITY),
    ("spec.funcs[].startTimeout", QUANTITY),
    ("spec.funcs[].python", PATH),
    ("spec.funcs[].autoscaling.prometheusAddress", Text(1, 1024)),
    ("spec.funcs[].resources.requests", Map(3)),
    ("spec.funcs[].resources.requests{}", QUANTITY),
    ("spec.funcs[].resources.limits", Map(3)),
    ("spec.funcs[].resources.limits{}", QUANTITY),
    ("spec.expose", ListMap(16, "name")),
    ("spec.expose[].name", NAME),
    ("spec.expose[].protocolPort", Text(1, 32)),
    ("spec.expose[].desc", Text(0, 1024)),
    ("spec.image", Text(1, 1024)),
    ("spec.imagePullSecrets", List(8)),
    ("spec.imagePullSecrets[]", NAME),
    ("spec.placement.nodeSelector", Map(16)),
    ("spec.placement.nodeSelector{}", Text(0, 63)),
    ("spec.placement.tolerations", List(16)),
    // A prefix of 253 characters, a slash and a name of 63.
    ("spec.placement.tolerations[].key", Text(0, 317)),
    ("spec.placement.tolerations[].value", Text(0, 63)),
    ("spec.modelCache.hostPath", PATH),
    ("spec.modelCache.claimName", NAME),
    ("spec.modelCache.sizeLimit", QUANTITY),
    ("status.conditions", ListMap(16, "type")),
    ("status.conditions[].type", REASON),
    ("status.conditions[].status", REASON),
    ("status.conditions[].reason", REASON),
    (
        "status.conditions[].message",
        Text(0, MAX_CONDITION_MESSAGE),
    ),
    ("status.conditions[].lastTransitionTime", Text(1, 64)),
    ("status.modelsSummary", Text(0, 64)),
    ("status.exposedSummary", Text(0, 256)),
    ("status.models", ListMap(64, "name")),
    ("status.models[].name", NAME),
    ("status.models[].reason", REASON),
    ("status.models[].message", Text(0, MAX_MESSAGE)),
    ("status.models[].deployment", NAME),
    ("status.models[].digest", Text(1, 256)),
    ("status.expose", ListMap(16, "name")),
    ("status.expose[].name", NAME),
    ("status.expose[].service", NAME),
    ("status.expose[].reason", REASON),
    ("status.expose[].message", Text(0, MAX_MESSAGE)),
];

/// Writes the bounds into the schema of an object.
pub(super) fn apply(object: &mut Value) {
    for (path, bound) in BOUNDS {
        let Some(schema) = schema_path::find(object, path) else {
            // A test says so.
            continue;
        };
        match bound {
            Text(least, most) => {
                if *least > 0 {
                    schema["minLength"] = json!(least);
                }
                schema["maxLength"] = json!(most);
            }
            List(most) => {
                schema["maxItems"] = json!(most);
                schema["x-kubernetes-list-type"] = json!("atomic");
            }
            ListMap(most, key) => {
                schema["maxItems"] = json!(most);
                schema["x-kubernetes-list-type"] = json!("map");
                schema["x-kubernetes-list-map-keys"] = json!([key]);
            }
            Map(most) => schema["maxProperties"] = json!(most),
        }
    }
}
