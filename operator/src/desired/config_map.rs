//! The ConfigMap of a model: the configuration that its workers read.
//!
//! Its name changes with what a worker must be restarted for, so that a pod of an older template keeps
//! the configuration that it was made for, however often an edge node starts it again. The rest is
//! changed in place.

use crds::contract::mount::CONFIG_FILE;
use crds::runtime::RuntimeSpec;
use serde_json::json;

use super::{Child, Identity, labels, names};
use crate::kind::Kind;

pub(super) fn build(
    identity: &Identity,
    model: &str,
    config: &RuntimeSpec,
    restart_digest: &str,
) -> Child {
    let name = names::config_map(&identity.name, model, restart_digest);
    let labels = labels::of_model(identity, model);
    let annotations = json!({ labels::NAME: model, labels::CONFIG: restart_digest });
    // JSON is YAML; the specification types hold nothing that YAML could not.
    let text = crds::yaml::write(config)
        .unwrap_or_else(|_| serde_json::to_string(config).unwrap_or_default());
    let body = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": labels::metadata(identity, &name, &labels, &annotations),
        "data": { CONFIG_FILE: text },
    });
    Child::new(Kind::ConfigMap, name, body)
}
