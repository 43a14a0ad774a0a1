//! The table of outcomes, driven through a session: each packet in each state, with what the session answers.

use bytes::Bytes;
use crds::validated::{MqttVersion, Qos};
use tokio::net::TcpListener;

use super::{Peer, against, options};
use crate::session::Session;
use crate::{Client as _, Event, Publication};

/// What the session has under the packet id 1 when the packet comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Nothing,
    /// A publication at QoS 1.
    AtLeastOnce,
    /// A publication at QoS 2, before PUBREC.
    ExactlyOnce,
    /// The same after PUBREC.
    Released,
    /// A message at QoS 2 that the owner has.
    Owned,
    /// The same after our PUBREC.
    Received,
}

use State::{AtLeastOnce, ExactlyOnce, Nothing, Owned, Received, Released};

const ALL: [State; 6] = [Nothing, AtLeastOnce, ExactlyOnce, Released, Owned, Received];
const OTHERS: [State; 3] = [Nothing, Owned, Received];

/// The broker's packet, the states in which it comes, what the session answers, and what the owner hears.
type Row = (
    &'static str,
    &'static [u8],
    &'static [State],
    &'static [u8],
    &'static str,
);

const PUBREL: &[u8] = &[0x62, 2, 0, 1];
const PUBREC: &[u8] = &[0x50, 2, 0, 1];
const PUBCOMP: &[u8] = &[0x70, 2, 0, 1];

/// For both versions.
const TABLE: &[Row] = &[
    ("PUBACK", &[0x40, 2, 0, 1], &[AtLeastOnce], &[], "done"),
    (
        "PUBACK",
        &[0x40, 2, 0, 1],
        &[ExactlyOnce],
        &[],
        "done, told",
    ),
    ("PUBACK", &[0x40, 2, 0, 1], &[Released], &[], "done, told"),
    ("PUBACK", &[0x40, 2, 0, 1], &OTHERS, &[], ""),
    ("PUBACK for another", &[0x40, 2, 0, 9], &ALL, &[], ""),
    ("PUBREC", PUBREC, &[AtLeastOnce], PUBREL, "done, told"),
    ("PUBREC", PUBREC, &[ExactlyOnce, Released], PUBREL, ""),
    ("PUBREC", PUBREC, &OTHERS, PUBREL, ""),
    ("PUBCOMP", PUBCOMP, &[AtLeastOnce, ExactlyOnce], &[], "told"),
    ("PUBCOMP", PUBCOMP, &[Released], &[], "done"),
    ("PUBCOMP", PUBCOMP, &OTHERS, &[], ""),
    ("PUBREL", PUBREL, &[Owned], PUBCOMP, "told"),
    (
        "PUBREL",
        PUBREL,
        &[Nothing, AtLeastOnce, ExactlyOnce, Released, Received],
        PUBCOMP,
        "",
    ),
    ("SUBACK", &[0x90, 3, 0, 1, 0], &ALL, &[], "told"),
    ("UNSUBACK", &[0xB0, 2, 0, 1], &ALL, &[], "told"),
    ("PINGRESP", &[0xD0, 0], &ALL, &[], ""),
    ("CONNACK again", &[0x20, 3, 0, 0, 0], &ALL, &[], "told"),
    ("CONNECT", &[0x10, 0], &ALL, &[], "told"),
    ("SUBSCRIBE", &[0x82, 0], &ALL, &[], "told"),
    ("UNSUBSCRIBE", &[0xA2, 0], &ALL, &[], "told"),
    ("PINGREQ", &[0xC0, 0], &ALL, &[], "told"),
    ("AUTH", &[0xF0, 0], &ALL, &[], "told"),
    ("type 0", &[0, 0], &ALL, &[], "told"),
    ("QoS 3", &[0x36, 0], &ALL, &[], "malformed, told"),
];

