//! Brokers and topics.

use std::collections::HashSet;
use std::time::Duration;

use super::Report;
use super::broker_url::InvalidBrokerUrl;
use super::value::Field;
use crate::cluster::SecretReference;
use crate::node::Value;
use crate::runtime::{MqttVersion, Tls};
use crate::template::MAX_TOPIC;
use crate::topic::overlap;
use crate::validated::{
    BrokerUrl, Credential, Qos, Template, Transport, ValidatedAuth, ValidatedMqtt,
};

const KEEP_ALIVE: u16 = 30;
const MAX_PACKET_SIZE: u32 = 16 << 20;
const MAX_MESSAGE_BYTES: u32 = 1 << 20;

pub(super) fn broker(
    field: &Field,
    names: &mut HashSet<String>,
    report: &mut Report,
) -> Option<ValidatedMqtt> {
    let name = field.unique_name("name", names, report);
    let broker = field.get("broker").and_then(|address| {
        let text = address.as_text()?;
        let parsed = text.parse();
        if let Err(InvalidBrokerUrl { message, remedy }) = &parsed {
            // The address is not repeated where it may hold a password.
            let shown = if text.contains('@') {
                "the address".to_owned()
            } else {
                format!("{text:?}")
            };
            address.report(report, format!("{shown} {message}"), remedy.as_str());
        }
        parsed.ok()
    });
    let auth = field.get("auth").and_then(|auth| self::auth(&auth, report));
    let tls = field
        .get("tls")
        .map(|tls| self::tls(&tls, broker.as_ref(), report));
    let credentials_secret = secret(field, "credentialsSecretRef", report);
    if let (Some(place), true) = (field.get("auth"), credentials_secret.is_some()) {
        let remedy = "leave out auth: the Secret holds user and password";
        place.report(
            report,
            "both auth and credentialsSecretRef are given",
            remedy,
        );
    }
    Some(ValidatedMqtt {
        name: name?,
        broker: broker?,
        qos: match field.number::<u8>("qos") {
            Some(0) => Qos::AtMostOnce,
            Some(2) => Qos::ExactlyOnce,
            _ => Qos::AtLeastOnce,
        },
        retain: field.bool("retain").unwrap_or(false),
        version: match field.text("version").as_deref() {
            Some("5") => MqttVersion::V5,
            _ => MqttVersion::V3_1_1,
        },
        auth,
        credentials_secret,
        tls,
        keep_alive: Duration::from_secs(field.number("keepAlive").unwrap_or(KEEP_ALIVE).into()),
        max_packet_size: field.number("maxPacketSize").unwrap_or(MAX_PACKET_SIZE),
        max_message_bytes: field.number("maxMessageBytes").unwrap_or(MAX_MESSAGE_BYTES),
    })
}

fn auth(field: &Field, report: &mut Report) -> Option<ValidatedAuth> {
    let username = credential(field, "username", "usernameFile", report);
    let password = credential(field, "password", "passwordFile", report);
    let given = |name| field.get(name).is_some();
    if matches!(field.node.value, Value::Map(_)) && !given("username") && !given("usernameFile") {
        let remedy = "give username or usernameFile";
        field.report(report, "has no user name", remedy);
    }
    Some(ValidatedAuth {
        username: username?,
        password,
    })
}

/// A text or the file that holds it.
fn credential(
    field: &Field,
    text: &'static str,
    file: &'static str,
    report: &mut Report,
) -> Option<Credential> {
    match (field.text(text), field.text(file)) {
        (Some(_), Some(_)) => {
            let message = format!("both {text} and {file} are given");
            field.report(report, message, format!("leave out {text}"));
            None
        }
        (Some(text), None) => Some(Credential::Text(text)),
        (None, file) => file.map(Credential::File),
    }
}

/// The Secret that `name` refers to.
pub(super) fn secret(field: &Field, name: &str, report: &mut Report) -> Option<String> {
    field.get(name)?.name("name", report)
}

