//! Publications on one connection.

use std::cell::Cell;

use super::written::{PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL};
use super::*;

statements! {
    a_publication_at_qos_1_is_open_until_puback(V3): v3_mqtt_4_3_2_1;
    a_publication_at_qos_1_is_open_until_puback(V5):
        v5_mqtt_4_3_2_1 v5_mqtt_4_3_2_2 v5_mqtt_4_3_2_3;
    a_publication_at_qos_2_is_open_until_pubcomp(V3): v3_mqtt_4_3_3_1;
    a_publication_at_qos_2_is_open_until_pubcomp(V5):
        v5_mqtt_4_3_3_1 v5_mqtt_4_3_3_2 v5_mqtt_4_3_3_3 v5_mqtt_4_3_3_4 v5_mqtt_4_3_3_5;
    pubrels_have_the_order_of_the_pubrecs(V3): v3_mqtt_4_6_0_4;
    pubrels_have_the_order_of_the_pubrecs(V5): v5_mqtt_4_6_0_4;
    what_was_refused_is_not_sent_again(V5): v5_mqtt_4_4_0_2;
}

/// An acknowledgement of MQTT 3.1.1, and of 5 if all is well.
pub(super) fn acknowledges(kind: u8, id: u16) -> [u8; 4] {
    let [high, low] = id.to_be_bytes();
    let flags = if kind == PUBREL { 2 } else { 0 };
    [(kind << 4) | flags, 2, high, low]
}

/// What `broker` finds of a session with two publications at `qos`, of which it knows how many are done.
async fn two<T>(
    version: MqttVersion,
    qos: Qos,
    broker: impl AsyncFnOnce(Broker, &Cell<u8>) -> T,
) -> T {
    let done = Cell::new(0);
    let mut own = owner(vec![publication(qos, "p"); 2]);
    let own = |session: &mut Session, event: Event| {
        if matches!(event, Event::Published { .. }) {
            done.set(done.get() + 1);
        }
        own(session, event);
    };
    at_broker(version, |_| {}, own, async |from| broker(from, &done).await).await
}

/// Takes the two publications, which are at `qos`: their identifiers.
async fn taken(peer: &mut Peer, version: MqttVersion, qos: u8) -> [u16; 2] {
    let mut ids = [0, 0];
    for id in &mut ids {
        let written = peer.next(version).await;
        assert_eq!((written.kind, written.flags), (PUBLISH, qos << 1));
        *id = written.id.unwrap();
    }
    assert_ne!(ids[0], ids[1]);
    ids
}

async fn a_publication_at_qos_1_is_open_until_puback(version: MqttVersion) {
    two(version, Qos::AtLeastOnce, async |broker, done| {
        let mut peer = broker.serves(false).await;
        let [first, _] = taken(&mut peer, version, 1).await;
        peer.say(&acknowledges(PUBACK, 77)).await;
        assert!(peer.answers().await.is_empty());
        assert_eq!(done.get(), 0, "that was for another");
        peer.say(&acknowledges(PUBACK, first)).await;
        assert!(peer.answers().await.is_empty());
        assert_eq!(done.get(), 1);
    })
    .await;
}

async fn a_publication_at_qos_2_is_open_until_pubcomp(version: MqttVersion) {
    two(version, Qos::ExactlyOnce, async |broker, done| {
        let mut peer = broker.serves(false).await;
        let [first, _] = taken(&mut peer, version, 2).await;
        assert!(peer.answers().await.is_empty());
        peer.say(&acknowledges(PUBREC, first)).await;
        let released = peer.packet().await.unwrap();
        assert_eq!(released[..], acknowledges(PUBREL, first));
        assert!(peer.answers().await.is_empty());
        assert_eq!(done.get(), 0);
        peer.say(&acknowledges(PUBCOMP, first)).await;
        assert!(peer.answers().await.is_empty());
        assert_eq!(done.get(), 1);
    })
    .await;
}

async fn pubrels_have_the_order_of_the_pubrecs(version: MqttVersion) {
    two(version, Qos::ExactlyOnce, async |broker, _| {
        let mut peer = broker.serves(false).await;
        let [first, second] = taken(&mut peer, version, 2).await;
        for id in [second, first] {
            peer.say(&acknowledges(PUBREC, id)).await;
        }
        for id in [second, first] {
            let released = peer.packet().await.unwrap();
            assert_eq!(released[..], acknowledges(PUBREL, id));
        }
    })
    .await;
}

async fn what_was_refused_is_not_sent_again(version: MqttVersion) {
    for (qos, level, kind) in [(Qos::AtLeastOnce, 1, PUBACK), (Qos::ExactlyOnce, 2, PUBREC)] {
        two(version, qos, async |broker, done| {
            let mut peer = broker.serves(false).await;
            for id in taken(&mut peer, version, level).await {
                let [first, _, high, low] = acknowledges(kind, id);
                // Quota exceeded.
                peer.say(&[first, 3, high, low, 0x97]).await;
            }
            assert!(peer.answers().await.is_empty(), "a refusal gets no PUBREL");
            assert_eq!(done.get(), 2);
            drop(peer);
            let mut peer = broker.serves(true).await;
            assert!(peer.answers().await.is_empty());
        })
        .await;
    }
}
