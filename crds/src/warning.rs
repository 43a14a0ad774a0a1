//! What is allowed in a configuration and probably not meant.

use std::fmt;

use crate::flow::Flow;
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
    let flow = Flow::of(runtime.rules.len(), |from, to| {
        let (rule, other) = (&runtime.rules[from], &runtime.rules[to]);
        let mut topics = [Some(&rule.pub_topic), rule.dead_letter_topic.as_ref()].into_iter();
        is_one(rule.pub_mqtt, other.sub_mqtt)
            && topics.any(|topic| topic.is_some_and(|topic| may_reach(topic, other)))
    });
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
            let mut others = runtime.rules.iter().enumerate();
            let looped = others.find(|(next, other)| {
                is_one(rule.pub_mqtt, other.sub_mqtt)
                    && may_reach(topic, other)
                    && flow.comes_back(*next, index)
            });
            if let Some((_, other)) = looped {
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
                continue;
            }
            // A broker often has one port without TLS, one with it and one for WebSockets.
            let other_port = runtime.rules.iter().find(|other| {
                let (target, source) = (&brokers[rule.pub_mqtt], &brokers[other.sub_mqtt]);
                same_host(&target.broker.host, &source.broker.host)
                    && target.broker.port != source.broker.port
                    && other
                        .sub_topics
                        .iter()
                        .any(|filter| topic.always_reaches(filter))
            });
            if let Some(other) = other_port {
                warnings.push(Warning {
                    path: format!("rules[{index}].pub.{name}"),
                    message: format!(
                        "if {} and {} are ports of one broker, {:?} comes back by the subscription to {:?}",
                        brokers[rule.pub_mqtt].broker.address(),
                        brokers[other.sub_mqtt].broker.address(),
                        topic.to_string(),
                        other.sub_topics.join(", "),
                    ),
                    remedy: "choose a topic that no rule subscribes to, unless they are two brokers",
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
    one.port == other.port && same_host(&one.host, &other.host)
}

fn same_host(one: &str, other: &str) -> bool {
    let plain = |host: &str| host.trim_end_matches('.').to_ascii_lowercase();
    plain(one) == plain(other) || (is_loopback(one) && is_loopback(other))
}

/// Whether a host is this machine by any of its names.
fn is_loopback(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    // What connects to the unspecified address connects to this machine.
    let is_own = |address: std::net::IpAddr| address.is_loopback() || address.is_unspecified();
    ["localhost", "localhost.localdomain", "ip6-localhost"].contains(&&*host)
        || host.ends_with(".localhost")
        || host.parse().is_ok_and(is_own)
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

    /// One broker by two of its ports, and rules that lead to each other.
    #[test]
    fn c7_loops_over_ports_and_over_rules_are_warned_of() {
        const RULE: &str = "- {sub: {name: a, topic: in/+}, pub: {name: a, topic: out}}\n";
        let warned = |brokers: &str, rules: &str| {
            let text = CONFIG
                .replace("name: b, broker: tcp://10.0.0.1", brokers)
                .replacen(RULE, rules, 1)
                .replacen(RULE, "", 1);
            let runtime = crate::load(&text, "c").unwrap();
            let warnings = warnings(&runtime, |_, _| false);
            warnings.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let back = "- {sub: {name: a, topic: in/+}, pub: {name: b, topic: in/1}}\n";
        let tls = warned("name: b, broker: 'ssl://Broker.example.'", back);
        assert_eq!(
            tls,
            [
                "rules[0].pub.topic: if broker.example.:8883 and broker.example:1883 are ports of one broker, \"in/1\" comes back \
                 by the subscription to \"in/+\"; choose a topic that no rule subscribes to, unless they are two brokers"
            ]
        );
        assert!(warned("name: b, broker: 'ssl://other.example'", back).is_empty());
        let chain = |last: &str| {
            format!(
                "- {{sub: {{name: a, topic: raw}}, pub: {{name: a, topic: '{{{{topic[0]}}}}/1'}}}}\n\
                 - {{sub: {{name: a, topic: '+/1'}}, pub: {{name: a, topic: {last}}}}}\n"
            )
        };
        assert!(warned("name: b, broker: tcp://10.0.0.1", &chain("out")).is_empty());
        let looped = warned("name: b, broker: tcp://10.0.0.1", &chain("'{device}'"));
        assert_eq!(looped.len(), 2, "{looped:#?}");
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
        for name in [
            "Localhost.",
            "a.localhost",
            "0.0.0.0",
            "[::]",
            "ip6-localhost",
        ] {
            assert!(same("tcp://localhost", &format!("tcp://{name}")), "{name}");
        }
        assert!(!same("tcp://localhost", "tcp://notlocalhost"));
        assert!(same("tcp://Broker", "tcp://broker:1883"));
        assert!(!same("tcp://localhost", "tcp://127.0.0.1:1884"));
        assert!(!same("tcp://10.0.0.1", "tcp://10.0.0.2"));
    }
}
