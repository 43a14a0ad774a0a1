//! The second check: what the fields mean together.

use std::collections::HashSet;
use std::time::Duration;

use super::value::Field;
use super::{Report, database, model, mqtt, placement};
use crate::flow::Flow;
use crate::node::{Node, Value};
use crate::template::Template;
use crate::validated::{
    ExposeProtocol, ValidatedExpose, ValidatedMqtt, ValidatedRule, ValidatedRuntime,
};
use crate::warning::same_broker;

const PUB_TIMEOUT: Duration = Duration::from_secs(10);

/// `complete`: brokers, rules and models must be there.
pub(super) fn runtime(node: &Node, complete: bool, report: &mut Report) -> ValidatedRuntime {
    let root = Field {
        node,
        path: String::new(),
    };
    let wanted = [
        ("mqtts", "name at least one broker"),
        (
            "rules",
            "say at least once where telemetry comes from and results go",
        ),
        ("funcs", "name at least one model"),
    ];
    for (name, remedy) in wanted.into_iter().filter(|_| complete) {
        match node.entry(name) {
            None => report.add(name, node.position, "is missing", remedy),
            Some(Node {
                value: Value::List(items),
                position,
            }) if items.is_empty() => report.add(name, *position, "is empty", remedy),
            Some(_) => {}
        }
    }
    let mut names = HashSet::new();
    let mqtts: Vec<_> = root
        .items("mqtts")
        .iter()
        .filter_map(|field| mqtt::broker(field, &mut names, report))
        .collect();
    let rules = root.items("rules");
    let mut parsed = Vec::new();
    for field in &rules {
        if let Some(rule) = rule(field, &mqtts, &names, report) {
            parsed.push((field, rule));
        }
    }
    feedback(&parsed, &mqtts, report);
    let mut names = HashSet::new();
    let databases: Vec<_> = root
        .items("databases")
        .iter()
        .filter_map(|field| database::database(field, &mut names, report))
        .collect();
    let databases_known = database::Known {
        databases: &databases,
        names: &names,
    };
    let mut names = HashSet::new();
    let funcs = root
        .items("funcs")
        .iter()
        .filter_map(|field| model::func(field, &mut names, &databases_known, report))
        .collect();
    let mut taken = Taken::default();
    let expose = root
        .items("expose")
        .iter()
        .filter_map(|field| expose(field, &mut taken, report))
        .collect();
    placement::check(&root, report);
    let rules = parsed.into_iter().map(|(_, rule)| rule).collect();
    ValidatedRuntime {
        mqtts,
        rules,
        funcs,
        databases,
        expose,
    }
}

fn rule(
    field: &Field,
    mqtts: &[ValidatedMqtt],
    names: &HashSet<String>,
    report: &mut Report,
) -> Option<ValidatedRule> {
    let (sub, publisher) = (field.get("sub"), field.get("pub"));
    let sub_mqtt = sub
        .as_ref()
        .and_then(|end| broker(end, mqtts, names, report));
    let pub_mqtt = publisher
        .as_ref()
        .and_then(|end| broker(end, mqtts, names, report));
    let sub_topics = sub.as_ref().and_then(|end| mqtt::filters(end, report));
    let (sub, publisher) = (sub?, publisher?);
    let pub_topic = mqtt::topic(&publisher, "topic", report);
    let dead_letter_topic = mqtt::topic(&publisher, "deadLetterTopic", report);
    if let (Some(field), true) = (
        publisher.get("deadLetterTopic"),
        pub_topic.is_some() && pub_topic == dead_letter_topic,
    ) {
        let remedy = "choose a topic of its own for dead letters";
        field.report(report, "is the topic of the results", remedy);
    }
    let pub_timeout = publisher.duration("timeout", PUB_TIMEOUT, report);
    let sub_client_id = client_id(&sub, report);
    let pub_client_id = client_id(&publisher, report);
    Some(ValidatedRule {
        sub_mqtt: sub_mqtt?,
        sub_topics: sub_topics?,
        ignore_retained: sub.bool("ignoreRetained").unwrap_or(false),
        sub_client_id,
        pub_mqtt: pub_mqtt?,
        pub_topic: pub_topic?,
        pub_client_id,
        pub_timeout,
        dead_letter_topic,
    })
}

fn client_id(end: &Field, report: &mut Report) -> Option<String> {
    end.name("clientId", report)
}

