//! A connection whose broker does not read.

use std::task::Waker;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

use super::*;
use crate::options::tests::options;

/// Issue 18, row 12: a flood of PUBREL, each answered, took 278 MB.
#[tokio::test]
async fn row_12_nothing_is_read_while_the_broker_does_not_take_the_answers() {
    let (mut broker, client) = duplex(64);
    let mut connection = Connection::new(&options(), Box::new(client));
    let cx = &mut Context::from_waker(Waker::noop());
    connection.output.resize(UNWRITTEN + 64, 0);
    broker.write_all(&[0x62, 2, 0, 1]).await.unwrap();
    // What fits is written, and what came is read once there is less to write.
    assert!(connection.poll(cx, true).is_ready());
    assert!(connection.input.is_empty());
    assert!(connection.poll(cx, true).is_pending());
    assert!(connection.input.is_empty());
    let mut taken = [0; 64];
    broker.read_exact(&mut taken).await.unwrap();
    while connection.input.is_empty() {
        assert!(connection.poll(cx, true).is_ready());
        broker.read_exact(&mut taken).await.unwrap();
    }
    assert_eq!(connection.input[..], [0x62, 2, 0, 1]);
}

/// A broker that ends a connection says why in a DISCONNECT, which the error of a write must not hide.
#[tokio::test]
async fn what_came_before_a_failed_write_is_read() {
    let (mut broker, client) = duplex(64);
    let mut connection = Connection::new(&options(), Box::new(client));
    let cx = &mut Context::from_waker(Waker::noop());
    broker.write_all(&[0xE0, 1, 0x95]).await.unwrap();
    drop(broker);
    connection.output.resize(10, 0);
    assert!(matches!(connection.poll(cx, true), Poll::Ready(Ok(()))));
    assert_eq!(connection.input[..], [0xE0, 1, 0x95]);
    assert!(matches!(
        connection.poll(cx, true),
        Poll::Ready(Err(Ended::Closed))
    ));
}

/// Acknowledgements and publications are written while packets wait for each other.
#[tokio::test]
async fn what_is_only_written_ends_no_gathering() {
    let (mut broker, client) = duplex(1 << 10);
    let mut options = options();
    // No test lives to see the end of it.
    options.gather = Duration::from_hours(1);
    let mut connection = Connection::new(&options, Box::new(client));
    let cx = &mut Context::from_waker(Waker::noop());
    let pings_answered = [0xD0, 0].repeat(3);
    let mut found = VecDeque::new();
    for _ in 0..32 {
        // A task that runs on for long finds nothing ready.
        tokio::task::yield_now().await;
        broker.write_all(&pings_answered).await.unwrap();
        assert!(connection.poll(cx, true).is_ready());
        connection.take_packets(&mut found, 0).unwrap();
        found.clear();
    }
    broker.write_all(&pings_answered).await.unwrap();
    assert!(connection.poll(cx, true).is_pending(), "it gathers");
    connection.output.extend_from_slice(&[0xC0, 0]);
    assert!(connection.poll(cx, true).is_ready(), "it writes");
    connection.take_packets(&mut found, 0).unwrap();
    assert!(connection.poll(cx, true).is_pending(), "it still gathers");
}