fn tls(field: &Field, broker: Option<&BrokerUrl>, report: &mut Report) -> Tls {
    if broker.is_some_and(|url| matches!(url.transport, Transport::Tcp | Transport::WebSocket)) {
        let remedy = "use ssl:// or wss:// in broker, or leave tls out";
        field.report(report, "the broker's address does not use TLS", remedy);
    }
    let tls = Tls {
        ca_file: field.text("caFile"),
        cert_file: field.text("certFile"),
        key_file: field.text("keyFile"),
        server_name: field.text("serverName"),
        secret_ref: secret(field, "secretRef", report).map(|name| SecretReference { name }),
    };
    if tls.secret_ref.is_some()
        && (tls.ca_file.is_some() || tls.cert_file.is_some() || tls.key_file.is_some())
    {
        let remedy = "leave the files out: the Secret's keys stand for them";
        field.report(report, "both secretRef and files are given", remedy);
    }
    if tls.cert_file.is_some() != tls.key_file.is_some() {
        let remedy = "give certFile and keyFile, or neither";
        field.report(report, "a client certificate needs its key", remedy);
    }
    tls
}

/// A topic to publish to.
pub(super) fn topic(field: &Field, name: &str, report: &mut Report) -> Option<Template> {
    let topic = field.get(name)?;
    let text = topic.as_text()?;
    let fault = if text.contains(['+', '#']) {
        Some("has a wildcard, which only subscriptions take")
    } else if text.starts_with('$') {
        Some("starts with $, which belongs to the broker")
    } else {
        fault(text)
    };
    let text = checked(&topic, text, fault, report)?;
    match text.parse() {
        Ok(template) => Some(template),
        Err(error) => {
            let remedy = "write {device}, {model} or {topic[1]}, and {{ or }} for a brace";
            topic.report(report, format!("{text:?}: {error}"), remedy);
            None
        }
    }
}

/// The topic filters to subscribe to, of `topic` and `topics`.
pub(super) fn filters(sub: &Field, report: &mut Report) -> Option<Vec<String>> {
    let fields: Vec<_> = sub
        .get("topic")
        .into_iter()
        .chain(sub.items("topics"))
        .collect();
    if fields.is_empty() && matches!(sub.node.value, Value::Map(_)) {
        let remedy = "give topic, or topics for several filters";
        let path = format!("{}.topic", sub.path);
        report.add(&path, sub.node.position, "is missing", remedy);
    }
    let count = fields.len();
    let mut filters: Vec<String> = Vec::new();
    for field in &fields {
        let Some(filter) = self::filter(field, report) else {
            continue;
        };
        if let Some(other) = filters.iter().find(|other| overlap(other, &filter)) {
            let message = format!("{filter:?} gets messages that {other:?} gets too");
            let remedy = "leave one of them out: brokers may deliver such a message twice";
            field.report(report, message, remedy);
        }
        filters.push(filter);
    }
    (count > 0 && filters.len() == count).then_some(filters)
}

fn filter(topic: &Field, report: &mut Report) -> Option<String> {
    let text = topic.as_text()?;
    let filter = match text.strip_prefix("$share/") {
        None => Some(text),
        Some(shared) => shared
            .split_once('/')
            .filter(|(group, _)| !group.is_empty() && !group.contains(['+', '#']))
            .map(|(_, filter)| filter),
    };
    let fault = match filter {
        None => Some("is not of the form $share/group/filter"),
        Some(filter) if !wildcards_in_place(filter) => {
            Some("has a wildcard that is not a whole level, or # before the end")
        }
        // The name of the group counts for the length.
        Some(filter) => self::fault(filter).or_else(|| self::fault(text)),
    };
    checked(topic, text, fault, report)
}

fn checked(field: &Field, text: &str, fault: Option<&str>, report: &mut Report) -> Option<String> {
    if let Some(fault) = fault {
        let remedy = "write a topic such as site/line1/telemetry";
        field.report(report, format!("{text:?} {fault}"), remedy);
        return None;
    }
    Some(text.to_owned())
}

fn fault(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        Some("is empty")
    } else if text.len() > MAX_TOPIC {
        Some("is longer than 65535 bytes")
    } else if text.chars().any(char::is_control) {
        Some("has a control character")
    } else {
        None
    }
}

fn wildcards_in_place(filter: &str) -> bool {
    let levels: Vec<_> = filter.split('/').collect();
    levels
        .iter()
        .enumerate()
        .all(|(index, level)| match *level {
            "+" => true,
            "#" => index + 1 == levels.len(),
            _ => !level.contains(['+', '#']),
        })
}
