//! What is built for pyboot's sample, and for what a cluster adds to it.

use std::collections::BTreeMap;

use crds::cluster::{
    Autoscaling, AutoscalingClass, ExposeMode, ModelCache, Placement, SecretReference,
};
use crds::{ClusterRuntime, Reason, RuntimeSpec};
use serde_json::{Value, json};

use super::{Defaults, Desired, Identity, Inputs, Model, SecretView, build};

const SAMPLE: &str = include_str!("../../../deploy/samples/edgemodel.yaml");

fn sample() -> RuntimeSpec {
    let object = serde_saphyr::from_str::<Value>(SAMPLE).unwrap();
    serde_json::from_value(object["spec"].clone()).unwrap()
}

fn desired(spec: &RuntimeSpec, secrets: &BTreeMap<String, SecretView>) -> Desired {
    let identity = Identity {
        name: "edgemodel".to_owned(),
        namespace: "plant".to_owned(),
        uid: "0b8f1c1e".to_owned(),
    };
    build(&Inputs {
        identity: &identity,
        runtime: &ClusterRuntime::new(spec.clone()).unwrap(),
        secrets,
        defaults: &Defaults {
            worker_image: "worker:1".to_owned(),
        },
    })
}

/// The pod of the first model.
fn pod(spec: &RuntimeSpec) -> Value {
    let desired = desired(spec, &BTreeMap::new());
    let Model::Served(children) = &desired.models[0] else {
        panic!("{:?}", desired.models[0]);
    };
    children.deployment.body["spec"]["template"]["spec"].clone()
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let text = |desired: &Desired| format!("{desired:?}");
    let once = text(&desired(&sample(), &BTreeMap::new()));
    assert_eq!(once, text(&desired(&sample(), &BTreeMap::new())));
}

#[test]
fn the_samples_second_model_gets_no_children_and_a_reason() {
    let desired = desired(&sample(), &BTreeMap::new());
    let Model::Blocked(blocked) = &desired.models[1] else {
        panic!("{:?}", desired.models[1]);
    };
    assert_eq!(
        (blocked.reason, blocked.passing),
        (Reason::InvalidDigest, false)
    );
    assert_eq!(desired.blocked, ["test"]);
}

/// KubeEdge: no API server, no image pull, no cloud for days.
#[test]
fn a_worker_needs_nothing_that_an_edge_node_without_its_cloud_lacks() {
    let pod = pod(&sample());
    assert_eq!(pod["automountServiceAccountToken"], false);
    assert!(pod.get("initContainers").is_none());
    assert_eq!(pod["containers"][0]["imagePullPolicy"], "IfNotPresent");
    let away = |key: &str| json!({ "key": key, "operator": "Exists", "effect": "NoExecute" });
    assert_eq!(
        pod["tolerations"],
        json!([
            away("node.kubernetes.io/not-ready"),
            away("node.kubernetes.io/unreachable")
        ])
    );
}

#[test]
fn in_the_nodes_network_one_worker_serves_the_ports_and_each_has_its_own_for_metrics() {
    let mut spec = sample();
    spec.funcs[1].model_md5 = Some("0".repeat(32));
    spec.placement = Some(Placement {
        edge: Some(true),
        host_network: Some(true),
        ..Placement::default()
    });
    let desired = desired(&spec, &BTreeMap::new());
    let containers: Vec<_> = desired
        .models
        .iter()
        .map(|model| match model {
            Model::Served(children) => children.deployment.body["spec"].clone(),
            Model::Blocked(_) => Value::Null,
        })
        .collect();
    let ports = |index: usize| &containers[index]["template"]["spec"]["containers"][0]["ports"];
    assert_eq!(ports(0).as_array().map(Vec::len), Some(2));
    assert_eq!(ports(1).as_array().map(Vec::len), Some(1));
    assert_ne!(ports(0)[0]["hostPort"], ports(1)[0]["hostPort"]);
    assert_eq!(containers[0]["strategy"]["type"], "Recreate");
    let node = &containers[0]["template"]["spec"]["nodeSelector"];
    assert_eq!(*node, json!({ "node-role.kubernetes.io/edge": "" }));
}

