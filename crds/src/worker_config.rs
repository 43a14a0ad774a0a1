//! The contract between operator and worker: the configuration that a worker reads in its pod.
//!
//! It is a [`RuntimeSpec`] like any other, so that `edgemodel check` and `edgemodel run` take it: the
//! part of a runtime that concerns one model, without what only the operator uses, with Secrets as
//! files, and with the client ids that the worker would have under the whole configuration.

mod model_server;

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use crate::client_id::{self, Role, SessionKey};
use crate::contract::mount::SECRETS_DIR;
use crate::digest::hex;
use crate::runtime::{Auth, Database, Expose, Func, Mqtt, RuntimeSpec, Tls};
use crate::validated::ValidatedRuntime;

pub use model_server::{
    ACCESS_KEY, HEADER_KEY, KeyFault, SECRET_KEY, SESSION_KEY, TOKEN_KEY, fault_of_keys,
};

/// Keys of a Secret with credentials (those of the type `kubernetes.io/basic-auth`).
pub const USERNAME_KEY: &str = "username";
/// See [`USERNAME_KEY`].
pub const PASSWORD_KEY: &str = "password";

/// Keys of a Secret with certificates (those of the type `kubernetes.io/tls`).
pub const CA_KEY: &str = "ca.crt";
/// See [`CA_KEY`].
pub const CERT_KEY: &str = "tls.crt";
/// See [`CA_KEY`].
pub const KEY_KEY: &str = "tls.key";

/// Secrets that were found, and the keys that each has.
pub type SecretKeys = BTreeMap<String, BTreeSet<String>>;

/// What a worker's configuration depends on besides the spec.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// Names the runtime in client ids that the spec does not give.
    pub owner: &'a str,
    /// The Secrets that the spec refers to.
    pub secrets: &'a SecretKeys,
    /// Whether this worker serves the ports in `expose`.
    pub exposes: bool,
    /// The group that the workers of this model share their subscriptions in, if there may be several.
    pub group: Option<&'a str>,
}

