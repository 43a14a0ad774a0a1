//! A publisher of MQTT 5 that says everything which a message can say beside its payload.

use std::net::SocketAddr;

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const CONTENT_TYPE: u8 = 3;
const RESPONSE_TOPIC: u8 = 8;
const CORRELATION_DATA: u8 = 9;
const USER_PROPERTY: u8 = 38;

/// A message with everything that MQTT 5 allows.
#[derive(Debug, Clone, Copy)]
pub struct Saying<'a> {
    /// Its topic.
    pub topic: &'a str,
    /// Its payload.
    pub payload: &'a [u8],
    /// Whether the broker keeps it.
    pub retain: bool,
    /// User properties.
    pub user: &'a [(&'a str, &'a str)],
    /// Content type.
    pub content_type: &'a str,
    /// Response topic.
    pub response_topic: &'a str,
    /// Correlation data.
    pub correlation_data: &'a [u8],
}

/// Publishes a message at QoS 1 on a connection of its own.
///
/// # Errors
/// The broker does not take it.
pub async fn publish(broker: SocketAddr, message: &Saying<'_>) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(broker).await?;
    // MQTT 5, a clean start, no keep alive, no properties, no client id.
    let connect = b"\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x00";
    stream.write_all(&packet(0x10, connect)?).await?;
    anyhow::ensure!(answer(&mut stream).await? == 0x20, "no CONNACK");
    let mut properties = Vec::new();
    for (name, value) in message.user {
        properties.push(USER_PROPERTY);
        put(&mut properties, name.as_bytes())?;
        put(&mut properties, value.as_bytes())?;
    }
    for (kind, bytes) in [
        (CONTENT_TYPE, message.content_type.as_bytes()),
        (RESPONSE_TOPIC, message.response_topic.as_bytes()),
        (CORRELATION_DATA, message.correlation_data),
    ] {
        properties.push(kind);
        put(&mut properties, bytes)?;
    }
    let mut body = Vec::new();
    put(&mut body, message.topic.as_bytes())?;
    body.extend([0, 1, short(properties.len())?]);
    body.extend(properties);
    body.extend(message.payload);
    let kind = 0x32 | u8::from(message.retain);
    stream.write_all(&packet(kind, &body)?).await?;
    anyhow::ensure!(answer(&mut stream).await? == 0x40, "no PUBACK");
    Ok(())
}

/// The kind of the next packet.
async fn answer(stream: &mut TcpStream) -> anyhow::Result<u8> {
    let kind = stream.read_u8().await?;
    let length = stream.read_u8().await?;
    let mut body = vec![0; usize::from(short(length.into())?)];
    stream.read_exact(&mut body).await?;
    Ok(kind)
}

fn packet(kind: u8, body: &[u8]) -> anyhow::Result<Vec<u8>> {
    let length = body.len();
    let mut packet = vec![kind];
    if length < 128 {
        packet.push(short(length)?);
    } else {
        packet.extend([short(length % 128)? | 0x80, short(length / 128)?]);
    }
    packet.extend(body);
    Ok(packet)
}

/// A length that takes one byte.
fn short(length: usize) -> anyhow::Result<u8> {
    let short = u8::try_from(length).ok().filter(|length| *length < 128);
    short.context("it is longer than tests send")
}

fn put(buffer: &mut Vec<u8>, bytes: &[u8]) -> anyhow::Result<()> {
    buffer.extend([0, short(bytes.len())?]);
    buffer.extend(bytes);
    Ok(())
}
