//! Subscriptions at brokers that refuse them in all the ways that there are.

use std::sync::atomic::{AtomicBool, Ordering};

use bytes::BytesMut;
use crds::validated::{MqttVersion, Qos};
use tokio::net::TcpListener;

use super::{Peer, against, options};
use crate::session::Session;
use crate::{Client as _, Error, Event, Notice};

const VERSIONS: [MqttVersion; 2] = [MqttVersion::V3_1_1, MqttVersion::V5];

pub(super) fn welcome(version: MqttVersion) -> &'static [u8] {
    match version {
        MqttVersion::V3_1_1 => &[0x20, 2, 0, 0],
        MqttVersion::V5 => &[0x20, 3, 0, 0, 0],
    }
}

/// SUBACK to a SUBSCRIBE with one filter.
pub(super) fn suback(version: MqttVersion, subscribe: &BytesMut, code: u8) -> Vec<u8> {
    let (high, low) = (subscribe[2], subscribe[3]);
    match version {
        MqttVersion::V3_1_1 => vec![0x90, 3, high, low, code],
        MqttVersion::V5 => vec![0x90, 4, high, low, 0, code],
    }
}

/// Subscribes to `filter` at a broker that greets with `welcome` and answers packets by `answer` until it closes the
/// connection, which an answer of `None` does: all events until `enough`.
async fn subscribe(
    version: MqttVersion,
    filter: &str,
    welcome: &[u8],
    answer: impl Fn(&BytesMut) -> Option<Vec<u8>>,
    enough: impl Fn(&[Event]) -> bool,
) -> Vec<Event> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut options = options(listener.local_addr().unwrap(), version);
    options.subscriptions = vec![(filter.to_owned(), Qos::AtLeastOnce)];
    let mut session = Session::new(options);
    let broker = async {
        loop {
            let mut peer = Peer::greet(&listener, welcome).await;
            while let Some(packet) = peer.packet().await {
                match answer(&packet) {
                    Some(bytes) => peer.say(&bytes).await,
                    None => break,
                }
            }
        }
    };
    let client = async {
        let mut events = Vec::new();
        while !enough(&events) {
            session.drive().await;
            while let Some(event) = session.next_event() {
                if let Event::Message(message) = &event
                    && let Some(tag) = message.tag
                {
                    session.ack(tag);
                }
                events.push(event);
            }
        }
        events
    };
    against(client, broker).await
}

fn errors(events: &[Event]) -> Vec<&Error> {
    let mut errors = Vec::new();
    for event in events {
        if let Event::Disconnected { error, .. } = event {
            errors.push(error);
        }
    }
    errors
}

/// D11: 20 ends in a row, after which a session of MQTT 3.1.1 used to stay away for minutes.
#[tokio::test]
async fn d11_a_broker_that_closes_over_a_subscription_is_told_by_it() {
    for version in VERSIONS {
        let events = subscribe(
            version,
            "$share/g/#",
            welcome(version),
            |_| None,
            |events| errors(events).len() >= 4,
        )
        .await;
        for error in errors(&events) {
            assert!(matches!(error, Error::Lost { .. }), "{error}");
            let error = error.to_string();
            assert!(
                error.contains("the broker closed it over the subscription to \"$share/g/#\""),
                "{error}"
            );
        }
    }
}

