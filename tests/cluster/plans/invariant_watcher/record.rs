//! What the invariant watcher has seen, and which of it violates an invariant.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::super::decoys;

const OPERATOR: &str = "edgemodel-operator";
const MODEL: &str = "edgemodel.io/name";
const RUNTIME_UID: &str = "edgemodel.io/runtime-uid";

/// A Deployment of a runtime.
#[derive(Debug, Default)]
struct Deployment {
    owner: String,
    model: String,
    /// Its generations with the resource versions from which on it had them.
    generations: Vec<(u64, i64)>,
    /// The generations that were seen to serve in full.
    complete: BTreeSet<i64>,
    /// Somebody else has set the number of pods or the like: what it has is not the operator's word.
    foreign: bool,
    leaving: bool,
}

/// A status that says that everything serves.
#[derive(Debug)]
struct Claim {
    uid: String,
    version: u64,
    models: Vec<String>,
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// The greatest observed generation of each runtime.
    runtimes: BTreeMap<String, i64>,
    deployments: BTreeMap<String, Deployment>,
    decoys: BTreeMap<String, String>,
    /// Objects that the operator has written, and the UID of what controls them.
    owned: BTreeMap<String, String>,
    claims: Vec<Claim>,
    secrets: Vec<String>,
    violations: BTreeSet<String>,
}

impl Record {
    pub(super) fn keep_secret(&mut self, text: &str) {
        self.secrets
            .extend([text.to_owned(), STANDARD.encode(text)]);
    }

    pub(super) fn seen(&mut self, kind: &str, object: &Value) {
        let name = format!("{kind} {}", word(&object["metadata"]["name"]));
        let text = object.to_string();
        if self.secrets.iter().any(|secret| text.contains(secret)) {
            self.wrong(format!("{name} shows a secret"));
        }
        if word(&object["metadata"]["name"]).starts_with(decoys::PREFIX) {
            self.decoy(&name, object);
            return;
        }
        let children = [
            "Deployment",
            "ConfigMap",
            "Service",
            "HorizontalPodAutoscaler",
        ];
        if children.contains(&kind) && managers(object).any(|(manager, _)| manager == OPERATOR) {
            let owner = owner(object);
            if owner.is_empty() {
                self.wrong(format!("{name} has no controller and was written"));
            }
            self.owned.insert(name.clone(), owner);
        }
        match kind {
            "EdgeModelRuntime" => self.runtime(&name, object),
            "Deployment" => self.deployment(&name, object),
            "Service" => self.service(&name, object),
            _ => {}
        }
    }

    pub(super) fn gone(&mut self, kind: &str, object: &Value, leaving: bool) {
        let name = word(&object["metadata"]["name"]);
        if name.starts_with(decoys::PREFIX) && !leaving {
            self.wrong(format!("{kind} {name} of somebody else was deleted"));
        }
        if kind == "Deployment" {
            self.deployments.remove(word(&object["metadata"]["uid"]));
        }
    }

    /// Everything that was wrong until now.
    pub(super) fn violations(&mut self) -> Vec<String> {
        for claim in std::mem::take(&mut self.claims) {
            self.check(&claim);
        }
        let strangers = self.owned.iter();
        let strangers = strangers.filter(|(_, owner)| !self.runtimes.contains_key(*owner));
        let strangers: Vec<_> = strangers
            .map(|(name, owner)| format!("{name} was written and is controlled by {owner:?}"))
            .collect();
        self.violations.extend(strangers);
        self.violations.iter().cloned().collect()
    }

    fn wrong(&mut self, what: String) {
        self.violations.insert(what);
    }

    fn decoy(&mut self, name: &str, object: &Value) {
        let version = word(&object["metadata"]["resourceVersion"]);
        let first = self
            .decoys
            .entry(name.to_owned())
            .or_insert_with(|| version.to_owned());
        let leaving = object["metadata"]["deletionTimestamp"].is_string();
        if first != version && !leaving {
            self.wrong(format!("{name} of somebody else was written"));
        }
    }

