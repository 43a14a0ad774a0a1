//! What a session does where the standard wants a connection closed over one bad packet (ADR 18): it costs the packet, and is
//! told of.

use std::cell::RefCell;

use super::resuming::begins_again;
use super::written::{PUBACK, PUBCOMP};
use super::*;
use crate::Notice;

statements! {
    a_message_that_is_not_utf_8_is_discarded(V3): v3_mqtt_1_5_3_1;
    a_message_that_is_not_utf_8_is_discarded(V5): v5_mqtt_1_5_4_1;
    a_message_with_nul_is_discarded(V3): v3_mqtt_1_5_3_2;
    a_message_with_nul_is_discarded(V5): v5_mqtt_1_5_4_2;
    a_packet_with_other_flags_is_taken(V3): v3_mqtt_2_2_2_2;
    a_message_at_qos_3_is_discarded(V3): v3_mqtt_3_3_1_4;
    a_broken_rule_costs_no_connection(V3): v3_mqtt_4_8_0_1;
    auth_is_ignored(V5): v5_mqtt_3_15_1_1 v5_mqtt_4_12_0_7;
    disconnect_with_reserved_flags_is_an_end(V5): v5_mqtt_3_14_1_1;
    a_session_that_was_to_be_new_is_taken_as_new(V5): v5_mqtt_3_2_2_4;
}

/// What the owner of a session hears.
#[derive(Debug, Default)]
struct Heard {
    messages: usize,
    malformed: usize,
    told: Vec<String>,
}

impl Heard {
    fn take(&mut self, event: Event) {
        match event {
            Event::Message(_) => self.messages += 1,
            Event::Malformed => self.malformed += 1,
            Event::Notice(Notice::Violation(what)) => self.told.push(what),
            _ => {}
        }
    }
}

/// What a session answers to a packet on a connection that stands, and what its owner hears.
async fn heard(version: MqttVersion, packet: &[u8]) -> (Vec<(u8, u16)>, Heard) {
    let heard = RefCell::new(Heard::default());
    let own = |_: &mut Session, event: Event| heard.borrow_mut().take(event);
    let answers = at_broker(
        version,
        |_| {},
        own,
        async |broker| {
            let mut peer = broker.serves(false).await;
            peer.say(packet).await;
            let packets = peer.answers().await;
            let written = packets.iter().map(|packet| Written::of(version, packet));
            written.map(|written| written.answers()).collect()
        },
    )
    .await;
    (answers, heard.into_inner())
}

async fn is_discarded(version: MqttVersion, topic: &[u8], told: &str) {
    let bad = message(version, AT_LEAST_ONCE, topic, 7);
    let (answers, heard) = heard(version, &bad).await;
    assert_eq!(answers, [(PUBACK, 7)]);
    assert_eq!((heard.messages, heard.malformed), (0, 1));
    assert!(heard.told[0].contains(told), "{heard:?}");
}

/// Neither are surrogates.
async fn a_message_that_is_not_utf_8_is_discarded(version: MqttVersion) {
    for topic in [&b"a\xFF\xFE"[..], b"a\xED\xA0\x80"] {
        is_discarded(version, topic, "PUBLISH with a topic that is not UTF-8").await;
    }
}

async fn a_message_with_nul_is_discarded(version: MqttVersion) {
    is_discarded(version, b"a\0", "PUBLISH with a NUL in its topic").await;
}

async fn a_packet_with_other_flags_is_taken(version: MqttVersion) {
    let (answers, heard) = heard(version, &[0x60, 2, 0, 8]).await;
    assert_eq!(answers, [(PUBCOMP, 8)]);
    let told = "PUBREL with reserved flags (MQTT 3.1.1, section 2.2.2)";
    assert_eq!(heard.told, [told]);
}

async fn a_message_at_qos_3_is_discarded(version: MqttVersion) {
    let bad = message(version, AT_LEAST_ONCE | EXACTLY_ONCE, b"a", 7);
    let (answers, heard) = heard(version, &bad).await;
    assert!(answers.is_empty());
    assert_eq!((heard.messages, heard.malformed), (0, 1));
    assert!(heard.told[0].contains("PUBLISH with QoS 3"), "{heard:?}");
}

async fn a_broken_rule_costs_no_connection(version: MqttVersion) {
    let (answers, heard) = heard(version, welcome(version)).await;
    assert!(answers.is_empty());
    assert!(
        heard.told[0].contains("CONNACK for the second time"),
        "{heard:?}"
    );
}

async fn auth_is_ignored(version: MqttVersion) {
    for first in [0xF0, 0xF1] {
        let (answers, heard) = heard(version, &[first, 0]).await;
        assert!(answers.is_empty());
        assert!(
            heard.told[0].contains("AUTH sent by the broker"),
            "{heard:?}"
        );
    }
}

async fn disconnect_with_reserved_flags_is_an_end(version: MqttVersion) {
    let heard = RefCell::new(Heard::default());
    let own = |_: &mut Session, event: Event| heard.borrow_mut().take(event);
    at_broker(
        version,
        |_| {},
        own,
        async |broker| {
            let mut peer = broker.serves(false).await;
            peer.say(&[0xE1, 0]).await;
            assert!(peer.rest().await.is_empty());
            // Whatever the owner hears, it hears before the next connection.
            broker.greets(false).await;
        },
    )
    .await;
    let told = "DISCONNECT with reserved flags (MQTT 5, section 2.1.3)";
    assert_eq!(heard.into_inner().told, [told]);
}

/// A broker that kept what it was asked to discard.
async fn a_session_that_was_to_be_new_is_taken_as_new(version: MqttVersion) {
    let notices = begins_again(version, true, true).await;
    let told = "CONNACK with a session that was to be new (MQTT 5, section 3.2.2.1.1)";
    assert_eq!(notices, [Notice::Violation(told.to_owned())]);
}
