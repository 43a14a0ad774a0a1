//! Messages on one connection.

use std::cell::RefCell;

use super::sending::acknowledges;
use super::written::{PUBACK, PUBCOMP, PUBLISH, PUBREC};
use super::*;

statements! {
    each_message_is_answered_as_its_qos_says(V3): v3_mqtt_3_3_4_1;
    each_message_is_answered_as_its_qos_says(V5): v5_mqtt_3_3_4_1;
    what_is_of_no_use_is_acknowledged(V3): v3_mqtt_4_5_0_2;
    what_is_of_no_use_is_acknowledged(V5): v5_mqtt_4_5_0_2;
    after_puback_an_identifier_is_that_of_a_new_message(V3): v3_mqtt_4_3_2_2;
    after_puback_an_identifier_is_that_of_a_new_message(V5): v5_mqtt_4_3_2_4 v5_mqtt_4_3_2_5;
    a_message_at_qos_2_is_delivered_once(V3): v3_mqtt_4_3_3_2;
    a_message_at_qos_2_is_delivered_once(V5):
        v5_mqtt_4_1_0_1 v5_mqtt_4_3_3_8 v5_mqtt_4_3_3_10 v5_mqtt_4_3_3_11 v5_mqtt_4_3_3_12;
    an_expiry_ends_no_handshake(V5): v5_mqtt_4_3_3_13;
    acknowledgements_have_the_order_of_the_messages(V3): v3_mqtt_4_6_0_2 v3_mqtt_4_6_0_3;
    acknowledgements_have_the_order_of_the_messages(V5): v5_mqtt_4_6_0_2 v5_mqtt_4_6_0_3;
    a_publication_is_no_duplicate_for_its_message(V3): v3_mqtt_3_3_1_3;
    a_publication_is_no_duplicate_for_its_message(V5): v5_mqtt_3_3_1_3;
    u_feff_is_a_character(V3): v3_mqtt_1_5_3_3;
    u_feff_is_a_character(V5): v5_mqtt_1_5_4_3;
}

/// What a session that subscribes to `filter` answers to each of `messages` on one connection, and the topics of those that
/// its owner gets.
async fn received(
    version: MqttVersion,
    filter: &str,
    messages: &[Vec<u8>],
) -> (Vec<Vec<(u8, u16)>>, Vec<String>) {
    let topics = RefCell::new(Vec::new());
    let mut acknowledge = owner(Vec::new());
    let own = |session: &mut Session, event: Event| {
        if let Event::Message(message) = &event {
            topics.borrow_mut().push(message.topic.to_string());
        }
        acknowledge(session, event);
    };
    let change = |options: &mut Options| {
        options.subscriptions = vec![(filter.to_owned(), Qos::ExactlyOnce)];
    };
    let answers = at_broker(version, change, own, async |broker| {
        let mut peer = broker.serves(false).await;
        let mut answers = Vec::new();
        for message in messages {
            peer.say(message).await;
            let packets = peer.answers().await;
            let written = packets.iter().map(|packet| Written::of(version, packet));
            answers.push(written.map(|written| written.answers()).collect());
        }
        answers
    })
    .await;
    (answers, topics.into_inner())
}

async fn each_message_is_answered_as_its_qos_says(version: MqttVersion) {
    let messages = [(0, 0), (AT_LEAST_ONCE, 7), (EXACTLY_ONCE, 8)]
        .map(|(flags, id)| message(version, flags, b"a", id));
    let (answers, topics) = received(version, "a", &messages).await;
    assert_eq!(answers, [vec![], vec![(PUBACK, 7)], vec![(PUBREC, 8)]]);
    assert_eq!(topics, ["a"; 3]);
}

/// A message that no subscription asked for, as of an older session.
async fn what_is_of_no_use_is_acknowledged(version: MqttVersion) {
    let messages = [(AT_LEAST_ONCE, 7), (EXACTLY_ONCE, 8)]
        .map(|(flags, id)| message(version, flags, b"o", id));
    let (answers, topics) = received(version, "a", &messages).await;
    assert_eq!(answers, [[(PUBACK, 7)], [(PUBREC, 8)]]);
    assert!(topics.is_empty());
}

