//! The form of all packets that a session writes from CONNECT to DISCONNECT.

use std::collections::HashSet;

use super::written::{
    CONNECT, DISCONNECT, PINGREQ, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, SUBSCRIBE, UNSUBSCRIBE,
};
use super::*;

statements! {
    reserved_flags_are_as_the_table_says(V3):
        v3_mqtt_2_2_2_1 v3_mqtt_3_6_1_1 v3_mqtt_3_8_1_1 v3_mqtt_3_10_1_1;
    reserved_flags_are_as_the_table_says(V5):
        v5_mqtt_2_1_3_1 v5_mqtt_3_6_1_1 v5_mqtt_3_8_1_1 v5_mqtt_3_10_1_1;
    connect_is_the_first_packet_and_sent_once(V3): v3_mqtt_3_1_0_1 v3_mqtt_3_1_0_2;
    connect_is_the_first_packet_and_sent_once(V5): v5_mqtt_3_1_0_1;
    identifiers_are_not_0_and_not_in_use(V3): v3_mqtt_2_3_1_1 v3_mqtt_2_3_1_2;
    identifiers_are_not_0_and_not_in_use(V5): v5_mqtt_2_2_1_3;
    nothing_at_qos_0_has_an_identifier(V3): v3_mqtt_2_3_1_5;
    nothing_at_qos_0_has_an_identifier(V5): v5_mqtt_2_2_1_2;
    acknowledgements_have_the_identifier_of_their_message(V3): v3_mqtt_2_3_1_6;
    acknowledgements_have_the_identifier_of_their_message(V5): v5_mqtt_2_2_1_5;
    acknowledgements_have_neither_code_nor_properties(V5):
        v5_mqtt_3_4_2_1 v5_mqtt_3_4_2_2 v5_mqtt_3_4_2_3
        v5_mqtt_3_5_2_1 v5_mqtt_3_5_2_2 v5_mqtt_3_5_2_3
        v5_mqtt_3_6_2_1 v5_mqtt_3_6_2_2 v5_mqtt_3_6_2_3
        v5_mqtt_3_7_2_1 v5_mqtt_3_7_2_2 v5_mqtt_3_7_2_3;
    no_properties_have_the_length_0(V5): v5_mqtt_2_2_2_1;
    publications_have_a_topic_and_no_other_qos(V3): v3_mqtt_3_3_2_1;
    publications_have_a_topic_and_no_other_qos(V5): v5_mqtt_3_3_2_1 v5_mqtt_3_3_1_4;
    at_qos_0_nothing_is_a_duplicate(V3): v3_mqtt_3_3_1_2 v3_mqtt_4_3_1_1;
    at_qos_0_nothing_is_a_duplicate(V5): v5_mqtt_3_3_1_2 v5_mqtt_4_3_1_1;
    there_are_no_aliases_and_no_subscription_identifiers(V5):
        v5_mqtt_3_2_2_17 v5_mqtt_3_3_2_8 v5_mqtt_3_3_2_9 v5_mqtt_3_3_4_6;
    there_are_no_aliases_where_the_broker_has_no_maximum(V5): v5_mqtt_3_2_2_18;
    both_texts_of_a_user_property_are_utf_8(V5): v5_mqtt_1_5_7_1;
    lengths_take_as_few_bytes_as_they_can(V5): v5_mqtt_1_5_5_1;
}

/// Identifiers of the broker's messages at QoS 1 and 2.
const MESSAGES: [u16; 2] = [7, 8];

/// What the broker answers to a packet.
fn answer(version: MqttVersion, packet: &BytesMut) -> Vec<u8> {
    let written = Written::of(version, packet);
    let [high, low] = written.id.unwrap_or_default().to_be_bytes();
    match (written.kind, written.qos()) {
        (SUBSCRIBE, _) => {
            let mut answer = suback(version, packet, 2);
            answer.extend(message(version, AT_LEAST_ONCE, b"a", 7));
            answer.extend(message(version, EXACTLY_ONCE, b"a", 8));
            answer
        }
        (PUBLISH, 1) => vec![0x40, 2, high, low],
        (PUBLISH, 2) => vec![0x50, 2, high, low],
        (PUBREC, _) => vec![0x62, 2, high, low],
        (PUBREL, _) => vec![0x70, 2, high, low],
        (UNSUBSCRIBE, _) if version == V5 => vec![0xB0, 4, high, low, 0, 0],
        (UNSUBSCRIBE, _) => vec![0xB0, 2, high, low],
        (PINGREQ, _) => vec![0xD0, 0],
        _ => Vec::new(),
    }
}

