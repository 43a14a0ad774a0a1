//! Bytes through frames, and what a hostile broker's frames cost.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

use super::*;

/// What is read of a stream of frames, and how it ends.
async fn read(frames: &[u8]) -> (Vec<u8>, io::Result<()>) {
    let (mut broker, client) = duplex(1 << 20);
    broker.write_all(frames).await.unwrap();
    drop(broker);
    let mut bytes = Vec::new();
    let end = WebSocket::new(client).read_to_end(&mut bytes).await;
    (bytes, end.map(|_| ()))
}

#[tokio::test]
async fn packets_may_begin_and_end_anywhere_in_frames() {
    let frames = [
        &[0x02, 2, b'a', b'b'][..],
        &[0x89, 1, b'?'],
        &[0x80, 1, b'c'],
        &[0x82, 0],
        &[0x8A, 0],
        &[0x82, 1, b'd'],
        &[0x88, 2, 3, 0xE8],
        &[0x82, 1, b'!'],
    ]
    .concat();
    let (bytes, end) = read(&frames).await;
    assert_eq!(bytes, b"abcd", "a close is the end");
    assert!(end.is_ok());
    let (bytes, end) = read(&[0x82, 1, b'a', 0x81, 1, b'b']).await;
    assert_eq!(bytes, b"a");
    assert!(end.unwrap_err().to_string().contains("not binary"));
}

/// Issue 18, row 4: a header that claims 2^45 bytes aborted the worker.
#[tokio::test]
async fn row_4_a_frame_of_any_length_costs_no_memory() {
    let (mut broker, client) = duplex(4096);
    let mut client = WebSocket::new(client);
    broker
        .write_all(&[0x82, 127, 0, 0, 0x20, 0, 0, 0, 0, 0, b'a'])
        .await
        .unwrap();
    let mut byte = [0];
    client.read_exact(&mut byte).await.unwrap();
    assert_eq!(byte, *b"a");
    // An endless frame is passed on as it comes.
    for _ in 0..1000 {
        broker.write_all(&[b'b'; 4096]).await.unwrap();
        let mut part = [0; 4096];
        client.read_exact(&mut part).await.unwrap();
        assert_eq!(part, [b'b'; 4096]);
    }
    assert!(
        client.input.capacity() <= 4096,
        "{}",
        client.input.capacity()
    );
}

#[tokio::test]
async fn a_flood_of_pings_is_answered_as_far_as_the_broker_reads() {
    let (mut broker, client) = duplex(64);
    let mut client = WebSocket::new(client);
    let reading = async {
        let mut byte = [0];
        client.read_exact(&mut byte).await.unwrap();
    };
    let pinging = async {
        for _ in 0..1000 {
            broker.write_all(&[0x89, 1, b'?']).await.unwrap();
        }
        broker.write_all(&[0x82, 1, b'a']).await.unwrap();
    };
    tokio::join!(reading, pinging);
    assert!(
        client.output.capacity() <= 4096,
        "{}",
        client.output.capacity()
    );
}

#[tokio::test]
async fn what_is_written_is_masked_and_closed() {
    let (mut broker, client) = duplex(1 << 20);
    let mut client = WebSocket::new(client);
    client.write_all(b"hello").await.unwrap();
    client.shutdown().await.unwrap();
    let mut frames = Vec::new();
    broker.read_to_end(&mut frames).await.unwrap();
    let (mask, text) = (&frames[2..6], &frames[6..11]);
    assert_eq!(frames[..2], [0x82, 0x85]);
    let unmasked: Vec<_> = text
        .iter()
        .zip(mask.iter().cycle())
        .map(|(a, b)| a ^ b)
        .collect();
    assert_eq!(unmasked, b"hello");
    assert_eq!(frames[11..13], [0x88, 0x82]);
}
