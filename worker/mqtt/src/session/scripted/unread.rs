//! Connections that the broker closes while the session reads nothing, since the model is behind.

use crds::validated::Qos;

use super::*;

const SUBACK: [u8; 6] = [0x90, 4, 0, 1, 0, 1];
/// PUBLISH of `x` to `a` at QoS 0.
const AT_MOST_ONCE: [u8; 7] = [0x30, 5, 0, 1, b'a', 0, b'x'];
/// PUBLISH of `y` to `a` at QoS 1.
const AT_LEAST_ONCE: [u8; 9] = [0x32, 7, 0, 1, b'a', 0, 9, 0, b'y'];
const TAKEN_OVER: [u8; 3] = [0xE0, 1, 0x8E];

#[tokio::test]
async fn d13_a_session_that_reads_nothing_notices_that_another_client_has_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut options = options(listener.local_addr().unwrap(), MqttVersion::V5);
    options.subscriptions = vec![("a".to_owned(), Qos::AtLeastOnce)];
    let mut session = Session::new(options);
    let (closed, close) = tokio::sync::oneshot::channel();
    let broker = async {
        let mut peer = Peer::greet(&listener, &[0x20, 3, 0, 0, 0]).await;
        assert_eq!(peer.packet().await.unwrap()[0], 0x82);
        peer.say(&SUBACK).await;
        close.await.unwrap();
        for packet in [&AT_MOST_ONCE[..], &AT_LEAST_ONCE, &TAKEN_OVER] {
            peer.say(packet).await;
        }
        drop(peer);
        std::future::pending::<()>().await;
    };
    let client = async {
        until(&mut session, |event| {
            matches!(event, Event::Subscribed).then_some(())
        })
        .await;
        session.set_intake(false);
        closed.send(()).unwrap();
        let (mut payloads, mut error) = (Vec::new(), None);
        while error.is_none() {
            session.drive().await;
            while let Some(event) = session.next_event() {
                match event {
                    Event::Message(message) => payloads.push(message.payload),
                    Event::Disconnected { error: why, .. } => error = Some(why),
                    _ => {}
                }
            }
        }
        (payloads, error)
    };
    let (payloads, error) = against(client, broker).await;
    assert!(matches!(error, Some(Error::TakenOver { .. })), "{error:?}");
    assert_eq!(payloads, ["x"], "the broker delivers the other again");
}
