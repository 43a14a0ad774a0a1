//! What is sent, in which order, and what ends it.

use super::*;
use crate::outcomes::Met;
use crate::packet::Code;
use crate::v3::EXACTLY_ONCE_WINDOW;
use crds::validated::MqttVersion;

const WRITER: Writer = Writer {
    version: MqttVersion::V3_1_1,
};

fn publication(qos: Qos) -> Publication {
    Publication {
        topic: "t".into(),
        payload: bytes::Bytes::from_static(b"p"),
        qos,
        retain: false,
        hops: 0,
    }
}

fn sent(inflight: &mut Inflight) -> Vec<u8> {
    let mut buffer = BytesMut::new();
    inflight.send(WRITER, &mut buffer, 0);
    buffer.to_vec()
}

#[test]
fn no_more_is_in_flight_than_the_broker_allows() {
    let mut inflight = Inflight::new(10, 1000);
    for token in 0..3 {
        inflight.add(publication(Qos::AtLeastOnce), token);
    }
    inflight.connected(
        false,
        Limits {
            receive_maximum: Some(2),
            ..Limits::default()
        },
    );
    assert_eq!(sent(&mut inflight).len(), 2 * 8);
    inflight.done(1);
    assert_eq!(sent(&mut inflight)[..6], [0x32, 6, 0, 1, b't', 0]);
    assert_eq!(inflight.take_done().collect::<Vec<_>>(), [(0, Ok(()))]);
    assert_eq!(inflight.capacity(), 8);
}

#[test]
fn what_is_not_acknowledged_is_sent_again_in_order() {
    let mut inflight = Inflight::new(10, 1000);
    inflight.add(publication(Qos::ExactlyOnce), 0);
    inflight.add(publication(Qos::AtLeastOnce), 1);
    inflight.add(publication(Qos::AtMostOnce), 2);
    sent(&mut inflight);
    inflight.release(1, WRITER, &mut BytesMut::new());
    inflight.connected(true, Limits::default());
    let again = sent(&mut inflight);
    assert_eq!(again[..4], [0x62, 2, 0, 1], "PUBREL, the broker has it");
    assert_eq!(
        again[4..],
        [0x3A, 6, 0, 1, b't', 0, 2, b'p', 0x30, 4, 0, 1, b't', b'p']
    );
    inflight.connected(false, Limits::default());
    let fresh = sent(&mut inflight);
    assert_eq!(fresh[0], 0x34, "a lost session knows of nothing");
    inflight.written(1000);
    assert_eq!(inflight.take_done().collect::<Vec<_>>(), [(2, Ok(()))]);
}

#[test]
fn a_publication_over_the_limit_is_refused_and_the_next_goes_out() {
    let mut inflight = Inflight::new(10, 20);
    let mut large = publication(Qos::AtLeastOnce);
    large.payload = vec![0; 100].into();
    inflight.add(large, 0);
    inflight.add(publication(Qos::AtLeastOnce), 1);
    assert_eq!(sent(&mut inflight).len(), 8);
    let refused = Refused::TooLarge {
        size: 107,
        limit: 20,
    };
    assert_eq!(
        inflight.take_done().collect::<Vec<_>>(),
        [(0, Err(refused))]
    );
}

/// mosquitto acknowledges more than it keeps, and loses them.
#[test]
fn few_are_in_flight_at_qos_2_where_a_broker_cannot_say_how_many_it_keeps() {
    let mut inflight = Inflight::new(100, 1000);
    for token in 0..50 {
        inflight.add(publication(Qos::ExactlyOnce), token);
    }
    inflight.connected(
        false,
        Limits {
            exactly_once: Some(EXACTLY_ONCE_WINDOW),
            ..Limits::default()
        },
    );
    assert_eq!(
        sent(&mut inflight).len(),
        usize::from(EXACTLY_ONCE_WINDOW) * 8
    );
}

/// As a broker of MQTT 3.1.1 does with what is larger than it takes.
#[test]
fn a_publication_over_which_the_broker_closes_again_and_again_is_refused() {
    for qos in [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce] {
        let mut inflight = Inflight::new(10, 1000);
        for token in 0..3 {
            inflight.add(publication(qos), token);
        }
        let size = sent(&mut inflight).len() / 3;
        inflight.written(1);
        assert_eq!(
            inflight.closed_by_broker(Said::Nothing),
            Blame::Unclear,
            "any of the three"
        );
        for blame in [Blame::Only, Blame::Only, Blame::Refused] {
            inflight.connected(false, Limits::default());
            assert_eq!(sent(&mut inflight).len(), size, "{qos:?}: one alone");
            inflight.written(1);
            assert_eq!(inflight.take_done().count(), 0);
            assert_eq!(inflight.closed_by_broker(Said::Nothing), blame);
        }
        let refused = Refused::ByClosing { size };
        assert_eq!(
            inflight.take_done().collect::<Vec<_>>(),
            [(0, Err(refused))]
        );
        inflight.connected(false, Limits::default());
        assert_eq!(sent(&mut inflight).len(), size, "{qos:?}: the next");
    }
}

