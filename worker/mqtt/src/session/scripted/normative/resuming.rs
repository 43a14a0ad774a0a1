//! What outlives a connection, and what does not.

use std::cell::{Cell, RefCell};

use super::sending::acknowledges;
use super::written::{PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL};
use super::*;
use crate::Notice;

statements! {
    what_is_open_is_sent_again(V3):
        v3_mqtt_2_3_1_3 v3_mqtt_3_3_1_1 v3_mqtt_4_4_0_1 v3_mqtt_4_6_0_1;
    what_is_open_is_sent_again(V5):
        v5_mqtt_3_3_1_1 v5_mqtt_4_3_3_6 v5_mqtt_4_4_0_1 v5_mqtt_4_6_0_1;
    the_state_outlives_the_connection(V3): v3_mqtt_3_1_2_4 v3_mqtt_4_1_0_1 v3_mqtt_4_1_0_2;
    the_state_outlives_the_connection(V5): v5_mqtt_3_1_2_23;
    a_clean_start_uses_nothing_of_an_earlier_session(V3): v3_mqtt_3_1_2_6;
    a_clean_start_uses_nothing_of_an_earlier_session(V5): v5_mqtt_3_1_2_4;
    a_session_that_the_broker_lost_is_discarded(V5): v5_mqtt_3_2_2_5;
}

/// Under their identifiers, in their order, and only on the next connection.
async fn what_is_open_is_sent_again(version: MqttVersion) {
    let own = owner(vec![
        publication(Qos::ExactlyOnce, "first"),
        publication(Qos::AtLeastOnce, "second"),
        publication(Qos::ExactlyOnce, "third"),
    ]);
    at_broker(
        version,
        |_| {},
        own,
        async |broker| {
            let mut peer = broker.serves(false).await;
            let mut ids = Vec::new();
            for flags in [EXACTLY_ONCE, AT_LEAST_ONCE, EXACTLY_ONCE] {
                let written = peer.next(version).await;
                assert_eq!((written.kind, written.flags), (PUBLISH, flags));
                ids.extend(written.id);
            }
            peer.say(&acknowledges(PUBREC, ids[0])).await;
            let released = peer.packet().await.unwrap();
            assert_eq!(released[..], acknowledges(PUBREL, ids[0]));
            assert!(peer.answers().await.is_empty());
            drop(peer);

            let mut peer = broker.serves(true).await;
            // After the end of a connection they may come one by one.
            let released = peer.packet().await.unwrap();
            assert_eq!(released[..], acknowledges(PUBREL, ids[0]));
            peer.say(&acknowledges(PUBCOMP, ids[0])).await;
            for (id, flags, answer) in [
                (ids[1], AT_LEAST_ONCE, PUBACK),
                (ids[2], EXACTLY_ONCE, PUBREC),
            ] {
                let written = peer.next(version).await;
                assert_eq!(written.answers(), (PUBLISH, id));
                assert_eq!(written.flags, flags | DUPLICATE);
                peer.say(&acknowledges(answer, id)).await;
            }
        },
    )
    .await;
}

/// The broker sends a message at QoS 2 again, for which it has a PUBREC.
async fn the_state_outlives_the_connection(version: MqttVersion) {
    let messages = Cell::new(0);
    let mut acknowledge = owner(Vec::new());
    let own = |session: &mut Session, event: Event| {
        messages.set(messages.get() + u8::from(matches!(event, Event::Message(_))));
        acknowledge(session, event);
    };
    at_broker(
        version,
        |_| {},
        own,
        async |broker| {
            for flag in [0, DUPLICATE] {
                let mut peer = broker.serves(flag == DUPLICATE).await;
                peer.say(&message(version, EXACTLY_ONCE | flag, b"a", 8))
                    .await;
                let answer = peer.packet().await.unwrap();
                assert_eq!(answer[..], acknowledges(PUBREC, 8));
            }
        },
    )
    .await;
    assert_eq!(messages.get(), 1);
}

/// Connects a session with an open publication and a received message again, to a broker for which it must be new. Returns
/// what its owner was told.
pub(super) async fn begins_again(
    version: MqttVersion,
    clean_start: bool,
    session_present: bool,
) -> Vec<Notice> {
    let messages = Cell::new(0);
    let notices = RefCell::new(Vec::new());
    let mut own = owner(vec![publication(Qos::AtLeastOnce, "p")]);
    let own = |session: &mut Session, event: Event| {
        messages.set(messages.get() + u8::from(matches!(event, Event::Message(_))));
        if let Event::Notice(notice) = &event {
            notices.borrow_mut().push(notice.clone());
        }
        own(session, event);
    };
    let change = |options: &mut Options| options.clean_start = clean_start;
    at_broker(version, change, own, async |broker| {
        for present in [false, session_present] {
            let mut peer = broker.serves(present).await;
            let written = peer.next(version).await;
            assert_eq!((written.kind, written.flags), (PUBLISH, AT_LEAST_ONCE));
            peer.say(&message(version, EXACTLY_ONCE, b"a", 8)).await;
            let answer = peer.packet().await.unwrap();
            assert_eq!(answer[..], acknowledges(PUBREC, 8));
        }
    })
    .await;
    assert_eq!(messages.get(), 2, "its identifier is that of a new message");
    notices.into_inner()
}

async fn a_clean_start_uses_nothing_of_an_earlier_session(version: MqttVersion) {
    begins_again(version, true, false).await;
}

async fn a_session_that_the_broker_lost_is_discarded(version: MqttVersion) {
    begins_again(version, false, false).await;
}
