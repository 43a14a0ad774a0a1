//! What is read of packets, sound and broken.

use super::*;

const V3: MqttVersion = MqttVersion::V3_1_1;
const V5: MqttVersion = MqttVersion::V5;

/// What is read, in words: the packet, and what it breaks.
fn text(version: MqttVersion, packet: &'static [u8]) -> (String, String) {
    match read(version, Bytes::from_static(packet)) {
        Ok(received) => {
            let packet = match received.packet {
                Inbound::Publish(publish) => format!("message {}", publish.id),
                Inbound::Unreadable { qos, id } => format!("unreadable {id} {qos:?}"),
                Inbound::ConnAck {
                    refused: Some(reason),
                    ..
                } => format!("refused: {reason}"),
                Inbound::Disconnect { code, reason } => format!("disconnect {}: {reason}", code.0),
                other => format!("{other:?}"),
            };
            let broken = received.violation.map(|broken| broken.to_string());
            (packet, broken.unwrap_or_default())
        }
        Err(broken) => ("end".to_owned(), broken.to_string()),
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn each_packet_is_taken_as_far_as_its_meaning_is_clear() {
    let granted = "SubAck { id: 1, answers: [Granted(AtLeastOnce)] }";
    let table: &[(MqttVersion, &'static [u8], &str, &str)] = &[
        // Messages.
        (V3, &[0x32, 6, 0, 1, b't', 0, 7, b'p'], "message 7", ""),
        (V5, &[0x32, 7, 0, 1, b't', 0, 7, 0, b'p'], "message 7", ""),
        (
            V3,
            &[0x32, 7, 0, 2, 0xFF, 0xFE, 0, 7, b'p'],
            "unreadable 7 AtLeastOnce",
            "PUBLISH with a topic that is not UTF-8 (MQTT 3.1.1, section 1.5.3)",
        ),
        (
            V5,
            &[0x34, 13, 0, 1, b't', 0, 7, 7, 0x26, 0, 1, 0xFF, 0, 1, b'v'],
            "unreadable 7 ExactlyOnce",
            "PUBLISH with a property that is not UTF-8 (MQTT 5, section 1.5.4)",
        ),
        (
            V5,
            &[0x32, 8, 0, 1, b't', 0, 7, 2, 0x55, 0],
            "unreadable 7 AtLeastOnce",
            "PUBLISH with an unknown property (MQTT 5, section 2.2.2)",
        ),
        (
            V5,
            &[0x32, 8, 0, 0, 0, 7, 3, 0x23, 0, 1],
            "unreadable 7 AtLeastOnce",
            "PUBLISH with a topic alias that was not offered (MQTT 5, section 3.3.2.3.4)",
        ),
        (
            V3,
            &[0x32, 5, 0, 1, b'#', 0, 7],
            "unreadable 7 AtLeastOnce",
            "PUBLISH with a wildcard in its topic (MQTT 3.1.1, section 3.3.2.1)",
        ),
        (
            V3,
            &[0x32, 5, 0, 1, 0, 0, 7],
            "unreadable 7 AtLeastOnce",
            "PUBLISH with a NUL in its topic (MQTT 3.1.1, section 1.5.3)",
        ),
        (
            V3,
            &[0x30, 2, 0, 0],
            "unreadable 0 AtMostOnce",
            "PUBLISH with an empty topic (MQTT 3.1.1, section 4.7.3)",
        ),
        (
            V3,
            &[0x36, 5, 0, 1, b't', 0, 7],
            "unreadable 0 AtMostOnce",
            "PUBLISH with QoS 3 (MQTT 3.1.1, section 3.3.1.2)",
        ),
        (
            V3,
            &[0x32, 5, 0, 1, b't', 0, 0],
            "unreadable 0 AtMostOnce",
            "PUBLISH with packet identifier 0 (MQTT 3.1.1, section 2.3.1)",
        ),
        (
            V3,
            &[0x30, 3, 0, 9, b't'],
            "unreadable 0 AtMostOnce",
            "PUBLISH that ends before its topic (MQTT 3.1.1, section 3.3.2.1)",
        ),
        // Acknowledgements.
        (V3, &[0x40, 2, 0, 1], "PubAck { id: 1, refused: None }", ""),
        (
            V5,
            &[0x40, 3, 0, 1, 0x10],
            "PubAck { id: 1, refused: None }",
            "",
        ),
        (
            V5,
            &[0x40, 3, 0, 1, 0x95],
            "PubAck { id: 1, refused: Some(\"packet too large\") }",
            "",
        ),
        (
            V5,
            &[0x50, 8, 1, 0, 0x87, 4, 0x1F, 0, 1, b'x'],
            "PubRec { id: 256, refused: Some(\"not authorized (x)\") }",
            "",
        ),
        (
            V5,
            &[0x40, 3, 0, 1, 0xFE],
            "PubAck { id: 1, refused: Some(\"reason code 0xFE\") }",
            "",
        ),
        (
            V3,
            &[0x40, 1, 0],
            "end",
            "PUBACK without a packet identifier (MQTT 3.1.1, section 2.3.1)",
        ),
        (
            V5,
            &[0x60, 2, 0, 1],
            "PubRel { id: 1 }",
            "PUBREL with reserved flags (MQTT 5, section 2.1.3)",
        ),
        // Subscriptions.
        (V3, &[0x90, 3, 0, 1, 1], granted, ""),
        (V5, &[0x90, 4, 0, 1, 0, 1], granted, ""),
        (
            V3,
            &[0x90, 3, 0, 1, 0x42],
            "SubAck { id: 1, answers: [Refused { reason: \"return code 0x42\", id_in_use: false }] }",
            "",
        ),
        (
            V5,
            &[0x90, 4, 0, 1, 0, 0x91],
            "SubAck { id: 1, answers: [Refused { reason: \"packet identifier in use\", id_in_use: true }] }",
            "",
        ),
        (
            V5,
            &[0x90, 5, 0, 1, 1, 0x77, 1],
            "SubAck { id: 1, answers: [] }",
            "SUBACK with an unknown property (MQTT 5, section 2.2.2)",
        ),
        // Greetings and farewells.
        (
            V3,
            &[0x20, 2, 0, 4],
            "refused: bad user name or password",
            "",
        ),
        (V3, &[0x20, 2, 0, 9], "refused: return code 0x09", ""),
        (V5, &[0x20, 3, 0, 0xC8, 0], "refused: reason code 0xC8", ""),
        (
            V5,
            &[0x20, 2, 0, 1],
            "refused: the broker does not support MQTT 5; set `version: '3.1.1'`",
            "",
        ),
        (
            V5,
            &[0x20, 3, 0, 0x84, 0],
            "refused: the broker does not support MQTT 5; set `version: '3.1.1'`",
            "",
        ),
        (V5, &[0xE0, 0], "disconnect 0: normal disconnection", ""),
        (
            V5,
            &[0xE0, 1, 0x8E],
            "disconnect 142: session taken over",
            "",
        ),
        (
            V5,
            &[0xE0, 2, 0xC8, 0],
            "disconnect 200: reason code 0xC8",
            "",
        ),
        (
            V3,
            &[0xE0, 0],
            "Close",
            "DISCONNECT sent by the broker (MQTT 3.1.1, section 3.14)",
        ),
        // Packets that only clients send, or that don't exist.
        (
            V3,
            &[0xC0, 0],
            "Foreign",
            "PINGREQ sent by the broker (MQTT 3.1.1, section 2.2.1)",
        ),
        (
            V5,
            &[0xF0, 0],
            "Foreign",
            "AUTH sent by the broker (MQTT 5, section 2.1.2)",
        ),
        (
            V3,
            &[0x00, 0],
            "Foreign",
            "packet of type 0 sent by the broker (MQTT 3.1.1, section 2.2.1)",
        ),
    ];
    for (version, packet, expected, broken) in table {
        let found = text(*version, packet);
        let expected = ((*expected).to_owned(), (*broken).to_owned());
        assert_eq!(found, expected, "{version:?} {packet:02X?}");
    }
}

#[test]
fn a_greeting_says_what_the_broker_has() {
    let packet: &'static [u8] = &[
        0x20, 18, 1, 0, 15, 0x11, 0, 0, 0, 60, 0x24, 1, 0x25, 0, 0x28, 0, 0x2A, 0, 0x24, 1,
    ];
    let received = read(V5, Bytes::from_static(packet)).unwrap();
    let Inbound::ConnAck {
        session_present,
        refused: None,
        limits,
    } = received.packet
    else {
        unreachable!("{received:?}");
    };
    assert!(session_present);
    assert!(limits.lacks.retain && limits.lacks.wildcards && limits.lacks.shared);
    assert_eq!(limits.session_expiry, Some(60));
    assert_eq!(limits.qos, Some(Qos::AtLeastOnce));
}