/// All packets of a session that publishes and receives at each QoS, is drained and ends.
async fn conversation(version: MqttVersion, greeting: &[u8], hops: u8) -> Vec<BytesMut> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut options = options(listener.local_addr().unwrap(), version);
    options.max_in_flight = 10;
    options.subscriptions = vec![("a".to_owned(), Qos::ExactlyOnce)];
    let mut session = Session::new(options);
    let broker = async {
        let (mut peer, connect) = Peer::accept(&listener).await;
        peer.say(greeting).await;
        let mut packets = vec![connect];
        while let Some(packet) = peer.packet().await {
            peer.say(&answer(version, &packet)).await;
            packets.push(packet);
        }
        packets
    };
    let client = async {
        let qos = [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce];
        let publications = qos.map(|qos| Publication {
            hops,
            ..publication(qos, "p")
        });
        let mut own = owner(publications.to_vec());
        let (mut published, mut drained) = (0, false);
        while !drained {
            session.drive().await;
            while let Some(event) = session.next_event() {
                published += u8::from(matches!(event, Event::Published { .. }));
                drained |= matches!(event, Event::Drained);
                own(&mut session, event);
            }
            if published == 3 {
                session.drain();
            }
        }
        session.disconnect().await;
        std::future::pending::<()>().await;
    };
    against(broker, client).await
}

/// The packets behind CONNECT.
async fn behind_connect(version: MqttVersion) -> Vec<Written> {
    let packets = conversation(version, welcome(version), 0).await;
    let behind = packets[1..].iter();
    behind.map(|packet| Written::of(version, packet)).collect()
}

async fn publications(version: MqttVersion) -> Vec<Written> {
    let mut packets = behind_connect(version).await;
    packets.retain(|packet| packet.kind == PUBLISH);
    assert_eq!(packets.len(), 3);
    packets
}

async fn reserved_flags_are_as_the_table_says(version: MqttVersion) {
    let packets = conversation(version, welcome(version), 0).await;
    let mut kinds = HashSet::new();
    for packet in packets {
        let (kind, flags) = (packet[0] >> 4, packet[0] & 15);
        kinds.insert(kind);
        match kind {
            PUBLISH => {}
            PUBREL | SUBSCRIBE | UNSUBSCRIBE => assert_eq!(flags, 2, "{packet:?}"),
            _ => assert_eq!(flags, 0, "{packet:?}"),
        }
    }
    let all = [
        CONNECT,
        PUBLISH,
        PUBACK,
        PUBREC,
        PUBREL,
        PUBCOMP,
        SUBSCRIBE,
        UNSUBSCRIBE,
        PINGREQ,
        DISCONNECT,
    ];
    assert_eq!(kinds, HashSet::from(all));
}

async fn connect_is_the_first_packet_and_sent_once(version: MqttVersion) {
    let packets = conversation(version, welcome(version), 0).await;
    let connects: Vec<_> = packets
        .iter()
        .map(|packet| packet[0] >> 4 == CONNECT)
        .collect();
    assert!(connects[0]);
    assert!(!connects[1..].contains(&true));
}

async fn identifiers_are_not_0_and_not_in_use(version: MqttVersion) {
    let packets = behind_connect(version).await;
    let new = packets.iter().filter(|packet| {
        packet.kind == SUBSCRIBE
            || packet.kind == UNSUBSCRIBE
            || (packet.kind == PUBLISH && packet.qos() > 0)
    });
    let mut ids = HashSet::new();
    for packet in new {
        let id = packet.id.unwrap();
        assert_ne!(id, 0);
        assert!(ids.insert(id), "{id} twice");
    }
    assert_eq!(ids.len(), 4);
}

async fn nothing_at_qos_0_has_an_identifier(version: MqttVersion) {
    let mut publications = publications(version).await;
    // The payload follows the topic at once.
    assert_eq!(publications[0].qos(), 0);
    assert_eq!(publications[0].rest.take(1), b"p");
    assert!(publications[0].rest.is_empty());
}

