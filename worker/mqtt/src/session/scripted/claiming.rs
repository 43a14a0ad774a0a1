//! What a session does when another client uses its id and its owner claims it or gives it up.

use super::*;
use crate::Claim;

const CONNACK: [u8; 5] = [0x20, 3, 0, 0, 0];
/// DISCONNECT: the session was taken over.
const TAKEN_OVER: [u8; 3] = [0xE0, 1, 0x8E];

/// A session of version 5 whose pause after a takeover no test lives to see.
async fn session() -> (TcpListener, Session) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let session = Session::new(options(listener.local_addr().unwrap(), MqttVersion::V5));
    (listener, session)
}

/// Says that another client has the session, and takes the next connection.
async fn takes_over_once(listener: &TcpListener) {
    let mut first = Peer::greet(listener, &CONNACK).await;
    first.say(&TAKEN_OVER).await;
    let _second = Peer::greet(listener, &CONNACK).await;
    std::future::pending::<()>().await;
}

fn connected(event: &Event) -> Option<()> {
    matches!(event, Event::Connected { .. }).then_some(())
}

fn taken_over(event: &Event) -> Option<()> {
    matches!(
        event,
        Event::Disconnected {
            error: Error::TakenOver { .. },
            ..
        }
    )
    .then_some(())
}

#[tokio::test]
async fn d13_a_held_session_is_taken_back_at_once() {
    let (listener, mut session) = session().await;
    session.claim(Claim::Held);
    let broker = takes_over_once(&listener);
    let client = async {
        until(&mut session, |event| connected(&event)).await;
        until(&mut session, |event| connected(&event)).await;
    };
    against(client, broker).await;
}

#[tokio::test]
async fn d13_a_session_that_stays_away_comes_back_when_it_is_held() {
    let (listener, mut session) = session().await;
    let broker = takes_over_once(&listener);
    let client = async {
        until(&mut session, |event| taken_over(&event)).await;
        session.claim(Claim::Held);
        until(&mut session, |event| connected(&event)).await;
    };
    against(client, broker).await;
}

#[tokio::test]
async fn d13_a_yielded_session_is_disconnected_until_it_is_held() {
    let (listener, mut session) = session().await;
    let (ended, end) = tokio::sync::oneshot::channel();
    let broker = async {
        let mut first = Peer::greet(&listener, &CONNACK).await;
        assert_eq!(first.packet().await, None);
        ended.send(()).unwrap();
        let _second = Peer::greet(&listener, &CONNACK).await;
        std::future::pending::<()>().await;
    };
    let client = async {
        until(&mut session, |event| connected(&event)).await;
        session.claim(Claim::Yielded);
        until(&mut session, |event| taken_over(&event)).await;
        tokio::select! {
            () = session.drive() => unreachable!("it connects"),
            end = end => end.unwrap(),
        }
        session.claim(Claim::Held);
        until(&mut session, |event| connected(&event)).await;
    };
    against(client, broker).await;
}

/// The broker answers a connection that is being opened in any case, so it is closed when it is open.
#[tokio::test]
async fn d13_a_session_that_yields_while_it_connects_is_not_connected() {
    let (listener, mut session) = session().await;
    let (asked, ask) = tokio::sync::oneshot::channel();
    let (yielded, yields) = tokio::sync::oneshot::channel();
    let broker = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut first = [0; 4096];
        assert!(stream.read(&mut first).await.unwrap() > 0);
        asked.send(()).unwrap();
        yields.await.unwrap();
        stream.write_all(&CONNACK).await.unwrap();
        assert_eq!(stream.read(&mut first).await.unwrap(), 0);
        std::future::pending::<()>().await;
    };
    let client = async {
        tokio::select! {
            () = session.drive() => unreachable!("it is connected before it yields"),
            ask = ask => ask.unwrap(),
        }
        session.claim(Claim::Yielded);
        yielded.send(()).unwrap();
        until(&mut session, |event| {
            assert!(!matches!(event, Event::Connected { .. }));
            taken_over(&event)
        })
        .await;
    };
    against(client, broker).await;
}