#[test]
fn a_port_of_the_node_has_no_service() {
    let mut spec = sample();
    spec.expose_mode = Some(ExposeMode::HostPort);
    assert!(desired(&spec, &BTreeMap::new()).ports[0].service.is_none());
    assert_eq!(pod(&spec)["containers"][0]["ports"][1]["hostPort"], 38080);
}

/// Ports cannot be mapped in a node's network.
#[test]
fn in_the_nodes_network_a_port_of_the_node_is_the_one_that_the_worker_listens_on() {
    let mut spec = sample();
    spec.expose_mode = Some(ExposeMode::HostPort);
    spec.placement = Some(Placement {
        host_network: Some(true),
        ..Placement::default()
    });
    let port = pod(&spec)["containers"][0]["ports"][1].clone();
    assert_eq!(
        (&port["containerPort"], &port["hostPort"]),
        (&json!(38080), &json!(38080))
    );
    let Model::Served(children) = &desired(&spec, &BTreeMap::new()).models[0] else {
        panic!("not served")
    };
    let config = children.config_map.body["data"].to_string();
    assert!(config.contains("http://:38080"), "{config}");
    assert!(!config.contains("http://:8080"), "{config}");
}

#[test]
fn models_are_kept_where_the_spec_says() {
    let mut spec = sample();
    assert_eq!(pod(&spec)["volumes"][1]["emptyDir"]["sizeLimit"], "1Gi");
    spec.model_cache = Some(ModelCache {
        host_path: Some("/var/lib/models".to_owned()),
        ..ModelCache::default()
    });
    assert_eq!(
        pod(&spec)["volumes"][1]["hostPath"]["path"],
        "/var/lib/models"
    );
}

#[test]
fn new_contents_of_a_secret_change_the_pods_and_its_absence_withholds_them() {
    let mut spec = sample();
    spec.mqtts[0].credentials_secret_ref = Some(SecretReference {
        name: "broker".to_owned(),
    });
    let view = |digest: &str| SecretView {
        keys: ["username".to_owned(), "password".to_owned()].into(),
        digest: digest.to_owned(),
    };
    let annotations = |view: SecretView| {
        let desired = desired(&spec, &[("broker".to_owned(), view)].into());
        match &desired.models[0] {
            Model::Served(children) => {
                children.deployment.body["spec"]["template"]["metadata"]["annotations"].clone()
            }
            Model::Blocked(blocked) => json!(blocked.reason),
        }
    };
    assert_ne!(annotations(view("one")), annotations(view("two")));
    assert_eq!(annotations(SecretView::default()), "SecretKeyMissing");
    let none = desired(&spec, &BTreeMap::new());
    assert!(
        matches!(&none.models[0], Model::Blocked(blocked) if blocked.reason == "SecretNotFound")
    );
}

/// Workers read them at each download, so a rotated token restarts none; another kind of credentials is another mount.
#[test]
fn e1_credentials_of_a_model_server_are_mounted_and_restart_no_worker() {
    let mut spec = sample();
    spec.funcs[0].model_address = "https://h/m.zip".to_owned();
    spec.funcs[0].model_credentials_secret_ref = Some(SecretReference {
        name: "store".to_owned(),
    });
    let model = |keys: &[&str], digest: &str| {
        let view = SecretView {
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            digest: digest.to_owned(),
        };
        let desired = desired(&spec, &[("store".to_owned(), view)].into());
        match &desired.models[0] {
            Model::Served(children) => children.deployment.body["spec"]["template"].clone(),
            Model::Blocked(blocked) => json!(blocked.reason),
        }
    };
    let one = model(&["token", "unread"], "one");
    assert_eq!(one, model(&["token"], "two"));
    assert_ne!(one, model(&["username", "password"], "two"));
    let volumes = one["spec"]["volumes"].as_array().unwrap();
    let mounted = volumes
        .iter()
        .find(|volume| volume["secret"]["secretName"] == "store");
    let items = &mounted.unwrap()["secret"]["items"];
    assert_eq!(items, &json!([{ "key": "token", "path": "token" }]));
    assert_eq!(model(&["unread"], "one"), "SecretKeyMissing");
    assert_eq!(model(&["token", "header"], "one"), "SecretKeyConflict");
    let none = desired(&spec, &BTreeMap::new());
    assert!(
        matches!(&none.models[0], Model::Blocked(blocked) if blocked.reason == "SecretNotFound")
    );
}

