//! What a worker is given of a spec, and what it restarts for.

use super::*;

const SEED: &str = include_str!("../../../tests/fixtures/seed/config.yaml");

fn seed() -> RuntimeSpec {
    let json: serde_json::Value = serde_saphyr::from_str(SEED).unwrap();
    serde_json::from_value(json).unwrap()
}

fn configuration(spec: &RuntimeSpec, func: usize, group: Option<&str>) -> RuntimeSpec {
    let runtime = crate::validate::spec(spec, "spec").unwrap();
    let secrets = SecretKeys::from([("broker".to_owned(), [CA_KEY.to_owned()].into())]);
    let options = Options {
        owner: "plant-line1",
        secrets: &secrets,
        exposes: true,
        group,
    };
    of_model(spec, &runtime, func, &options)
}

/// What the operator writes is what a worker reads.
#[test]
fn a_workers_configuration_is_a_configuration() {
    let config = configuration(&seed(), 0, None);
    let text = crate::yaml::write(&config).unwrap();
    let runtime = crate::load(&text, "config.yaml").unwrap();
    assert_eq!(runtime.funcs.len(), 1);
    assert_eq!(runtime.expose[0].port, 8080);
    assert_eq!(
        runtime.rules[0].sub_client_id.as_deref(),
        Some("ae03af75-13f5-4cf9-9145-0fea4e6ff1e4-industry")
    );
}

#[test]
fn secrets_are_files_and_absent_keys_leave_theirs_out() {
    let mut spec = seed();
    let reference = |name: &str| {
        Some(crate::cluster::SecretReference {
            name: name.to_owned(),
        })
    };
    spec.mqtts[0].broker = "ssl://broker".to_owned();
    spec.mqtts[0].credentials_secret_ref = reference("user");
    spec.mqtts[0].tls = Some(Tls {
        secret_ref: reference("broker"),
        ..Tls::default()
    });
    assert_eq!(
        secrets(&spec, &spec.funcs[0])["user"].required,
        [USERNAME_KEY, PASSWORD_KEY].into()
    );
    let config = configuration(&spec, 0, None);
    let text = crate::yaml::write(&config).unwrap();
    crate::load(&text, "config.yaml").unwrap();
    assert!(
        text.contains("/etc/edgemodel/secrets/user/username"),
        "{text}"
    );
    assert!(
        text.contains("/etc/edgemodel/secrets/broker/ca.crt"),
        "{text}"
    );
    assert!(
        !text.contains("tls.crt") && !text.contains("secretRef"),
        "{text}"
    );
}

/// Another model's password is nowhere near this one's worker.
#[test]
fn a_worker_knows_the_databases_of_its_model_alone() {
    let mut spec = seed();
    let database = |name: &str| Database {
        name: name.to_owned(),
        url: "postgresql+pg8000://h/d".to_owned(),
        credentials_secret_ref: Some(crate::cluster::SecretReference {
            name: format!("{name}-user"),
        }),
        ..Database::default()
    };
    spec.databases = ["plant", "archive", "unused"].map(database).into();
    spec.funcs[0].databases = vec!["plant".to_owned()];
    spec.funcs[1].databases = vec!["plant".to_owned(), "archive".to_owned()];
    let names = |func: usize| -> Vec<_> { secrets(&spec, &spec.funcs[func]).into_keys().collect() };
    assert_eq!(names(0), ["plant-user"]);
    assert_eq!(names(1), ["archive-user", "plant-user"]);
    let text = crate::yaml::write(&configuration(&spec, 0, None)).unwrap();
    let runtime = crate::load(&text, "config.yaml").unwrap();
    assert_eq!(runtime.databases.len(), 1);
    let plant = &runtime.databases[0];
    let file = "/etc/edgemodel/secrets/plant-user/password";
    assert_eq!(plant.password_file.as_deref(), Some(file));
    assert!(
        !text.contains("archive") && !text.contains("unused"),
        "{text}"
    );
}