async fn after_puback_an_identifier_is_that_of_a_new_message(version: MqttVersion) {
    let messages = [0, 0, DUPLICATE].map(|flag| message(version, AT_LEAST_ONCE | flag, b"a", 7));
    let (answers, topics) = received(version, "a", &messages).await;
    assert_eq!(answers, [[(PUBACK, 7)]; 3]);
    assert_eq!(topics.len(), 3);
}

async fn a_message_at_qos_2_is_delivered_once(version: MqttVersion) {
    let sent = |flag| message(version, EXACTLY_ONCE | flag, b"a", 8);
    let release = vec![0x62, 2, 0, 8];
    let first = [sent(0), sent(DUPLICATE), sent(0), release.clone()];
    let (answers, topics) = received(version, "a", &first).await;
    let expected = [[(PUBREC, 8)], [(PUBREC, 8)], [(PUBREC, 8)], [(PUBCOMP, 8)]];
    assert_eq!(answers, expected);
    assert_eq!(topics.len(), 1);
    let (answers, topics) = received(version, "a", &[sent(0), release, sent(0)]).await;
    assert_eq!(answers, [[(PUBREC, 8)], [(PUBCOMP, 8)], [(PUBREC, 8)]]);
    assert_eq!(topics.len(), 2, "after PUBCOMP it is a new message");
}

async fn an_expiry_ends_no_handshake(version: MqttVersion) {
    let expired = vec![0x34, 12, 0, 1, b'a', 0, 8, 5, 0x02, 0, 0, 0, 0, b'x'];
    let (answers, topics) = received(version, "a", &[expired, vec![0x62, 2, 0, 8]]).await;
    assert_eq!(answers, [[(PUBREC, 8)], [(PUBCOMP, 8)]]);
    assert_eq!(topics, ["a"]);
}

/// The owner is done with the last message first.
async fn acknowledgements_have_the_order_of_the_messages(version: MqttVersion) {
    for (flags, kind) in [(AT_LEAST_ONCE, PUBACK), (EXACTLY_ONCE, PUBREC)] {
        let mut tags = Vec::new();
        let own = |session: &mut Session, event: Event| {
            if let Event::Message(message) = event {
                tags.extend(message.tag);
            }
            if tags.len() == 3 {
                for tag in tags.drain(..).rev() {
                    session.ack(tag);
                }
            }
        };
        at_broker(
            version,
            |_| {},
            own,
            async |broker| {
                let mut peer = broker.serves(false).await;
                for id in [9, 7, 8] {
                    peer.say(&message(version, flags, b"a", id)).await;
                }
                for id in [9, 7, 8] {
                    let packet = peer.packet().await.unwrap();
                    assert_eq!(packet[..], acknowledges(kind, id));
                }
            },
        )
        .await;
    }
}

async fn a_publication_is_no_duplicate_for_its_message(version: MqttVersion) {
    let own = |session: &mut Session, event: Event| {
        if matches!(event, Event::Message(_)) {
            session.publish(publication(Qos::AtLeastOnce, "p"), 0);
        }
    };
    at_broker(
        version,
        |_| {},
        own,
        async |broker| {
            let mut peer = broker.serves(false).await;
            let flags = AT_LEAST_ONCE | DUPLICATE;
            peer.say(&message(version, flags, b"a", 7)).await;
            let written = peer.next(version).await;
            assert_eq!((written.kind, written.duplicate()), (PUBLISH, false));
        },
    )
    .await;
}

async fn u_feff_is_a_character(version: MqttVersion) {
    const TOPIC: &str = "\u{FEFF}a";
    let with = message(version, AT_LEAST_ONCE, TOPIC.as_bytes(), 7);
    let without = message(version, AT_LEAST_ONCE, b"a", 8);
    let (answers, topics) = received(version, TOPIC, &[with, without]).await;
    assert_eq!(answers, [[(PUBACK, 7)], [(PUBACK, 8)]]);
    assert_eq!(topics, [TOPIC]);
}
