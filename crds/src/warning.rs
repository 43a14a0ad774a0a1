//! What is allowed in a configuration and probably not meant.

use std::fmt;

use crate::topic::overlap;
use crate::validated::{BrokerUrl, Template, ValidatedFunc, ValidatedRule, ValidatedRuntime};

/// One warning: where, what, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Path of the field, such as `rules[1]`.
    pub path: String,
    /// What is probably not meant.
    pub message: String,
    /// What to do about it.
    pub remedy: &'static str,
}

impl fmt::Display for Warning {
    /// `path: message; remedy`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.path, self.message, self.remedy)
    }
}

/// The warnings about `runtime`. `same` says whether two brokers, by index, are the same although their addresses differ.
pub fn warnings(runtime: &ValidatedRuntime, same: impl Fn(usize, usize) -> bool) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let brokers = &runtime.mqtts;
    let is_one = |one: usize, other: usize| {
        same_broker(&brokers[one].broker, &brokers[other].broker) || same(one, other)
    };
    for (index, rule) in runtime.rules.iter().enumerate() {
        for (before, other) in runtime.rules[..index].iter().enumerate() {
            let one_source = is_one(rule.sub_mqtt, other.sub_mqtt) && filters_overlap(rule, other);
            let one_target =
                is_one(rule.pub_mqtt, other.pub_mqtt) && rule.pub_topic == other.pub_topic;
            if one_source && one_target {
                warnings.push(Warning {
                    path: format!("rules[{index}]"),
                    message: format!(
                        "subscribes to what rules[{before}] subscribes to and publishes to the same topic, so results \
                         come twice"
                    ),
                    remedy: "remove one of them, or give them different topics",
                });
            }
        }
        let outputs = [
            ("topic", Some(&rule.pub_topic)),
            ("deadLetterTopic", rule.dead_letter_topic.as_ref()),
        ];
        for (name, topic) in outputs {
            let Some(topic) = topic else { continue };
            let looped = runtime
                .rules
                .iter()
                .find(|other| is_one(rule.pub_mqtt, other.sub_mqtt) && may_reach(topic, other));
            if let Some(other) = looped {
                let filters = other.sub_topics.join(", ");
                warnings.push(Warning {
                    path: format!("rules[{index}].pub.{name}"),
                    message: format!(
                        "{:?} on {} may come back by the subscription to {filters:?} on {}, so results would loop",
                        topic.to_string(),
                        brokers[rule.pub_mqtt].broker.address(),
                        brokers[other.sub_mqtt].broker.address(),
                    ),
                    remedy: "choose a topic that no rule subscribes to",
                });
            }
        }
    }
    warnings.extend(runtime.funcs.iter().enumerate().filter_map(unencrypted));
    warnings
}

/// A model whose credentials anyone on the way can read.
fn unencrypted((index, func): (usize, &ValidatedFunc)) -> Option<Warning> {
    let login = func
        .credentials
        .as_ref()
        .and_then(|files| files.login.as_ref());
    let host = func.address.host_str()?;
    let is_sent = login.is_some() || func.credentials_secret.is_some();
    let plain = func.address.scheme() == "http" && !is_loopback(host.trim_matches(['[', ']']));
    (is_sent && plain).then(|| Warning {
        path: format!("funcs[{index}].modelAddress"),
        message: format!("credentials are sent unencrypted to {host}"),
        remedy: "use https://",
    })
}

fn filters_overlap(one: &ValidatedRule, other: &ValidatedRule) -> bool {
    let mut filters = one.sub_topics.iter();
    filters.any(|filter| other.sub_topics.iter().any(|other| overlap(filter, other)))
}

fn may_reach(topic: &Template, rule: &ValidatedRule) -> bool {
    let outputs = topic.filter();
    rule.sub_topics
        .iter()
        .any(|filter| overlap(&outputs, filter))
}

/// Whether two addresses are of one broker as far as that is seen without a network.
pub(crate) fn same_broker(one: &BrokerUrl, other: &BrokerUrl) -> bool {
    let is_one_host = one.host.eq_ignore_ascii_case(&other.host)
        || (is_loopback(&one.host) && is_loopback(&other.host));
    one.port == other.port && is_one_host
}

