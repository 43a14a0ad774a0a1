//! The ConfigMap of a model: the configuration that its workers read.
//!
//! Its name changes with what a worker must be restarted for, so that a pod of an older template keeps
//! the configuration that it was made for, however often an edge node starts it again. The rest is
//! changed in place.

use crds::contract::mount::CONFIG_FILE;
use serde_json::json;

use super::model_source::ModelSource;
use super::{Child, labels, names};
use crate::kind::Kind;

pub(super) fn build(source: &ModelSource<'_>) -> Child {
    let identity = source.inputs.identity;
    let (model, config) = (&source.func.name, source.config);
    let name = names::config_map(&identity.name, model, source.restart_digest);
    let labels = labels::of_model(identity, model);
    let mut annotations = json!({ labels::NAME: model, labels::CONFIG: source.restart_digest });
    if let Some(digest) = source.digest {
        annotations[labels::DIGEST] = digest.into();
    }
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
