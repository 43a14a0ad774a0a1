//! Reads the demo's results from its broker, as a user's own program would.

use std::sync::Arc;

use bytes::Bytes;
use mqtt::{Client, Event};

/// Calls `came` with each message until it is cancelled.
pub async fn read<C: Client>(mut client: C, mut came: impl FnMut(&Arc<str>, &Bytes)) {
    loop {
        client.drive().await;
        while let Some(event) = client.next_event() {
            match event {
                Event::Message(message) => {
                    came(&message.topic, &message.payload);
                    if let Some(tag) = message.tag {
                        client.ack(tag);
                    }
                }
                Event::Disconnected { error, .. } => {
                    tracing::warn!(%error, "Reader of results disconnected");
                }
                _ => {}
            }
        }
    }
}