async fn acknowledgements_have_the_identifier_of_their_message(version: MqttVersion) {
    let packets = behind_connect(version).await;
    let of = |kind| packets.iter().find(|packet| packet.kind == kind);
    let id = |kind| of(kind).and_then(|packet| packet.id);
    assert_eq!(id(PUBACK), Some(MESSAGES[0]));
    assert_eq!(id(PUBREC), Some(MESSAGES[1]));
    assert_eq!(id(PUBCOMP), Some(MESSAGES[1]));
    let at_qos_2 = |packet: &&Written| packet.kind == PUBLISH && packet.qos() == 2;
    let published = packets.iter().find(at_qos_2);
    assert_eq!(id(PUBREL), published.and_then(|packet| packet.id));
}

/// Which means success.
async fn acknowledgements_have_neither_code_nor_properties(version: MqttVersion) {
    let packets = behind_connect(version).await;
    let acknowledgements = packets
        .iter()
        .filter(|p| (PUBACK..=PUBCOMP).contains(&p.kind));
    let mut kinds: Vec<_> = acknowledgements
        .map(|packet| {
            assert!(packet.rest.is_empty(), "{packet:?}");
            packet.kind
        })
        .collect();
    kinds.sort_unstable();
    assert_eq!(kinds, [PUBACK, PUBREC, PUBREL, PUBCOMP]);
}

async fn no_properties_have_the_length_0(version: MqttVersion) {
    let packets = conversation(version, welcome(version), 0).await;
    let mut seen = 0;
    for packet in packets {
        // The topic has one letter.
        let at = match (packet[0] >> 4, packet[0] & 6) {
            (PUBLISH, 0) => 5,
            (PUBLISH, _) => 7,
            (SUBSCRIBE | UNSUBSCRIBE, _) => 4,
            _ => continue,
        };
        assert_eq!(packet[at], 0, "{packet:?}");
        seen += 1;
    }
    assert_eq!(seen, 5);
}

async fn publications_have_a_topic_and_no_other_qos(version: MqttVersion) {
    let publications = publications(version).await;
    let found: Vec<_> = publications
        .iter()
        .map(|packet| (packet.topic.as_deref(), packet.qos()))
        .collect();
    assert_eq!(found, [(Some("t"), 0), (Some("t"), 1), (Some("t"), 2)]);
}

async fn at_qos_0_nothing_is_a_duplicate(version: MqttVersion) {
    let publications = publications(version).await;
    assert_eq!(publications[0].flags, 0);
}

/// The kinds of properties of publications that have some, at a broker that greets so.
async fn properties(version: MqttVersion, greeting: &[u8]) -> Vec<u8> {
    let packets = conversation(version, greeting, 7).await;
    let mut kinds = Vec::new();
    for packet in &packets[1..] {
        let mut written = Written::of(version, packet);
        if written.kind != PUBLISH {
            continue;
        }
        while !written.properties.is_empty() {
            kinds.push(written.properties.byte());
            assert_eq!(kinds.last(), Some(&USER_PROPERTY));
            assert_eq!(written.properties.text(), crate::HOPS);
            assert_eq!(written.properties.text(), "7");
        }
    }
    kinds
}

const USER_PROPERTY: u8 = 0x26;

async fn there_are_no_aliases_and_no_subscription_identifiers(version: MqttVersion) {
    // The broker takes ten topic aliases.
    let greeting = [0x20, 6, 0, 0, 3, 0x22, 0, 10];
    assert_eq!(properties(version, &greeting).await, [USER_PROPERTY; 3]);
}

async fn there_are_no_aliases_where_the_broker_has_no_maximum(version: MqttVersion) {
    let found = properties(version, welcome(version)).await;
    assert_eq!(found, [USER_PROPERTY; 3]);
}

async fn both_texts_of_a_user_property_are_utf_8(version: MqttVersion) {
    let found = properties(version, welcome(version)).await;
    assert_eq!(found.len(), 3);
}

/// Around the sizes at which a length takes one more byte.
async fn lengths_take_as_few_bytes_as_they_can(version: MqttVersion) {
    const SIZES: [usize; 6] = [120, 123, 124, 16_379, 16_380, 16_400];
    let publications = SIZES.map(|size| Publication {
        payload: vec![b'p'; size].into(),
        ..publication(Qos::AtMostOnce, "")
    });
    let own = owner(publications.to_vec());
    at_broker(
        version,
        |_| {},
        own,
        async |broker| {
            let mut peer = broker.serves(false).await;
            for size in SIZES {
                // Lengths that could be shorter are not taken.
                let mut written = peer.next(version).await;
                assert_eq!(written.rest.take(size), vec![b'p'; size]);
                assert!(written.rest.is_empty());
            }
        },
    )
    .await;
}