/// The configuration of the workers of `spec.funcs[func]`.
pub fn of_model(
    spec: &RuntimeSpec,
    runtime: &ValidatedRuntime,
    func: usize,
    options: &Options<'_>,
) -> RuntimeSpec {
    let ids = client_id::assign(runtime, options.owner, None);
    let id = |rule, role| ids.get(&SessionKey { rule, func, role }).cloned();
    let rules = spec.rules.iter().enumerate();
    let rules: Vec<_> = rules
        .map(|(index, rule)| {
            let mut rule = rule.clone();
            rule.sub.client_id = id(index, Role::Sub);
            rule.r#pub.client_id = id(index, Role::Pub);
            if let Some(group) = options.group {
                for topic in rule.sub.topic.iter_mut().chain(&mut rule.sub.topics) {
                    if !topic.starts_with("$share/") {
                        *topic = format!("$share/{group}/{topic}");
                    }
                }
            }
            rule
        })
        .collect();
    let used = |mqtt: &&Mqtt| {
        let name = &mqtt.name;
        let mut ends = rules
            .iter()
            .flat_map(|rule| [&rule.sub.name, &rule.r#pub.name]);
        ends.any(|end| end == name)
    };
    let mqtts = spec.mqtts.iter().filter(used);
    let mut mqtts: Vec<_> = mqtts
        .map(|mqtt| with_files(mqtt, options.secrets))
        .collect();
    // Their order in the spec means nothing, so another one is no reason for a restart.
    mqtts.sort_by(|a, b| a.name.cmp(&b.name));
    let mut model = spec.funcs[func].clone();
    (model.replicas, model.autoscaling, model.resources) = (None, None, None);
    model_server::name_files(&mut model, options.secrets);
    model.databases.sort();
    let databases = spec
        .databases
        .iter()
        .filter(|entry| model.uses(&entry.name));
    let mut databases: Vec<_> = databases.map(database_with_files).collect();
    databases.sort_by(|a, b| a.name.cmp(&b.name));
    let expose = spec.expose.iter().filter(|_| options.exposes);
    let mut expose: Vec<_> = expose
        .map(|entry| Expose {
            desc: None,
            ..entry.clone()
        })
        .collect();
    expose.sort_by(|a, b| a.name.cmp(&b.name));
    RuntimeSpec {
        mqtts,
        rules,
        funcs: vec![model],
        databases,
        expose,
        ..RuntimeSpec::default()
    }
}

/// The keys of a Secret that a worker reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadKeys {
    /// Those that it must have.
    pub required: BTreeSet<&'static str>,
    /// Those that are read where they are.
    pub optional: BTreeSet<&'static str>,
    /// Whether a worker reads them when it starts, and has to restart for new contents.
    pub at_start: bool,
}

/// The names of the Secrets that the workers of `func` read, with the keys of each.
pub fn secrets<'a>(spec: &'a RuntimeSpec, func: &'a Func) -> BTreeMap<&'a str, ReadKeys> {
    const CREDENTIALS: [&str; 2] = [USERNAME_KEY, PASSWORD_KEY];
    let mut secrets: BTreeMap<&str, ReadKeys> = BTreeMap::new();
    for mqtt in &spec.mqtts {
        if let Some(secret) = &mqtt.credentials_secret_ref {
            let keys = secrets.entry(&secret.name).or_default();
            keys.required.extend(CREDENTIALS);
            keys.at_start = true;
        }
        if let Some(secret) = mqtt.tls.as_ref().and_then(|tls| tls.secret_ref.as_ref()) {
            let keys = secrets.entry(&secret.name).or_default();
            keys.optional.extend([CA_KEY, CERT_KEY, KEY_KEY]);
            keys.at_start = true;
        }
    }
    for database in spec.databases.iter().filter(|entry| func.uses(&entry.name)) {
        if let Some(secret) = &database.credentials_secret_ref {
            let keys = secrets.entry(&secret.name).or_default();
            keys.required.extend(CREDENTIALS);
            keys.at_start = true;
        }
    }
    if let Some(secret) = &func.model_credentials_secret_ref {
        let keys = secrets.entry(&secret.name).or_default();
        keys.optional.extend(model_server::keys(func));
    }
    secrets
}

/// A digest of what a worker must be restarted for. An address from which the same zip comes, or a
/// port outside the pod, is not that.
pub fn restart_digest(config: &RuntimeSpec) -> String {
    let mut config = config.clone();
    for func in &mut config.funcs {
        if func.model_md5.is_some() || func.model_sha256.is_some() {
            func.model_address.clear();
            func.model_s3 = None;
        }
    }
    for entry in &mut config.expose {
        entry.out_port = 0;
    }
    let text = serde_json::to_vec(&config).unwrap_or_default();
    hex(&Sha256::digest(text)[..5])
}

fn file(secret: &str, key: &str) -> String {
    format!("{SECRETS_DIR}/{secret}/{key}")
}

fn database_with_files(database: &Database) -> Database {
    let mut database = database.clone();
    if let Some(secret) = database.credentials_secret_ref.take() {
        database.username_file = Some(file(&secret.name, USERNAME_KEY));
        database.password_file = Some(file(&secret.name, PASSWORD_KEY));
    }
    database
}

fn with_files(mqtt: &Mqtt, secrets: &SecretKeys) -> Mqtt {
    let mut mqtt = mqtt.clone();
    if let Some(secret) = mqtt.credentials_secret_ref.take() {
        mqtt.auth = Some(Auth {
            username_file: Some(file(&secret.name, USERNAME_KEY)),
            password_file: Some(file(&secret.name, PASSWORD_KEY)),
            ..Auth::default()
        });
    }
    if let Some(tls) = &mut mqtt.tls
        && let Some(secret) = tls.secret_ref.take()
    {
        let present = |key: &str| {
            let keys = secrets.get(&secret.name)?;
            keys.contains(key).then(|| file(&secret.name, key))
        };
        *tls = Tls {
            ca_file: present(CA_KEY),
            cert_file: present(CERT_KEY),
            key_file: present(KEY_KEY),
            server_name: tls.server_name.take(),
            secret_ref: None,
        };
    }
    mqtt
}

#[cfg(test)]
mod tests;