/// New contents are read at the next download, so no worker restarts for them.
#[test]
fn e1_a_worker_reads_the_credentials_of_its_models_server_alone() {
    let mut spec = seed();
    for (func, name) in spec.funcs.iter_mut().zip(["broker", "other"]) {
        func.model_address = "https://h/m.zip".to_owned();
        func.model_credentials_secret_ref = Some(crate::cluster::SecretReference {
            name: name.to_owned(),
        });
    }
    let read = secrets(&spec, &spec.funcs[0]);
    assert_eq!(read.keys().collect::<Vec<_>>(), [&"broker"]);
    assert!(read["broker"].required.is_empty() && !read["broker"].at_start);
    let text = crate::yaml::write(&configuration(&spec, 0, None)).unwrap();
    let runtime = crate::load(&text, "config.yaml").unwrap();
    let files = runtime.funcs[0].credentials.as_ref().unwrap();
    let ca = "/etc/edgemodel/secrets/broker/ca.crt";
    assert_eq!((files.ca.as_deref(), &files.login), (Some(ca), &None));
    assert!(!text.contains("SecretRef"), "{text}");
    // The same Secret for the broker is read at start.
    spec.mqtts[0].credentials_secret_ref = spec.funcs[0].model_credentials_secret_ref.clone();
    assert!(secrets(&spec, &spec.funcs[0])["broker"].at_start);
}

#[test]
fn several_workers_share_their_subscriptions() {
    let mut spec = seed();
    spec.rules[0].sub.topics = vec!["more".to_owned()];
    let config = configuration(&spec, 0, Some("g"));
    let topic = |config: &RuntimeSpec| config.rules[0].sub.topic.clone().unwrap();
    assert!(topic(&config).starts_with("$share/g/cloud/"));
    assert_eq!(config.rules[0].sub.topics, ["$share/g/more"]);
    spec.rules[0].sub.topic = Some("$share/own/site".to_owned());
    let config = configuration(&spec, 0, Some("g"));
    assert_eq!(topic(&config), "$share/own/site");
}

#[test]
fn a_worker_restarts_for_its_own_model_and_not_for_an_address() {
    let digest = |spec: &RuntimeSpec| restart_digest(&configuration(spec, 0, None));
    let before = digest(&seed());
    let mut spec = seed();
    spec.funcs[0].model_address = "http://elsewhere/m.zip".to_owned();
    spec.expose[0].out_port = 40000;
    spec.expose[0].desc = Some("text".to_owned());
    spec.funcs[1].timeout = Some(crate::runtime::Timeout::Seconds(1.0));
    spec.funcs[0].replicas = Some(1);
    assert_eq!(digest(&spec), before);
    spec.funcs[0].model_md5 = Some("00000000000000000000000000000000".to_owned());
    assert_ne!(digest(&spec), before);
}

#[test]
fn the_order_of_brokers_and_ports_means_nothing() {
    let mut spec = seed();
    spec.mqtts.push(Mqtt {
        name: "another".to_owned(),
        broker: "tcp://192.168.241.2:1883".to_owned(),
        ..Mqtt::default()
    });
    spec.rules[0].r#pub.name = "another".to_owned();
    spec.expose.push(Expose {
        name: "another".to_owned(),
        protocol_port: "tcp://:2901".to_owned(),
        out_port: 40000,
        desc: None,
    });
    let before = configuration(&spec, 0, None);
    assert_eq!((before.mqtts.len(), before.expose.len()), (2, 2));
    spec.mqtts.reverse();
    spec.expose.reverse();
    assert_eq!(configuration(&spec, 0, None), before);
}

#[test]
fn a_runtime_without_models_is_valid_in_a_cluster_alone() {
    let spec = RuntimeSpec::default();
    assert!(crate::validate::spec(&spec, "spec").is_ok());
    assert!(crate::load("{}", "c.yaml").is_err());
}