#[test]
fn e1_keys_of_an_s3_store_are_mounted_and_named_in_the_workers_configuration() {
    let mut spec = sample();
    spec.funcs[0].model_address = "s3://models/m.zip".to_owned();
    spec.funcs[0].model_credentials_secret_ref = Some(SecretReference {
        name: "store".to_owned(),
    });
    let model = |keys: &[&str]| {
        let view = SecretView {
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            digest: "one".to_owned(),
        };
        desired(&spec, &[("store".to_owned(), view)].into())
    };
    let desired = model(&["accessKey", "secretKey", "token"]);
    let Model::Served(children) = &desired.models[0] else {
        panic!("{:?}", desired.models[0]);
    };
    let volumes = &children.deployment.body["spec"]["template"]["spec"]["volumes"];
    let mut volumes = volumes.as_array().unwrap().iter();
    let mounted = volumes.find(|volume| volume["secret"]["secretName"] == "store");
    let keys = ["accessKey", "secretKey"].map(|key| json!({ "key": key, "path": key }));
    assert_eq!(mounted.unwrap()["secret"]["items"], json!(keys));
    let config = children.config_map.body["data"].to_string();
    for file in [
        "accessKeyFile: /etc/edgemodel/secrets/store/accessKey",
        "secretKeyFile: /etc/edgemodel/secrets/store/secretKey",
    ] {
        assert!(config.contains(file), "{config}");
    }
    assert!(!config.contains("tokenFile"), "{config}");
    let without = model(&["accessKey"]);
    assert!(
        matches!(&without.models[0], Model::Blocked(blocked) if blocked.reason == "SecretKeyMissing")
    );
}

#[test]
fn workers_are_added_for_messages_that_wait_and_for_a_model_that_is_busy() {
    let scaler = |scaling: Autoscaling| {
        let mut spec = sample();
        spec.funcs[0].model_name = r#"a "b" \ c"#.to_owned();
        spec.funcs[0].autoscaling = Some(scaling);
        let desired = desired(&spec, &BTreeMap::new());
        let Model::Served(children) = &desired.models[0] else {
            panic!("{:?}", desired.models[0]);
        };
        children.autoscaler.as_ref().unwrap().body["spec"].clone()
    };
    let hpa = scaler(Autoscaling {
        class: Some(AutoscalingClass::Hpa),
        ..Autoscaling::default()
    });
    let pods = |name: &str, value: &str| {
        json!({ "type": "Pods", "pods": {
            "metric": { "name": name },
            "target": { "type": "AverageValue", "averageValue": value },
        } })
    };
    assert_eq!(
        hpa["metrics"],
        json!([
            pods("edgemodel_queue_depth", "100"),
            pods("edgemodel_model_utilization", "800m")
        ])
    );
    let keda = scaler(Autoscaling {
        class: Some(AutoscalingClass::Keda),
        target_queue_depth: Some(7),
        target_utilization: Some(5),
        prometheus_address: Some("http://prometheus:9090".to_owned()),
        ..Autoscaling::default()
    });
    let trigger = |metric: &str, threshold: &str| {
        let series = r#"{namespace="plant",runtime="edgemodel",model="a \"b\" \\ c"}"#;
        json!({ "type": "prometheus", "metadata": {
            "serverAddress": "http://prometheus:9090",
            "query": format!("sum({metric}{series})"),
            "threshold": threshold,
        } })
    };
    assert_eq!(
        keda["triggers"],
        json!([
            trigger("edgemodel_queue_depth", "7"),
            trigger("edgemodel_model_utilization", "0.05")
        ])
    );
}
