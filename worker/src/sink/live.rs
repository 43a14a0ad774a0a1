//! Results for readers that may connect at any time. Nothing waits for them: a slow reader loses the oldest results, which
//! is counted.

mod places;
mod ring;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use tokio::sync::watch;

use crate::metrics::LiveMetrics;
use crate::outbound::{Kind, OutboundResult};

pub(super) use places::Places;

use places::Place;
use ring::{Next, Ring};

/// Most readers of one port at once, so that a scanner cannot use up file descriptors.
pub(super) const MAX_READERS: usize = 64;

/// Sends the same bytes to all readers.
#[derive(Debug)]
pub(super) struct Live {
    ring: Arc<Mutex<Ring>>,
    /// Tells readers that there is a result; they are its receivers.
    results: watch::Sender<()>,
    metrics: LiveMetrics,
}

impl Live {
    /// Without readers.
    pub(super) fn new(metrics: LiveMetrics) -> Self {
        Self {
            ring: Arc::default(),
            results: watch::Sender::new(()),
            metrics,
        }
    }

    /// Sends a result's line, wrapped by `frame`, if there are readers. Dead letters are not sent.
    pub(super) fn send(&self, result: &OutboundResult, frame: impl FnOnce(&mut BytesMut, &[u8])) {
        if result.kind() != Kind::Result || self.results.receiver_count() == 0 {
            return;
        }
        let framed = if result.payload().len() > ring::LARGEST {
            // Not copied: the ring takes it as one that is too large.
            result.payload().clone()
        } else {
            let mut framed = BytesMut::with_capacity(result.payload().len() + 16);
            with_line(result.payload(), |line| frame(&mut framed, line));
            framed.freeze()
        };
        self.ring
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(framed);
        self.results.send_replace(());
    }

    /// A reader of what comes from now on; `None` if there is no place for it.
    pub(super) fn reader(&self, places: &Arc<Places>, address: IpAddr) -> Option<Reader> {
        let place = places.take(address)?;
        self.metrics.clients.inc();
        // Before the position, so that no result comes between them unnoticed.
        let results = self.results.subscribe();
        let ring = self.ring.clone();
        let position = ring.lock().unwrap_or_else(PoisonError::into_inner).end();
        Some(Reader {
            ring,
            position,
            results,
            metrics: self.metrics.clone(),
            place,
        })
    }
}

/// A reader, counted for as long as it is served.
#[derive(Debug)]
pub(super) struct Reader {
    ring: Arc<Mutex<Ring>>,
    position: u64,
    results: watch::Receiver<()>,
    metrics: LiveMetrics,
    place: Place,
}

impl Reader {
    /// The next result; `None` when no more come for this reader. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        loop {
            self.results.mark_unchanged();
            let next = self
                .ring
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .next(&mut self.position);
            if let Next::Result(result, missed) = next {
                self.metrics.dropped.inc_by(missed);
                if !result.is_empty() {
                    return Some(result);
                }
                continue;
            }
            tokio::select! {
                changed = self.results.changed() => changed.ok()?,
                () = self.place.lost() => return None,
            }
        }
    }

    /// Waits until its place is given to another reader. Cancel-safe.
    pub(super) async fn lost(&self) {
        self.place.lost().await;
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.metrics.clients.dec();
    }
}

/// A result as one line without line end. Bytes that aren't JSON on one line become JSON: a string, or
/// `{"base64": ...}` if they are not UTF-8.
pub(super) fn with_line(result: &[u8], take: impl FnOnce(&[u8])) {
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
            // In server-sent events, a carriage return ends a line.
            (b"{\"a\":\r1}", "\"{\\\"a\\\":\\r1}\""),
            (b"plain", "\"plain\""),
            (b"\xff", "{\"base64\":\"/w==\"}"),
            (b"\"\xff\"", "{\"base64\":\"Iv8i\"}"),
        ] {
            with_line(result, |line| assert_eq!(line, expected.as_bytes()));
        }
    }
}
