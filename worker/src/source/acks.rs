//! Carries acknowledgements from whatever settles a message to the session that received it.

use std::sync::{Arc, Mutex, PoisonError};

use message::{AckHandle, Acknowledge, Ticket};
use mqtt::DeliveryTag;
use tokio::sync::Notify;

/// Acknowledgements for the session that received the messages.
#[derive(Debug, Default)]
pub(super) struct Acks {
    tags: Mutex<Vec<DeliveryTag>>,
    added: Notify,
}

impl Acks {
    /// The handle of the message with `tag`.
    pub(super) fn handle(self: &Arc<Self>, tag: DeliveryTag) -> AckHandle {
        AckHandle::new(self.clone(), Ticket(tag.epoch, tag.sequence))
    }

    /// Waits until there is something to take.
    pub(super) async fn added(&self) {
        self.added.notified().await;
    }

    /// Moves everything into `batch`, which must be empty.
    pub(super) fn take(&self, batch: &mut Vec<DeliveryTag>) {
        let mut tags = self.tags.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut *tags, batch);
    }
}

impl Acknowledge for Acks {
    fn acknowledge(&self, Ticket(epoch, sequence): Ticket) {
        let mut tags = self.tags.lock().unwrap_or_else(PoisonError::into_inner);
        tags.push(DeliveryTag { epoch, sequence });
        let first = tags.len() == 1;
        drop(tags);
        if first {
            self.added.notify_one();
        }
    }
}
