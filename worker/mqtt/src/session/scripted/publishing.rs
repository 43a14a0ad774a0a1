//! Publications to brokers that refuse them in all the ways that there are.

use std::time::Duration;

use bytes::Bytes;
use crds::validated::{MqttVersion, Qos};
use tokio::net::TcpListener;

use super::{Peer, against, options};
use crate::session::Session;
use crate::{Client as _, Event, Notice, Options, Publication, Refused};

/// CONNACK of MQTT 5 without properties.
const WELCOME: [u8; 5] = [0x20, 3, 0, 0, 0];

/// A publication as the broker sees it.
struct Seen<'a> {
    qos: u8,
    retain: bool,
    id: [u8; 2],
    payload: &'a [u8],
}

impl<'a> Seen<'a> {
    /// Topics in these tests have one letter.
    fn of(packet: &'a [u8], version: MqttVersion) -> Option<Self> {
        if packet[0] >> 4 != 3 {
            return None;
        }
        let qos = (packet[0] >> 1) & 3;
        let properties = usize::from(version == MqttVersion::V5);
        let id = if qos == 0 { 0 } else { 2 };
        Some(Self {
            qos,
            retain: packet[0] & 1 != 0,
            id: if qos == 0 {
                [0, 0]
            } else {
                [packet[5], packet[6]]
            },
            payload: &packet[5 + id + properties..],
        })
    }
}

/// Publishes `payloads` at a broker that answers each publication by `answer`, on as many connections as it takes: what
/// became of each, and what was told.
async fn publish(
    change: impl FnOnce(&mut Options),
    qos: Qos,
    payloads: &[&'static str],
    welcome: &[u8],
    answer: impl Fn(&Seen<'_>) -> Vec<u8>,
) -> (Vec<Result<(), Refused>>, Vec<Notice>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut options = options(listener.local_addr().unwrap(), MqttVersion::V5);
    options.max_in_flight = 10;
    // No end of a connection here is a takeover, which would keep the session away.
    options.takeover_retry = Duration::from_hours(1);
    change(&mut options);
    let version = options.version;
    let mut session = Session::new(options);
    let broker = async {
        loop {
            let mut peer = Peer::greet(&listener, welcome).await;
            while let Some(packet) = peer.packet().await {
                let answer = match packet[0] >> 4 {
                    6 => vec![0x70, 2, packet[2], packet[3]],
                    _ => Seen::of(&packet, version).map_or_else(Vec::new, |seen| answer(&seen)),
                };
                peer.say(&answer).await;
                if answer.first() == Some(&0xE0) {
                    break;
                }
            }
        }
    };
    let client = async {
        let mut results = vec![None; payloads.len()];
        let mut notices = Vec::new();
        let mut waiting = payloads.iter().zip(0..);
        while results.contains(&None) {
            while session.publish_capacity() > 0
                && let Some((payload, token)) = waiting.next()
            {
                let publication = Publication {
                    topic: "t".into(),
                    payload: Bytes::from_static(payload.as_bytes()),
                    qos,
                    retain: true,
                    hops: 0,
                };
                session.publish(publication, token);
            }
            session.drive().await;
            while let Some(event) = session.next_event() {
                match event {
                    Event::Published { token, result } => {
                        results[usize::try_from(token).unwrap()] = Some(result);
                    }
                    Event::Notice(notice) => notices.push(notice),
                    _ => {}
                }
            }
        }
        (results.into_iter().flatten().collect(), notices)
    };
    against(client, broker).await
}

fn puback(seen: &Seen<'_>) -> Vec<u8> {
    vec![0x40, 2, seen.id[0], seen.id[1]]
}

/// D7: sent again on each connection, it would hold back everything behind it.
#[tokio::test]
async fn d7_a_publication_over_which_the_broker_disconnects_is_refused_alone() {
    for (code, reason) in [
        (0x95, "packet too large"),
        (0x87, "not authorized"),
        (0x97, "quota exceeded"),
    ] {
        let payloads = ["first", "second", "poison", "last"];
        let (results, _) = publish(
            |_| {},
            Qos::AtLeastOnce,
            &payloads,
            &WELCOME,
            |seen| {
                if seen.payload == b"poison" {
                    vec![0xE0, 1, code]
                } else {
                    puback(seen)
                }
            },
        )
        .await;
        let refused = Err(Refused::ByBroker(reason.to_owned()));
        assert_eq!(results, [Ok(()), Ok(()), refused, Ok(())]);
    }
}

/// D7: every result of a rule with `retain: true` has the flag.
#[tokio::test]
async fn d7_a_broker_that_retains_nothing_gets_results_without_the_flag() {
    let said_at_once: &[u8] = &[0x20, 5, 0, 0, 2, 0x25, 0];
    for welcome in [&WELCOME[..], said_at_once] {
        let payloads = ["first", "second"];
        let (results, notices) = publish(
            |_| {},
            Qos::AtLeastOnce,
            &payloads,
            welcome,
            |seen| {
                if seen.retain {
                    vec![0xE0, 1, 0x9A]
                } else {
                    puback(seen)
                }
            },
        )
        .await;
        assert_eq!(results, [Ok(()), Ok(())]);
        assert_eq!(notices, [Notice::RetainDropped]);
    }
}

/// D7 and D8.
#[tokio::test]
async fn d7_a_broker_without_qos_2_gets_results_at_qos_1() {
    let said_at_once: &[u8] = &[0x20, 5, 0, 0, 2, 0x24, 1];
    for welcome in [&WELCOME[..], said_at_once] {
        let payloads = ["first", "second"];
        let (results, notices) = publish(
            |_| {},
            Qos::ExactlyOnce,
            &payloads,
            welcome,
            |seen| {
                if seen.qos > 1 {
                    vec![0xE0, 1, 0x9B]
                } else {
                    puback(seen)
                }
            },
        )
        .await;
        assert_eq!(results, [Ok(()), Ok(())]);
        assert_eq!(notices, [Notice::QosLowered(Qos::AtLeastOnce)]);
    }
}

/// D8: RabbitMQ answers so. More publications than the window has, which stalled.
#[tokio::test]
async fn d8_qos_2_answered_by_puback_is_done_and_told_once() {
    for version in [MqttVersion::V3_1_1, MqttVersion::V5] {
        let welcome: &[u8] = match version {
            MqttVersion::V3_1_1 => &[0x20, 2, 0, 0],
            MqttVersion::V5 => &WELCOME,
        };
        let change = |options: &mut Options| options.version = version;
        let (results, notices) =
            publish(change, Qos::ExactlyOnce, &["p"; 50], welcome, puback).await;
        assert_eq!(results, vec![Ok(()); 50]);
        assert_eq!(notices, [Notice::QosLowered(Qos::AtLeastOnce)]);
    }
}

/// D6: a refusal is a failure of the message, at each QoS that has one.
#[tokio::test]
async fn d6_a_refused_publication_fails() {
    for (qos, answer) in [(Qos::AtLeastOnce, 0x40), (Qos::ExactlyOnce, 0x50)] {
        let (results, _) = publish(
            |_| {},
            qos,
            &["no", "yes"],
            &WELCOME,
            |seen| {
                let mut packet = vec![answer, 2, seen.id[0], seen.id[1]];
                if seen.payload == b"no" {
                    packet[1] = 3;
                    packet.push(0x87);
                }
                packet
            },
        )
        .await;
        let refused = Err(Refused::ByBroker("not authorized".to_owned()));
        assert_eq!(results, [refused, Ok(())]);
    }
}