/// The index of the broker that `end` names. A name that stands in `mqtts` is not reported, even when
/// its broker could not be read: that is reported there, and so is an `mqtts` without any name.
fn broker(
    end: &Field,
    mqtts: &[ValidatedMqtt],
    names: &HashSet<String>,
    report: &mut Report,
) -> Option<usize> {
    let field = end.get("name")?;
    let name = field.as_text()?;
    if !names.is_empty() && !names.contains(name) {
        let mut known: Vec<_> = names.iter().map(String::as_str).collect();
        known.sort_unstable();
        let remedy = crate::nearest(name, known.iter().copied()).map_or_else(
            || format!("use one of the names in mqtts: {}", known.join(", ")),
            |nearest| format!("did you mean {nearest:?}?"),
        );
        field.report(report, format!("there is no broker {name:?}"), remedy);
    }
    mqtts.iter().position(|mqtt| mqtt.name == name)
}

/// Results that come back as telemetry would loop forever.
fn feedback(rules: &[(&Field, ValidatedRule)], mqtts: &[ValidatedMqtt], report: &mut Report) {
    let reaches = |topic: &Template, rule: &ValidatedRule, other: &ValidatedRule| {
        let (target, source) = (&mqtts[rule.pub_mqtt].broker, &mqtts[other.sub_mqtt].broker);
        let mut filters = other.sub_topics.iter();
        same_broker(source, target) && filters.any(|filter| topic.always_reaches(filter))
    };
    let flow = Flow::of(rules.len(), |from, to| {
        let (rule, other) = (&rules[from].1, &rules[to].1);
        let mut topics = [Some(&rule.pub_topic), rule.dead_letter_topic.as_ref()].into_iter();
        topics.any(|topic| topic.is_some_and(|topic| reaches(topic, rule, other)))
    });
    for (index, (field, rule)) in rules.iter().enumerate() {
        let outputs = [
            ("topic", Some(&rule.pub_topic)),
            ("deadLetterTopic", rule.dead_letter_topic.as_ref()),
        ];
        for (name, topic) in outputs {
            let Some(topic) = topic else { continue };
            let looped = rules.iter().enumerate().any(|(next, (_, other))| {
                reaches(topic, rule, other) && flow.comes_back(next, index)
            });
            if let (true, Some(place)) = (looped, field.get("pub").and_then(|end| end.get(name))) {
                let topic = topic.to_string();
                let message = format!("{topic:?} is also subscribed to, so results would loop");
                place.report(report, message, "choose a topic that no rule subscribes to");
            }
        }
    }
}

#[derive(Default)]
struct Taken {
    names: HashSet<String>,
    ports: HashSet<u16>,
    out_ports: HashSet<u16>,
}

fn expose(field: &Field, taken: &mut Taken, report: &mut Report) -> Option<ValidatedExpose> {
    let name = field.unique_name("name", &mut taken.names, report);
    let listen = field.get("protocolPort").and_then(|place| {
        let text = place.as_text()?;
        let parsed = protocol_port(text);
        match parsed {
            None => {
                let remedy = "write http://:8080 or tcp://:2901, with a port from 1 to 65535";
                place.report(
                    report,
                    format!("{text:?} is not a protocol and port"),
                    remedy,
                );
            }
            Some((_, port)) if !taken.ports.insert(port) => {
                let message = format!("port {port} is used twice");
                place.report(report, message, "give each entry its own port");
            }
            Some(_) => {}
        }
        parsed
    });
    let out_port: Option<u16> = field.number("outPort");
    if let (Some(port), Some(place)) = (out_port, field.get("outPort"))
        && !taken.out_ports.insert(port)
    {
        place.report(
            report,
            format!("port {port} is used twice"),
            "give each entry its own port",
        );
    }
    let (protocol, port) = listen?;
    Some(ValidatedExpose {
        name: name?,
        protocol,
        port,
        out_port: out_port?,
        desc: field.text("desc"),
    })
}

fn protocol_port(text: &str) -> Option<(ExposeProtocol, u16)> {
    let (scheme, rest) = text.split_once("://")?;
    let protocol = match scheme {
        "http" => ExposeProtocol::Http,
        "tcp" => ExposeProtocol::Tcp,
        _ => return None,
    };
    let port = rest
        .strip_prefix("0.0.0.0")
        .unwrap_or(rest)
        .strip_prefix(':')?;
    port.parse()
        .ok()
        .filter(|port| *port != 0)
        .map(|port| (protocol, port))
}
