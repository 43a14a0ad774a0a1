//! The end of a connection.

use super::*;

statements! {
    nothing_follows_disconnect_and_the_connection_is_closed(V3):
        v3_mqtt_3_14_4_1 v3_mqtt_3_14_4_2;
    nothing_follows_disconnect_and_the_connection_is_closed(V5):
        v5_mqtt_3_14_2_1 v5_mqtt_3_14_2_3 v5_mqtt_3_14_2_4 v5_mqtt_3_14_4_1 v5_mqtt_3_14_4_2;
    a_refusal_ends_the_connection(V5): v5_mqtt_4_13_2_1;
}

/// Its reason is that of a normal end, without properties.
async fn nothing_follows_disconnect_and_the_connection_is_closed(version: MqttVersion) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut session = Session::new(options(listener.local_addr().unwrap(), version));
    let broker = async {
        let mut peer = Peer::greet(&listener, welcome(version)).await;
        let first = peer.packet().await.unwrap();
        // It would be answered on a connection that stands.
        peer.say(&[0x62, 2, 0, 9]).await;
        (first, peer.rest().await)
    };
    let client = async {
        until(&mut session, |event| {
            matches!(event, Event::Connected { .. }).then_some(())
        })
        .await;
        session.disconnect().await;
        std::future::pending::<()>().await;
    };
    let (last, behind) = against(broker, client).await;
    assert_eq!(last[..], [0xE0, 0]);
    assert!(behind.is_empty(), "{behind:?}");
}

/// One in CONNACK, and one in DISCONNECT.
async fn a_refusal_ends_the_connection(version: MqttVersion) {
    for refusal in [
        &[0x20, 3, 0, 0x87, 0][..],
        &[0x20, 3, 0, 0, 0, 0xE0, 1, 0x8B],
    ] {
        let change = |options: &mut Options| options.subscriptions.clear();
        at_broker(version, change, owner(Vec::new()), async |broker| {
            let mut peer = Peer::greet(&broker.listener, refusal).await;
            assert!(peer.rest().await.is_empty());
        })
        .await;
    }
}