/// For MQTT 5 alone.
const TABLE_5: &[Row] = &[
    (
        "PUBACK refusing",
        &[0x40, 3, 0, 1, 0x87],
        &[AtLeastOnce],
        &[],
        "refused",
    ),
    (
        "PUBACK refusing",
        &[0x40, 3, 0, 1, 0x87],
        &[ExactlyOnce, Released],
        &[],
        "refused, told",
    ),
    ("PUBACK refusing", &[0x40, 3, 0, 1, 0x87], &OTHERS, &[], ""),
    (
        "PUBREC refusing",
        &[0x50, 3, 0, 1, 0x87],
        &[ExactlyOnce],
        &[],
        "refused",
    ),
    (
        "PUBREC refusing",
        &[0x50, 3, 0, 1, 0x87],
        &[AtLeastOnce, Released],
        &[],
        "refused, told",
    ),
    ("PUBREC refusing", &[0x50, 3, 0, 1, 0x87], &OTHERS, &[], ""),
    (
        "message",
        &[0x34, 7, 0, 1, b'a', 0, 1, 0, b'x'],
        &[Nothing],
        &[],
        "message",
    ),
    (
        "message",
        &[0x34, 7, 0, 1, b'a', 0, 1, 0, b'x'],
        &[Owned],
        &[],
        "",
    ),
    (
        "message",
        &[0x34, 7, 0, 1, b'a', 0, 1, 0, b'x'],
        &[Received],
        PUBREC,
        "",
    ),
    (
        "unreadable",
        &[0x34, 7, 0, 1, 0xFF, 0, 1, 0, b'x'],
        &[Nothing],
        PUBREC,
        "malformed, told",
    ),
    (
        "unreadable",
        &[0x34, 7, 0, 1, 0xFF, 0, 1, 0, b'x'],
        &[Owned],
        &[],
        "told",
    ),
    (
        "unreadable",
        &[0x34, 7, 0, 1, 0xFF, 0, 1, 0, b'x'],
        &[Received],
        PUBREC,
        "told",
    ),
    (
        "unreadable at QoS 1",
        &[0x32, 7, 0, 1, 0xFF, 0, 1, 0, b'x'],
        &[Nothing],
        &[0x40, 2, 0, 1],
        "malformed, told",
    ),
];

fn publication(qos: Qos) -> Publication {
    Publication {
        topic: "t".into(),
        payload: Bytes::from_static(b"p"),
        qos,
        retain: false,
        hops: 0,
    }
}

/// A packet that the session answers whatever comes before it, so that no answer to a row can be told from a late one:
/// a PUBREL of a message that the session does not have.
const LAST: &[u8] = &[0x62, 2, 0, 99];
const LAST_ANSWER: &[u8] = &[0x70, 2, 0, 99];

