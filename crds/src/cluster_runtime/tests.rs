//! A spec as the operator reads it.

use serde_json::json;

use super::*;

#[track_caller]
fn scaling(func: &serde_json::Value, expected: &Scaling, shares: bool) {
    let func: Func = serde_json::from_value(func.clone()).unwrap();
    let scaling = Scaling::of(&func);
    assert_eq!((&scaling, scaling.shares()), (expected, shares));
}

#[test]
fn the_number_of_workers_is_the_specs_or_an_autoscalers() {
    let func = |more: serde_json::Value| {
        let mut func = json!({ "modelAddress": "file:///m.zip", "modelName": "m" });
        for (key, value) in more.as_object().unwrap() {
            func[key] = value.clone();
        }
        func
    };
    let targets = Targets {
        min_replicas: 1,
        max_replicas: 4,
        queue_depth: 100,
        utilization: 80,
    };
    scaling(&func(json!({})), &Scaling::Fixed(1), false);
    scaling(&func(json!({ "replicas": 0 })), &Scaling::Fixed(0), false);
    scaling(&func(json!({ "replicas": 2 })), &Scaling::Fixed(2), true);
    let class = |class: &str| func(json!({ "replicas": 2, "autoscaling": { "class": class } }));
    scaling(&class("none"), &Scaling::Fixed(2), true);
    scaling(&class("hpa"), &Scaling::Hpa(targets), true);
    scaling(&class("external"), &Scaling::External, true);
    let keda = Scaling::Keda(targets, String::new());
    scaling(&class("keda"), &keda, true);
}

#[test]
fn a_directory_of_the_node_comes_before_a_claim() {
    let cache = |host: Option<&str>, claim: Option<&str>| {
        Cache::of(ModelCache {
            host_path: host.map(str::to_owned),
            claim_name: claim.map(str::to_owned),
            size_limit: None,
        })
    };
    let text = |text: &str| text.to_owned();
    assert_eq!(cache(None, None), Cache::Pod(text("1Gi")));
    assert_eq!(cache(None, Some("c")), Cache::Claim(text("c")));
    assert_eq!(cache(Some("/m"), Some("c")), Cache::HostPath(text("/m")));
}
