//! SUBSCRIBE and UNSUBSCRIBE.

use super::written::{PINGREQ, PUBLISH, SUBSCRIBE, UNSUBSCRIBE};
use super::*;

statements! {
    filters_are_utf_8(V3): v3_mqtt_3_8_3_1 v3_mqtt_3_10_3_1;
    filters_are_utf_8(V5): v5_mqtt_3_8_3_1 v5_mqtt_3_10_3_1;
    a_shared_subscription_is_not_no_local(V5): v5_mqtt_3_8_3_4;
    without_filters_there_is_no_subscribe(V3): v3_mqtt_3_8_3_3;
    without_filters_there_is_no_subscribe(V5): v5_mqtt_3_8_3_2;
    without_filters_there_is_no_unsubscribe(V3): v3_mqtt_3_10_3_2;
    without_filters_there_is_no_unsubscribe(V5): v5_mqtt_3_10_3_2;
}

const FILTERS: [&str; 2] = ["设备/+", "$share/g/a"];

/// The SUBSCRIBE and, since the session is drained at once, UNSUBSCRIBE for [`FILTERS`].
async fn written(version: MqttVersion) -> [Written; 2] {
    let change = |options: &mut Options| {
        options.subscriptions = FILTERS
            .map(|filter| (filter.to_owned(), Qos::ExactlyOnce))
            .to_vec();
    };
    let own = |session: &mut Session, event: Event| {
        if matches!(event, Event::Connected { .. }) {
            session.drain();
        }
    };
    at_broker(version, change, own, async |broker| {
        let mut peer = broker.greets(false).await;
        [peer.next(version).await, peer.next(version).await]
    })
    .await
}

async fn filters_are_utf_8(version: MqttVersion) {
    let [mut subscribe, mut unsubscribe] = written(version).await;
    assert_eq!(subscribe.kind, SUBSCRIBE);
    assert_eq!(unsubscribe.kind, UNSUBSCRIBE);
    for filter in FILTERS {
        assert_eq!(subscribe.rest.text(), filter);
        subscribe.rest.byte();
        assert_eq!(unsubscribe.rest.text(), filter);
    }
    assert!(subscribe.rest.is_empty());
    assert!(unsubscribe.rest.is_empty());
}

async fn a_shared_subscription_is_not_no_local(version: MqttVersion) {
    const NO_LOCAL: u8 = 4;
    let [mut subscribe, _] = written(version).await;
    for filter in FILTERS {
        assert_eq!(subscribe.rest.text(), filter);
        assert_eq!(subscribe.rest.byte() & NO_LOCAL, 0);
    }
}

/// The first packet of a session without subscriptions that does `what` when it is connected.
async fn first_packet(version: MqttVersion, what: impl Fn(&mut Session)) -> u8 {
    let change = |options: &mut Options| options.subscriptions.clear();
    let own = |session: &mut Session, event: Event| {
        if matches!(event, Event::Connected { .. }) {
            what(session);
        }
    };
    at_broker(version, change, own, async |broker| {
        let mut peer = broker.greets(false).await;
        peer.next(version).await.kind
    })
    .await
}

async fn without_filters_there_is_no_subscribe(version: MqttVersion) {
    let publish = |session: &mut Session| session.publish(publication(Qos::AtLeastOnce, "p"), 0);
    assert_eq!(first_packet(version, publish).await, PUBLISH);
}

async fn without_filters_there_is_no_unsubscribe(version: MqttVersion) {
    let drain = |session: &mut Session| session.drain();
    assert_eq!(first_packet(version, drain).await, PINGREQ);
}