/// What the session answers to `packet` in `state`, and what its owner hears.
async fn found(version: MqttVersion, state: State, packet: &[u8]) -> (Vec<u8>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut options = options(listener.local_addr().unwrap(), version);
    options.subscriptions = vec![("a".to_owned(), Qos::ExactlyOnce)];
    let mut session = Session::new(options);
    let message: &[u8] = match version {
        MqttVersion::V3_1_1 => &[0x34, 6, 0, 1, b'a', 0, 1, b'x'],
        MqttVersion::V5 => &[0x34, 7, 0, 1, b'a', 0, 1, 0, b'x'],
    };
    let (answered, mut is_answered) = tokio::sync::oneshot::channel();
    let broker = async {
        let welcome: &[u8] = match version {
            MqttVersion::V3_1_1 => &[0x20, 2, 0, 0],
            MqttVersion::V5 => &[0x20, 3, 0, 0, 0],
        };
        let mut peer = Peer::greet(&listener, welcome).await;
        let subscribe = peer.packet().await.unwrap();
        // The session counts packet ids up: a publication of the test must have the id 1.
        assert_eq!(subscribe[2..4], [0, 1]);
        let suback: &[u8] = match version {
            MqttVersion::V3_1_1 => &[0x90, 3, 0, 1, 2],
            MqttVersion::V5 => &[0x90, 4, 0, 1, 0, 2],
        };
        peer.say(suback).await;
        // The session's publication, or what it says to a message.
        match state {
            Nothing => {}
            Owned => peer.say(message).await,
            Received => {
                peer.say(message).await;
                assert_eq!(peer.packet().await.unwrap()[..], *PUBREC);
            }
            AtLeastOnce | ExactlyOnce | Released => {
                let publish = peer.packet().await.unwrap();
                assert_eq!(publish[5..7], [0, 2]);
                if state == Released {
                    peer.say(&[0x50, 2, 0, 2]).await;
                    assert_eq!(peer.packet().await.unwrap()[..], [0x62, 2, 0, 2]);
                }
            }
        }
        peer.say(packet).await;
        peer.say(LAST).await;
        let mut answer = Vec::new();
        loop {
            let packet = peer.packet().await.expect("the connection stands");
            if packet[..] == *LAST_ANSWER {
                break;
            }
            answer.extend_from_slice(&packet);
        }
        answered.send(answer).unwrap();
        std::future::pending::<()>().await;
    };
    let client = async {
        // The first message belongs to these states.
        let mut given = matches!(state, Owned | Received);
        let mut heard = Vec::new();
        let mut done = None;
        loop {
            tokio::select! {
                biased;
                () = session.drive() => {}
                answer = &mut is_answered, if done.is_none() => done = answer.ok(),
            }
            while let Some(event) = session.next_event() {
                match event {
                    Event::Subscribed => match state {
                        AtLeastOnce => session.publish(publication(Qos::AtLeastOnce), 0),
                        ExactlyOnce | Released => {
                            session.publish(publication(Qos::ExactlyOnce), 0);
                        }
                        Nothing | Owned | Received => {}
                    },
                    Event::Message(message) if given => {
                        given = false;
                        if state == Received {
                            session.ack(message.tag.unwrap());
                        }
                    }
                    Event::Message(_) => heard.push("message"),
                    Event::Published { result: Ok(()), .. } => heard.push("done"),
                    Event::Published { .. } => heard.push("refused"),
                    Event::Malformed => heard.push("malformed"),
                    Event::Notice(_) => heard.push("told"),
                    Event::Disconnected { error, .. } => unreachable!("{error}"),
                    _ => {}
                }
            }
            if let Some(answer) = done.take() {
                heard.sort_unstable();
                return (answer, heard.join(", "));
            }
        }
    };
    against(client, broker).await
}

/// Publications have the packet id 2, since SUBSCRIBE has 1; messages of the broker have 1.
fn with_id(packet: &[u8], state: State) -> Vec<u8> {
    let mut packet = packet.to_vec();
    let ours = matches!(state, AtLeastOnce | ExactlyOnce | Released);
    let acknowledges = matches!(packet[0] >> 4, 4 | 5 | 7);
    if ours && acknowledges && packet[3] == 1 {
        packet[3] = 2;
    }
    packet
}

#[tokio::test]
async fn each_packet_in_each_state_costs_at_most_the_message_concerned() {
    for version in [MqttVersion::V3_1_1, MqttVersion::V5] {
        let more: &[Row] = match version {
            MqttVersion::V3_1_1 => &[],
            MqttVersion::V5 => TABLE_5,
        };
        for (what, packet, states, answer, heard) in TABLE.iter().chain(more) {
            for state in *states {
                let mut answer = answer.to_vec();
                if answer.first() == Some(&0x62)
                    && matches!(state, AtLeastOnce | ExactlyOnce | Released)
                {
                    answer[3] = 2;
                }
                let found = found(version, *state, &with_id(packet, *state)).await;
                let expected = (answer, (*heard).to_owned());
                assert_eq!(found, expected, "{version:?}: {what} in {state:?}");
            }
        }
    }
}
