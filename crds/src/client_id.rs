//! Client ids: stable, since the broker keeps a session under each, and never used twice.

use std::collections::HashMap;

use crate::ValidatedRuntime;

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

/// One MQTT session of the worker. Each rule has two for each model, so that a stuck model does not hold
/// back the messages or acknowledgements of others.
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
/// A configured id that only one session uses stays as it is; shared by several, it becomes
/// `<clientId>-<model>[-<rule>-<role>][-<replica>]`.
///
/// `owner` is part of ids that the configuration does not set: the machine's name, or the runtime's in a
/// cluster. `replica` tells replicas apart.
pub fn assign(
    runtime: &ValidatedRuntime,
    owner: &str,
    replica: Option<&str>,
) -> HashMap<SessionKey, String> {
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
                    slug(owner),
                    key.rule,
                    key.role.as_str()
                ),
            };
            if let Some(replica) = replica {
                id = format!("{id}-{replica}");
            }
            (*key, id)
        })
        .collect()
}

/// `text` with only the characters that every broker accepts in a client id. If others had to be replaced,
/// a short hash keeps the result unique.
fn slug(text: &str) -> String {
    use sha2::{Digest, Sha256};
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.';
    let kept: String = text.chars().filter(|c| plain(*c)).take(40).collect();
    if kept == text {
        return kept;
    }
    let short = crate::digest::hex(&Sha256::digest(text.as_bytes())[..4]);
    if kept.is_empty() {
        short
    } else {
        format!("{kept}-{short}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: &str = include_str!("../../tests/fixtures/seed/config.yaml");

    fn ids(text: &str, replica: Option<&str>) -> Vec<String> {
        let runtime = crate::load(text, "test").unwrap();
        let mut ids: Vec<_> = assign(&runtime, "edge-1", replica).into_values().collect();
        ids.sort();
        ids
    }

    /// Two sessions with one id would keep disconnecting each other.
    #[test]
    fn an_id_that_two_models_would_share_is_told_apart() {
        assert_eq!(
            ids(SEED, None),
            [
                "ae03af75-13f5-4cf9-9145-0fea4e6ff1e4-industry",
                "ae03af75-13f5-4cf9-9145-0fea4e6ff1e4-test",
                "ef2712a2-926d-4388-92d0-60470ab2613d-industry",
                "ef2712a2-926d-4388-92d0-60470ab2613d-test",
            ]
        );
    }

    #[test]
    fn an_id_that_one_session_uses_is_taken_as_it_is() {
        let second = SEED
            .find("- devices:\n  - deviceName: \"三厂")
            .or_else(|| SEED.rfind("- devices:"))
            .unwrap();
        let end = SEED
            .find("# mqtt configuration")
            .or_else(|| SEED.find("mqtts:"))
            .unwrap();
        let one = format!("{}{}", &SEED[..second], &SEED[end..]);
        assert_eq!(
            ids(&one, None),
            [
                "ae03af75-13f5-4cf9-9145-0fea4e6ff1e4",
                "ef2712a2-926d-4388-92d0-60470ab2613d"
            ]
        );
        assert!(ids(&one, Some("2")).iter().all(|id| id.ends_with("-2")));
    }

    #[test]
    fn ids_stay_apart_whatever_the_names_and_rules() {
        let text = SEED.replace("modelName: test", "modelName: 设备").replace(
            "ef2712a2-926d-4388-92d0-60470ab2613d",
            "ae03af75-13f5-4cf9-9145-0fea4e6ff1e4",
        );
        let mut distinct = ids(&text, None);
        distinct.dedup();
        assert_eq!(distinct.len(), 4, "{distinct:?}");
        let text = text.replace("clientId:", "# clientId:");
        let mut distinct = ids(&text, None);
        distinct.dedup();
        assert_eq!(distinct.len(), 4, "{distinct:?}");
        assert!(
            distinct
                .iter()
                .all(|id| id.is_ascii() && id.starts_with("edgemodel-edge-1-"))
        );
    }
}