#[test]
fn a_broker_that_goes_away_refuses_nothing() {
    let mut inflight = Inflight::new(10, 1000);
    inflight.add(publication(Qos::AtLeastOnce), 0);
    for _ in 0..10 {
        inflight.connected(false, Limits::default());
        sent(&mut inflight);
        inflight.written(8);
        inflight.closed_by_broker(Said::Nothing);
        inflight.not_connected();
    }
    for _ in 0..10 {
        inflight.connected(false, Limits::default());
        sent(&mut inflight);
        // Closed before a byte of it was written: over something else.
        assert_eq!(inflight.closed_by_broker(Said::Nothing), Blame::Unclear);
    }
    assert_eq!(inflight.take_done().count(), 0);
}

#[test]
fn a_broker_without_qos_2_gets_what_it_takes() {
    let mut inflight = Inflight::new(100, 1000);
    inflight.add(publication(Qos::ExactlyOnce), 0);
    let limits = Limits {
        qos: Some(Qos::AtLeastOnce),
        ..Limits::default()
    };
    inflight.connected(false, limits);
    assert_eq!(sent(&mut inflight)[0], 0x32);
    inflight.done(1);
    assert_eq!(inflight.take_done().count(), 1);
}

/// rumqttc ends the connection over an acknowledgement of nothing (its issue 1053).
#[test]
fn acknowledgements_meet_what_is_in_flight() {
    let mut inflight = Inflight::new(10, 1000);
    assert_eq!(inflight.met(1), Met::Nothing);
    inflight.done(7);
    inflight.add(publication(Qos::AtLeastOnce), 0);
    inflight.add(publication(Qos::ExactlyOnce), 1);
    sent(&mut inflight);
    assert_eq!(inflight.met(1), Met::AtLeastOnce);
    assert_eq!(inflight.met(2), Met::ExactlyOnce);
    inflight.release(2, WRITER, &mut BytesMut::new());
    assert_eq!(inflight.met(2), Met::Released);
    assert_eq!(inflight.take_done().count(), 0);
}

/// MQTT-2.3.1-2 of 3.1.1, MQTT-2.2.1-3 of 5.
#[test]
fn a_publication_does_not_get_the_packet_id_of_an_open_subscription() {
    let mut inflight = Inflight::new(10, 1000);
    inflight.next_id = u16::MAX - 2;
    inflight.hold(u16::MAX);
    inflight.hold(1);
    for token in 0..2 {
        inflight.add(publication(Qos::AtLeastOnce), token);
    }
    let sent = sent(&mut inflight);
    assert_eq!([sent[5], sent[6], sent[13], sent[14]], [0xFF, 0xFE, 0, 2]);
    inflight.give_up(1);
    assert_eq!(inflight.free_id_from(u16::MAX), 1);
}

/// RabbitMQ does so.
#[test]
fn a_broker_that_answers_qos_2_by_puback_gets_qos_1_from_then_on() {
    let mut inflight = Inflight::new(10, 1000);
    inflight.add(publication(Qos::ExactlyOnce), 0);
    assert_eq!(sent(&mut inflight)[0], 0x34);
    inflight.done_at_qos_1(1);
    inflight.add(publication(Qos::ExactlyOnce), 1);
    assert_eq!(sent(&mut inflight)[0], 0x32);
    let told: Vec<_> = inflight.take_notices().collect();
    assert_eq!(told, [crate::Notice::QosLowered(Qos::AtLeastOnce)]);
    assert_eq!(inflight.take_done().collect::<Vec<_>>(), [(0, Ok(()))]);
}

/// What a broker of MQTT 5 says as it ends the connection, how often, and what becomes of the only publication.
#[test]
fn what_the_broker_says_decides_about_the_only_publication() {
    let refused = |said: &str| vec![(0, Err(Refused::ByBroker(said.to_owned())))];
    let table = [
        (
            0x95,
            "packet too large",
            1,
            Blame::Refused,
            refused("packet too large"),
        ),
        (
            0x97,
            "quota exceeded",
            1,
            Blame::Refused,
            refused("quota exceeded"),
        ),
        (0x9A, "retain not supported", 1, Blame::Only, vec![]),
        (0x9B, "QoS not supported", 1, Blame::Only, vec![]),
        // It may have been about something else.
        (0x87, "not authorized", 2, Blame::Only, vec![]),
        (
            0x87,
            "not authorized",
            3,
            Blame::Refused,
            refused("not authorized"),
        ),
    ];
    for (code, reason, times, blame, done) in table {
        let mut inflight = Inflight::new(10, 1000);
        inflight.add(publication(Qos::AtLeastOnce), 0);
        let mut found = Blame::Unclear;
        for _ in 0..times {
            inflight.connected(false, Limits::default());
            sent(&mut inflight);
            inflight.written(1);
            found = inflight.closed_by_broker(Said::Code(Code(code), reason));
        }
        assert_eq!(found, blame, "{reason}");
        assert_eq!(inflight.take_done().collect::<Vec<_>>(), done, "{reason}");
    }
}