/// Whether a host is this machine by any of its names.
fn is_loopback(host: &str) -> bool {
    let address = host.parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "
mqtts: [{name: a, broker: tcp://broker.example}, {name: b, broker: tcp://10.0.0.1}]
rules:
- {sub: {name: a, topic: in/+}, pub: {name: a, topic: out}}
- {sub: {name: a, topic: in/+}, pub: {name: a, topic: out}}
funcs: [{modelName: m, modelAddress: file:///m.zip}]
";

    #[track_caller]
    fn warns(from: &str, to: &str, same: bool, expected: &[&str]) {
        let text = CONFIG.replacen(from, to, 1);
        let runtime = crate::load(&text, "c").unwrap();
        let warnings: Vec<_> = warnings(&runtime, |one, other| same && one != other)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(warnings.len(), expected.len(), "{warnings:#?}");
        for (warning, expected) in warnings.iter().zip(expected) {
            assert!(warning.contains(expected), "{warning}");
        }
    }

    #[test]
    fn c7_two_rules_of_one_filter_and_target_are_warned_of() {
        let twice =
            "rules[1]: subscribes to what rules[0] subscribes to and publishes to the same topic";
        warns("", "", false, &[twice]);
        warns("in/+", "in/1", false, &[twice]);
        warns("in/+", "other", false, &[]);
        warns("topic: out", "topic: other", false, &[]);
        let elsewhere = "pub: {name: b";
        warns("pub: {name: a", elsewhere, false, &[]);
        warns("pub: {name: a", elsewhere, true, &[twice]);
    }

    /// `b` is another name of `a`, as its address tells.
    #[test]
    fn c7_results_that_may_come_back_are_warned_of() {
        let back = "rules[0].pub.topic: \"in/1\" on 10.0.0.1:1883 may come back by the subscription to \"in/+\" on broker.example:1883";
        warns(
            "pub: {name: a, topic: out",
            "pub: {name: b, topic: in/1",
            true,
            &[back],
        );
        warns(
            "pub: {name: a, topic: out",
            "pub: {name: b, topic: in/1",
            false,
            &[],
        );
        let template = "rules[0].pub.topic: \"{topic[0]}/1\"";
        warns("topic: out", "topic: '{topic[0]}/1'", false, &[template]);
        warns("topic: out", "topic: 'out/{device}'", false, &[]);
    }

    #[test]
    fn e1_credentials_that_are_sent_unencrypted_are_warned_of() {
        const MODEL: &str = "file:///m.zip}";
        const ONCE: &str = "- {sub: {name: a, topic: in/+}, pub: {name: a, topic: out}}\n";
        for (to, expected) in [
            (
                "'http://10.0.0.1/m.zip', modelCredentials: {tokenFile: /t}}",
                Some(
                    "funcs[0].modelAddress: credentials are sent unencrypted to 10.0.0.1; use https://",
                ),
            ),
            (
                "'http://store/m.zip', modelCredentialsSecretRef: {name: s}}",
                Some("unencrypted to store"),
            ),
            (
                "'http://[::1]/m.zip', modelCredentials: {tokenFile: /t}}",
                None,
            ),
            (
                "'http://localhost/m.zip', modelCredentials: {tokenFile: /t}}",
                None,
            ),
            (
                "'https://store/m.zip', modelCredentials: {tokenFile: /t}}",
                None,
            ),
            ("'http://store/m.zip'}", None),
        ] {
            let text = CONFIG.replacen(ONCE, "", 1).replacen(MODEL, to, 1);
            let runtime = crate::load(&text, "c").unwrap();
            let warnings = warnings(&runtime, |_, _| false);
            assert_eq!(warnings.len(), expected.iter().len(), "{warnings:#?}");
            for (warning, expected) in warnings.iter().zip(expected) {
                assert!(warning.to_string().contains(expected), "{warning}");
            }
        }
    }

    #[test]
    fn the_names_of_this_machine_are_one_host() {
        let same =
            |one: &str, other: &str| same_broker(&one.parse().unwrap(), &other.parse().unwrap());
        assert!(same("tcp://localhost", "tcp://127.0.0.1"));
        assert!(same("tcp://[::1]", "tcp://127.0.1.1"));
        assert!(same("tcp://Broker", "tcp://broker:1883"));
        assert!(!same("tcp://localhost", "tcp://127.0.0.1:1884"));
        assert!(!same("tcp://10.0.0.1", "tcp://10.0.0.2"));
    }
}
