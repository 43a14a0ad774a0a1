//! Results for readers that come and go: nothing waits for them, so a slow reader loses the oldest, counted.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};

use crate::metrics::LiveMetrics;
use crate::results::{Kind, OutboundResult};

/// Results kept for a slow reader before it loses the oldest.
const BACKLOG: usize = 1024;

/// Most readers of one port at once; more are turned away, so that a scanner cannot use up file descriptors.
pub(super) const MAX_READERS: usize = 64;

/// Sends the same bytes to all readers.
#[derive(Debug)]
pub(super) struct Live {
    results: broadcast::Sender<Bytes>,
    metrics: LiveMetrics,
}

impl Live {
    /// Without readers.
    pub(super) fn new(metrics: LiveMetrics) -> Self {
        Self {
            results: broadcast::Sender::new(BACKLOG),
            metrics,
        }
    }

    /// Sends what `frame` makes of a result's line, if there are readers. Dead letters are not sent.
    pub(super) fn send(&self, result: &OutboundResult, frame: impl FnOnce(&mut BytesMut, &[u8])) {
        if result.kind() == Kind::Result && self.results.receiver_count() > 0 {
            let mut framed = BytesMut::with_capacity(result.payload().len() + 16);
            with_line(result.payload(), |line| frame(&mut framed, line));
            // Fails only when the last reader just left.
            let _ = self.results.send(framed.freeze());
        }
    }

    /// A reader of what comes from now on; `None` if all `places` are taken.
    pub(super) fn reader(&self, places: &Arc<Semaphore>) -> Option<Reader> {
        let place = places.clone().try_acquire_owned().ok()?;
        self.metrics.clients.inc();
        Some(Reader {
            results: self.results.subscribe(),
            metrics: self.metrics.clone(),
            _place: place,
        })
    }
}

/// A reader, counted for as long as it is served.
#[derive(Debug)]
pub(super) struct Reader {
    results: broadcast::Receiver<Bytes>,
    metrics: LiveMetrics,
    _place: OwnedSemaphorePermit,
}

impl Reader {
    /// The next result; `None` when no more come. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        loop {
            match self.results.recv().await {
                Ok(result) => return Some(result),
                Err(RecvError::Lagged(count)) => self.metrics.dropped.inc_by(count),
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.metrics.clients.dec();
    }
}

/// A result as one line without its end. Bytes that are not JSON text on one line become JSON text: a string, or
/// `{"base64": ...}` if they are not UTF-8.
fn with_line(result: &[u8], take: impl FnOnce(&[u8])) {
    let text = std::str::from_utf8(result).ok();
    let is_line = |text: &str| {
        !text.contains(['\n', '\r']) && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
    };
    match text {
        Some(text) if is_line(text) => take(result),
        Some(text) => take(serde_json::Value::from(text).to_string().as_bytes()),
        None => take(
            serde_json::json!({ "base64": STANDARD.encode(result) })
                .to_string()
                .as_bytes(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_result_becomes_one_line_of_json() {
        for (result, expected) in [
            (&b"{\"a\":1}"[..], "{\"a\":1}"),
            (b"{\"a\":\n1}", "\"{\\\"a\\\":\\n1}\""),
            // To server-sent events, a carriage return is the end of a line.
            (b"{\"a\":\r1}", "\"{\\\"a\\\":\\r1}\""),
            (b"plain", "\"plain\""),
            (b"\xff", "{\"base64\":\"/w==\"}"),
            (b"\"\xff\"", "{\"base64\":\"Iv8i\"}"),
        ] {
            with_line(result, |line| assert_eq!(line, expected.as_bytes()));
        }
    }
}