/// Another client that takes the session over in MQTT 3.1.1 also cuts off a SUBSCRIBE now and then.
#[tokio::test]
async fn d11_a_subscription_that_was_granted_before_is_not_to_blame() {
    let version = MqttVersion::V3_1_1;
    let subscribed = AtomicBool::new(false);
    let events = subscribe(
        version,
        "a",
        welcome(version),
        move |packet| {
            if subscribed.swap(true, Ordering::Relaxed) {
                return None;
            }
            let mut answer = suback(version, packet, 1);
            answer.extend_from_slice(&[0xE0, 0]);
            Some(answer)
        },
        |events| errors(events).len() >= 4,
    )
    .await;
    let subscribed = |event: &Event| matches!(event, Event::Subscribed);
    assert!(events.iter().any(subscribed), "{events:?}");
    for error in errors(&events) {
        assert!(
            !error.to_string().contains("over the subscription"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn d11_a_broker_that_closes_after_a_denial_is_told_by_it() {
    for version in VERSIONS {
        let events = subscribe(
            version,
            "a",
            welcome(version),
            |packet| {
                // The session's next packet, or the end of the connection, is up to the broker.
                let mut answer = suback(version, packet, 0x80);
                answer.extend_from_slice(match version {
                    MqttVersion::V3_1_1 => &[0xE0, 0],
                    MqttVersion::V5 => &[0xE0, 1, 0x87],
                });
                Some(answer)
            },
            |events| errors(events).len() >= 4,
        )
        .await;
        for error in errors(&events) {
            assert!(matches!(error, Error::Lost { .. }), "{version:?}: {error}");
        }
        if version == MqttVersion::V3_1_1 {
            let error = errors(&events)[0].to_string();
            assert!(
                error.ends_with("after it had refused the subscription to \"a\": failure"),
                "{error}"
            );
        }
    }
}

#[tokio::test]
async fn d11_a_disconnect_over_a_subscription_names_it() {
    let events = subscribe(
        MqttVersion::V5,
        "$share/g/a",
        welcome(MqttVersion::V5),
        |_| Some(vec![0xE0, 1, 0x9E]),
        |events| !errors(events).is_empty(),
    )
    .await;
    let error = errors(&events)[0].to_string();
    assert!(
        error
            .contains("shared subscriptions not supported over the subscription to \"$share/g/a\""),
        "{error}"
    );
}

/// D7: asking anyway would end the connection.
#[tokio::test]
async fn d7_what_the_broker_says_that_it_does_not_have_is_refused_at_once() {
    for (filter, welcome) in [
        ("a/#", &[0x20, 5, 0, 0, 2, 0x28, 0]),
        ("$share/g/a", &[0x20, 5, 0, 0, 2, 0x2A, 0]),
    ] {
        let events = subscribe(
            MqttVersion::V5,
            filter,
            welcome,
            |packet| unreachable!("{packet:?}"),
            |events| events.len() > 1,
        )
        .await;
        let refused = matches!(&events[1], Event::SubscriptionRefused { .. });
        assert!(refused, "{events:?}");
    }
}

/// D10: the broker may still have the packet id of an earlier connection. After a restart mochi has up to 8192 messages for
/// a session under ids in a row, and takes all of these for in use.
#[tokio::test]
async fn d10_a_packet_identifier_in_use_is_replaced() {
    let used: [fn(u16) -> bool; 3] = [
        |id| id == 1,
        |id| id <= 8192,
        |id| !(0x1000..0xF000).contains(&id),
    ];
    for used in used {
        let events = subscribe(
            MqttVersion::V5,
            "a",
            welcome(MqttVersion::V5),
            |packet| {
                let id = u16::from_be_bytes([packet[2], packet[3]]);
                let code = if used(id) { 0x91 } else { 1 };
                Some(suback(MqttVersion::V5, packet, code))
            },
            |events| events.len() > 1,
        )
        .await;
        assert!(errors(&events).is_empty(), "{events:?}");
        let last = events.last();
        assert!(matches!(last, Some(Event::Subscribed)), "{events:?}");
    }
}

#[tokio::test]
async fn d10_odd_codes_of_a_refusal_are_named() {
    for (version, code, expected) in [
        (MqttVersion::V3_1_1, 0x03, "return code 0x03"),
        (MqttVersion::V3_1_1, 0x91, "return code 0x91"),
        (MqttVersion::V5, 0x91, "packet identifier in use"),
        (MqttVersion::V5, 0xC8, "reason code 0xC8"),
        (MqttVersion::V5, 0x42, "reason code 0x42"),
    ] {
        let events = subscribe(
            version,
            "a",
            welcome(version),
            |packet| Some(suback(version, packet, code)),
            |events| events.len() > 1,
        )
        .await;
        let Event::SubscriptionRefused { reason, .. } = &events[1] else {
            unreachable!("{events:?}");
        };
        assert_eq!(reason, expected);
    }
}

#[tokio::test]
async fn d10_unknown_codes_that_end_a_connection_are_named() {
    for (answer, expected) in [
        (
            &[0xE0, 1, 0xC8][..],
            "the broker closed it: reason code 0xC8",
        ),
        (
            &[0xE0, 2, 0xC8, 0],
            "the broker closed it: reason code 0xC8",
        ),
    ] {
        let events = subscribe(
            MqttVersion::V5,
            "a",
            welcome(MqttVersion::V5),
            |_| Some(answer.to_vec()),
            |events| !errors(events).is_empty(),
        )
        .await;
        let error = errors(&events)[0].to_string();
        assert!(error.contains(expected), "{error}");
    }
    let refusal = [0x20, 3, 0, 0xC8, 0];
    let events = subscribe(
        MqttVersion::V5,
        "a",
        &refusal,
        |_| None,
        |events| !errors(events).is_empty(),
    )
    .await;
    let error = errors(&events)[0];
    assert!(matches!(error, Error::ConnectionRefused { .. }), "{error}");
    assert!(error.to_string().ends_with("reason code 0xC8"), "{error}");
}

/// D6: at QoS 0 a restart loses messages.
#[tokio::test]
async fn d6_the_granted_qos_is_told() {
    for version in VERSIONS {
        let events = subscribe(
            version,
            "a",
            welcome(version),
            |packet| Some(suback(version, packet, 0)),
            |events| matches!(events.last(), Some(Event::Subscribed)),
        )
        .await;
        let granted = events.iter().any(|event| {
            let (asked, at) = (Qos::AtLeastOnce, Qos::AtMostOnce);
            matches!(event, Event::Granted { asked: a, granted: g, .. } if (*a, *g) == (asked, at))
        });
        assert!(granted, "{events:?}");
    }
}

/// D2: the connection stands, and what is behind such a message comes.
#[tokio::test]
async fn d2_a_message_that_is_not_utf_8_is_discarded_alone() {
    let table: [(MqttVersion, &[u8], &[u8], &str); 2] = [
        (
            MqttVersion::V3_1_1,
            &[0x32, 9, 0, 4, b'a', b'/', 0xFF, 0xFE, 0, 7, b'x'],
            &[0x32, 6, 0, 1, b'a', 0, 8, b'x'],
            "PUBLISH with a topic that is not UTF-8 (MQTT 3.1.1, section 1.5.3)",
        ),
        (
            MqttVersion::V5,
            &[
                0x32, 14, 0, 1, b'a', 0, 7, 7, 0x26, 0, 1, b'k', 0, 1, 0xFF, b'x',
            ],
            &[0x32, 7, 0, 1, b'a', 0, 8, 0, b'x'],
            "PUBLISH with a property that is not UTF-8 (MQTT 5, section 1.5.4)",
        ),
    ];
    for (version, bad, good, broken) in table {
        let acknowledged = std::cell::Cell::new(0);
        let events = subscribe(
            version,
            "a/#",
            welcome(version),
            |packet| {
                if packet[0] == 0x82 {
                    let mut answer = suback(version, packet, 1);
                    for packet in [bad, bad, good] {
                        answer.extend_from_slice(packet);
                    }
                    return Some(answer);
                }
                assert_eq!(packet[..], [0x40, 2, 0, 7 + acknowledged.get() / 2]);
                acknowledged.set(acknowledged.get() + 1);
                // Something to wait for behind the last acknowledgement.
                Some(if acknowledged.get() == 3 {
                    good.to_vec()
                } else {
                    Vec::new()
                })
            },
            |events| {
                let message = |event: &&Event| matches!(event, Event::Message(_));
                events.iter().filter(message).count() == 2
            },
        )
        .await;
        let malformed = |event: &&Event| matches!(event, Event::Malformed);
        assert_eq!(events.iter().filter(malformed).count(), 2, "{events:?}");
        let told: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                Event::Notice(notice) => Some(notice.clone()),
                _ => None,
            })
            .collect();
        assert_eq!(told, [Notice::Violation(broken.to_owned())]);
        assert!(errors(&events).is_empty(), "{events:?}");
    }
}

/// Issue 18, rows 23 to 26: the owner counts them, and logs their number.
#[tokio::test]
async fn row_24_messages_that_nothing_asked_for_are_discarded_and_acknowledged() {
    let version = MqttVersion::V3_1_1;
    let events = subscribe(
        version,
        "a",
        welcome(version),
        |packet| {
            let other: &[u8] = &[0x32, 6, 0, 1, b'o', 0, packet[3] + 1, b'x'];
            Some(if packet[0] == 0x82 {
                [&suback(version, packet, 1)[..], other].concat()
            } else {
                assert_eq!(packet[0], 0x40);
                other.to_vec()
            })
        },
        |events| {
            let unasked = |event: &&Event| matches!(event, Event::Unasked { .. });
            events.iter().filter(unasked).count() == 3
        },
    )
    .await;
    assert!(
        !events
            .iter()
            .any(|event| matches!(event, Event::Message(_)))
    );
}
