//! `tcp://` ports: the results of all models as a read-only stream, one JSON text per line.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut as _, Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;

use crate::status::Shared;

/// Most readers at once; more are turned away, so that a scanner cannot use up file descriptors.
const MAX_CLIENTS: usize = 64;

/// A result as a line. Bytes that are no JSON text on one line become a JSON text: a string, or
/// `{"base64": ...}` if they are not UTF-8.
pub fn line(result: &Bytes) -> Bytes {
    let is_line =
        !result.contains(&b'\n') && serde_json::from_slice::<serde::de::IgnoredAny>(result).is_ok();
    let mut line = BytesMut::with_capacity(result.len() + 1);
    if is_line {
        line.put_slice(result);
    } else {
        let value = std::str::from_utf8(result).map_or_else(
            |_| serde_json::json!({ "base64": STANDARD.encode(result) }),
            |text| serde_json::Value::String(text.to_owned()),
        );
        line.put_slice(value.to_string().as_bytes());
    }
    line.put_u8(b'\n');
    line.freeze()
}

/// Serves readers until it is dropped.
pub async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut clients = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, address)) if clients.len() < MAX_CLIENTS => {
                    tracing::info!(%address, "Reader of results connected");
                    clients.spawn(client(stream, shared.clone()));
                }
                Ok((_, address)) => {
                    tracing::warn!(%address, MAX_CLIENTS, "Reader of results turned away");
                }
                Err(error) => {
                    // Out of file descriptors, or the peer is gone already: others may come.
                    tracing::warn!(%error, "Unable to accept a reader of results");
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
            },
            Some(_) = clients.join_next() => {}
        }
    }
}

/// Counts a reader for as long as it is served, however that ends.
struct Counted(Arc<Shared>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.metrics.stream_clients.dec();
    }
}

async fn client(mut stream: TcpStream, shared: Arc<Shared>) {
    shared.metrics.stream_clients.inc();
    let counted = Counted(shared);
    let mut results = counted.0.results.subscribe();
    let (mut reader, mut writer) = stream.split();
    let mut ignored = [0; 256];
    loop {
        tokio::select! {
            result = results.recv() => match result {
                Ok(line) => {
                    if writer.write_all(&line).await.is_err() {
                        return;
                    }
                }
                Err(RecvError::Lagged(count)) => counted.0.metrics.stream_dropped.inc_by(count),
                Err(RecvError::Closed) => return,
            },
            // Nothing is expected from a reader; this only notices that it left.
            read = reader.read(&mut ignored) => if matches!(read, Ok(0) | Err(_)) {
                return;
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_result_becomes_one_line_of_json() {
        for (result, expected) in [
            (&b"{\"a\":1}"[..], "{\"a\":1}\n"),
            (b"{\"a\":\n1}", "\"{\\\"a\\\":\\n1}\"\n"),
            (b"plain", "\"plain\"\n"),
            (b"\xff", "{\"base64\":\"/w==\"}\n"),
        ] {
            assert_eq!(line(&Bytes::copy_from_slice(result)), expected);
        }
    }
}
