//! What an API server makes of a runtime, in process: the CRD's structure in [`structure`] and its CEL
//! rules in the evaluator of the kube project.
//!
//! Each file of cases says what is accepted and what is refused, in words that name field and remedy. What only an
//! API server can say, such as whether a CRD's rules cost too much, is tested in `tests/cluster/admission.rs`.

mod api;
mod case;
mod connections;
mod databases;
mod models;
mod placement;
mod structure;

use std::collections::BTreeSet;

use api::Api;
use case::Case;
use serde_json::{Value, json};

#[test]
fn brokers_rules_and_ports() {
    case::check(&connections::cases());
}

#[test]
fn databases_and_their_models() {
    case::check(&databases::cases());
    assert_eq!(Api::new().create(&databases::used()), []);
}

#[test]
fn models_devices_and_scaling() {
    case::check(&models::cases());
}

#[test]
fn images_placement_and_model_cache() {
    case::check(&placement::cases());
}

/// pyboot's users move by putting `spec:` above what they have; its second digest is not base64, which
/// the status tells of that model alone.
#[test]
fn pyboots_configuration_is_accepted() {
    let sample = include_str!("../../../deploy/samples/edgemodel.yaml");
    let object: Value = serde_saphyr::from_str(sample).unwrap();
    assert_eq!(Api::new().create(&object["spec"]), []);
}

#[test]
fn a_runtime_without_anything_is_accepted() {
    assert_eq!(Api::new().create(&json!({})), []);
}

/// A rule that no case breaks could be wrong without anyone noticing.
#[test]
fn every_rule_refuses_something() {
    let api = Api::new();
    let cases = all_cases();
    let refused = cases.iter().flat_map(Case::refused_specs);
    let broken = refused.flat_map(|spec| api.create(&spec));
    let broken: BTreeSet<_> = broken.filter_map(|refusal| refusal.rule).collect();
    let unbroken: Vec<_> = api.rules().difference(&broken).cloned().collect();
    assert!(unbroken.is_empty(), "{unbroken:#?}");
}

/// A rule that no accepted runtime has a value for could refuse everything.
#[test]
fn every_rule_accepts_something() {
    let api = Api::new();
    let cases = all_cases();
    let accepted = cases.iter().flat_map(Case::accepted_specs);
    let judged: BTreeSet<_> = accepted.flat_map(|spec| api.rules_for(&spec)).collect();
    let unjudged: Vec<_> = api.rules().difference(&judged).cloned().collect();
    assert!(unjudged.is_empty(), "{unjudged:#?}");
}

fn all_cases() -> Vec<Case> {
    [
        connections::cases(),
        databases::cases(),
        models::cases(),
        placement::cases(),
    ]
    .concat()
}
