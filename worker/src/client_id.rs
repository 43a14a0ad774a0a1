//! Client ids: stable, since the broker keeps a session under each, and never used twice.

use std::collections::HashMap;

use crds::ValidatedRuntime;

use crate::settings::Settings;

/// Which end of a rule a session serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The subscription.
    Sub,
    /// The results.
    Pub,
}

impl Role {
    /// The label's value in metrics and the suffix in derived ids.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sub => "sub",
            Self::Pub => "pub",
        }
    }
}

/// One MQTT session of the worker: each rule has two for each model, so that a model that is stuck
/// holds back nobody else's messages or acknowledgements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionKey {
    /// Index of the rule.
    pub rule: usize,
    /// Index of the model.
    pub func: usize,
    /// Which end.
    pub role: Role,
}

/// Assigns an id to every session that the configuration asks for, refused models included, so that
/// ids do not change when a refused model is repaired.
///
/// A configured id that one session uses is taken as it is; used by more, it becomes
/// `<clientId>-<model>[-<rule>-<role>][-<ordinal>]`.
pub fn assign(runtime: &ValidatedRuntime, settings: &Settings) -> HashMap<SessionKey, String> {
    let mut sessions = Vec::new();
    for (rule_index, rule) in runtime.rules.iter().enumerate() {
        for func in 0..runtime.funcs.len() {
            for (role, broker, id) in [
                (Role::Sub, rule.sub_mqtt, &rule.sub_client_id),
                (Role::Pub, rule.pub_mqtt, &rule.pub_client_id),
            ] {
                let broker = &runtime.mqtts[broker].broker;
                let key = SessionKey {
                    rule: rule_index,
                    func,
                    role,
                };
                sessions.push((key, (broker.host.as_str(), broker.port, id.as_deref())));
            }
        }
    }
    let mut users = HashMap::new();
    let mut users_of_model = HashMap::new();
    for (key, identity) in &sessions {
        *users.entry(*identity).or_insert(0_usize) += 1;
        *users_of_model
            .entry((*identity, key.func))
            .or_insert(0_usize) += 1;
    }
    sessions
        .iter()
        .map(|(key, identity)| {
            let model = slug(&runtime.funcs[key.func].name);
            let mut id = match identity.2 {
                Some(id) if users[identity] == 1 => id.to_owned(),
                Some(id) if users_of_model[&(*identity, key.func)] == 1 => format!("{id}-{model}"),
                Some(id) => format!("{id}-{model}-{}-{}", key.rule, key.role.as_str()),
                None => format!(
                    "edgemodel-{}-{model}-{}-{}",
                    slug(&settings.hostname),
                    key.rule,
                    key.role.as_str()
                ),
            };
            if let Some(ordinal) = settings.ordinal {
                id.push_str(&format!("-{ordinal}"));
            }
            (*key, id)
        })
        .collect()
}

/// `text` in the characters that every broker takes in a client id; a text that had others gets a
/// short hash, so that two of them stay apart.
fn slug(text: &str) -> String {
    use sha2::{Digest, Sha256};
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.';
    let kept: String = text.chars().filter(|c| plain(*c)).take(40).collect();
    if kept == text {
        return kept;
    }
    let hash = Sha256::digest(text.as_bytes());
    let short: String = hash
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if kept.is_empty() {
        short
    } else {
        format!("{kept}-{short}")
    }
}