    fn runtime(&mut self, name: &str, object: &Value) {
        let uid = word(&object["metadata"]["uid"]).to_owned();
        let status = &object["status"];
        let observed = status["observedGeneration"].as_i64().unwrap_or(-1);
        let generation = object["metadata"]["generation"].as_i64();
        let before = self.runtimes.insert(uid.clone(), observed).unwrap_or(-1);
        if observed < before {
            self.wrong(format!(
                "{name}: observed generation {before}, then {observed}"
            ));
        }
        let conditions = status["conditions"].as_array();
        let mut conditions = conditions.into_iter().flatten();
        let ready = conditions.any(|one| one["type"] == "Ready" && one["status"] == "True");
        // Of a spec that was changed since, the status says nothing yet.
        if !ready || Some(observed) != generation {
            return;
        }
        let funcs = object["spec"]["funcs"].as_array();
        let models = funcs.into_iter().flatten();
        let models = models.map(|func| word(&func["modelName"]).to_owned());
        self.claims.push(Claim {
            uid,
            version: version(object),
            models: models.collect(),
        });
    }

    fn deployment(&mut self, name: &str, object: &Value) {
        let uid = word(&object["metadata"]["uid"]).to_owned();
        let generation = object["metadata"]["generation"]
            .as_i64()
            .unwrap_or_default();
        let deployment = self.deployments.entry(uid.clone()).or_default();
        deployment.owner = owner(object);
        word(&object["metadata"]["annotations"][MODEL]).clone_into(&mut deployment.model);
        deployment.leaving = object["metadata"]["deletionTimestamp"].is_string();
        deployment.foreign |= managers(object)
            .any(|(manager, fields)| manager != OPERATOR && fields.get("f:spec").is_some());
        if deployment.generations.last().map(|last| last.1) != Some(generation) {
            deployment.generations.push((version(object), generation));
        }
        if is_complete(object, generation) {
            deployment.complete.insert(generation);
        }
        let key = (deployment.owner.clone(), deployment.model.clone());
        let alike = self.deployments.values().filter(|one| {
            !one.leaving && !one.owner.is_empty() && (&one.owner, &one.model) == (&key.0, &key.1)
        });
        if alike.count() > 1 {
            self.wrong(format!("{name} is a second one of model {:?}", key.1));
        }
    }

    fn service(&mut self, name: &str, object: &Value) {
        let owner = owner(object);
        // What somebody else has written there is theirs, until it is put right.
        let mut writers = managers(object).filter(|(_, fields)| {
            let fields = &fields["f:spec"];
            fields.get("f:selector").is_some()
        });
        let ours = writers.all(|(manager, _)| manager == OPERATOR);
        if !owner.is_empty() && ours && object["spec"]["selector"][RUNTIME_UID] != *owner {
            self.wrong(format!("{name} selects {}", object["spec"]["selector"]));
        }
    }

    /// All Deployments were complete in the generation that they had when the status was written.
    fn check(&mut self, claim: &Claim) {
        let of = |one: &&Deployment| one.owner == claim.uid;
        let known: Vec<_> = self.deployments.values().filter(of).collect();
        let mut wrong = Vec::new();
        for deployment in &known {
            let at = deployment.generations.iter().rev();
            let mut at = at.filter(|(version, _)| *version <= claim.version);
            let serves = at
                .next()
                .is_none_or(|(_, generation)| deployment.complete.contains(generation));
            if !serves && !deployment.foreign && claim.models.contains(&deployment.model) {
                wrong.push(format!(
                    "Ready though {:?} does not serve: {deployment:?}",
                    deployment.model
                ));
            }
        }
        self.violations.extend(wrong);
    }
}

fn is_complete(deployment: &Value, generation: i64) -> bool {
    let status = &deployment["status"];
    let count = |name: &str| status[name].as_u64().unwrap_or(0);
    let wanted = deployment["spec"]["replicas"].as_u64().unwrap_or(1);
    status["observedGeneration"].as_i64() == Some(generation)
        && ["replicas", "updatedReplicas", "availableReplicas"]
            .into_iter()
            .all(|name| count(name) == wanted)
}

/// The UID of the runtime that controls an object; empty when there is none.
fn owner(object: &Value) -> String {
    let owners = object["metadata"]["ownerReferences"].as_array();
    let mut owners = owners.into_iter().flatten();
    let owner = owners.find(|one| one["controller"] == true && one["kind"] == "EdgeModelRuntime");
    owner
        .map(|one| word(&one["uid"]).to_owned())
        .unwrap_or_default()
}

/// Who has written which fields, parts as `status` left out.
fn managers(object: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let entries = object["metadata"]["managedFields"].as_array();
    let entries = entries.into_iter().flatten();
    let entries = entries.filter(|entry| entry["subresource"].is_null());
    entries.map(|entry| (word(&entry["manager"]), &entry["fieldsV1"]))
}

fn version(object: &Value) -> u64 {
    word(&object["metadata"]["resourceVersion"])
        .parse()
        .unwrap_or_default()
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
