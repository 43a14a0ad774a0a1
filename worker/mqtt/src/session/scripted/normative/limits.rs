//! What the broker takes.

use std::cell::Cell;

use super::sending::acknowledges;
use super::written::{PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, SUBSCRIBE};
use super::*;

statements! {
    no_publication_is_above_the_maximum_qos(V5): v5_mqtt_3_2_2_11;
    nothing_is_retained_where_the_broker_retains_nothing(V5): v5_mqtt_3_2_2_14;
    no_packet_is_larger_than_the_broker_takes(V5): v5_mqtt_3_2_2_15;
    open_publications_are_at_most_the_receive_maximum(V5):
        v5_mqtt_3_3_4_7 v5_mqtt_4_9_0_1 v5_mqtt_4_9_0_2;
    other_packets_do_not_wait_for_the_quota(V5): v5_mqtt_3_3_4_8 v5_mqtt_4_9_0_3;
}

/// CONNACK with one property.
fn greeting(property: &[u8]) -> Vec<u8> {
    let length = u8::try_from(property.len()).unwrap();
    [&[0x20, length + 3, 0, 0, length], property].concat()
}

/// The first publication that a session writes to a broker with this property.
async fn written(version: MqttVersion, property: &[u8], publication: Publication) -> Written {
    let own = owner(vec![publication]);
    at_broker(
        version,
        |_| {},
        own,
        async |broker| {
            let mut peer = Peer::greet(&broker.listener, &greeting(property)).await;
            broker.grants(&mut peer).await;
            peer.next(version).await
        },
    )
    .await
}

async fn no_publication_is_above_the_maximum_qos(version: MqttVersion) {
    for qos in [0, 1] {
        let found = written(version, &[0x24, qos], publication(Qos::ExactlyOnce, "p")).await;
        assert_eq!((found.kind, found.qos()), (PUBLISH, qos));
    }
}

async fn nothing_is_retained_where_the_broker_retains_nothing(version: MqttVersion) {
    for available in [0, 1] {
        let retained = Publication {
            retain: true,
            ..publication(Qos::AtLeastOnce, "p")
        };
        let found = written(version, &[0x25, available], retained).await;
        let retain = found.flags & 1;
        assert_eq!((found.kind, retain), (PUBLISH, available));
    }
}

/// A publication is refused, and so is a subscription.
async fn no_packet_is_larger_than_the_broker_takes(version: MqttVersion) {
    const LIMIT: u8 = 20;
    let property = [0x27, 0, 0, 0, LIMIT];
    let large = publication(Qos::AtLeastOnce, "larger than the broker takes");
    let small = publication(Qos::AtLeastOnce, "small");
    for (filter, packets) in [
        ("a", &[SUBSCRIBE, PUBLISH][..]),
        ("a/filter/that/is/too/long", &[PUBLISH]),
    ] {
        let refused = Cell::new(false);
        let publications = [&large, &small];
        let own = |session: &mut Session, event: Event| match event {
            Event::Connected { .. } => {
                for (publication, token) in publications.into_iter().zip(0..) {
                    session.publish(publication.clone(), token);
                }
            }
            Event::SubscriptionRefused { reason, .. } => {
                assert!(reason.contains("20 bytes"), "{reason}");
                refused.set(true);
            }
            _ => {}
        };
        let change = |options: &mut Options| {
            options.subscriptions = vec![(filter.to_owned(), Qos::AtLeastOnce)];
        };
        at_broker(version, change, own, async |broker| {
            let mut peer = Peer::greet(&broker.listener, &greeting(&property)).await;
            for kind in packets {
                let packet = peer.packet().await.unwrap();
                assert!(packet.len() <= usize::from(LIMIT), "{packet:?}");
                assert_eq!(packet[0] >> 4, *kind);
            }
            assert!(peer.answers().await.is_empty());
        })
        .await;
        assert_eq!(refused.get(), !packets.contains(&SUBSCRIBE), "{filter}");
    }
}

/// A broker that takes two at once. PUBREC frees no room, PUBCOMP does.
async fn open_publications_are_at_most_the_receive_maximum(version: MqttVersion) {
    let own = owner(vec![
        publication(Qos::AtLeastOnce, "first"),
        publication(Qos::ExactlyOnce, "second"),
        publication(Qos::AtLeastOnce, "third"),
        publication(Qos::AtLeastOnce, "fourth"),
    ]);
    at_broker(
        version,
        |_| {},
        own,
        async |broker| {
            let mut peer = Peer::greet(&broker.listener, &greeting(&[0x21, 0, 2])).await;
            broker.grants(&mut peer).await;
            let first = peer.next(version).await.id.unwrap();
            let second = peer.next(version).await.id.unwrap();
            assert!(peer.answers().await.is_empty());
            peer.say(&acknowledges(PUBREC, second)).await;
            assert_eq!(peer.next(version).await.answers(), (PUBREL, second));
            assert!(peer.answers().await.is_empty());
            for done in [acknowledges(PUBCOMP, second), acknowledges(PUBACK, first)] {
                peer.say(&done).await;
                assert_eq!(peer.next(version).await.kind, PUBLISH);
                assert!(peer.answers().await.is_empty());
            }
        },
    )
    .await;
}

async fn other_packets_do_not_wait_for_the_quota(version: MqttVersion) {
    let own = owner(vec![publication(Qos::AtLeastOnce, "p"); 2]);
    at_broker(
        version,
        |_| {},
        own,
        async |broker| {
            let mut peer = Peer::greet(&broker.listener, &greeting(&[0x21, 0, 1])).await;
            broker.grants(&mut peer).await;
            assert_eq!(peer.next(version).await.kind, PUBLISH);
            for (packet, answer) in [
                (message(version, AT_LEAST_ONCE, b"a", 7), (PUBACK, 7)),
                (message(version, EXACTLY_ONCE, b"a", 8), (PUBREC, 8)),
                (vec![0x62, 2, 0, 8], (PUBCOMP, 8)),
            ] {
                peer.say(&packet).await;
                assert_eq!(peer.next(version).await.answers(), answer);
            }
        },
    )
    .await;
}
