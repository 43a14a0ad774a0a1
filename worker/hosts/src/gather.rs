//! When a lane takes messages from its queue: at once, or when enough of them wait to be handed over together.

use crds::validated::ValidatedBatch;
use message::{Job, Queue};
use tokio::time::Instant;

/// Calls that a host has at once. Together with the bytes this is less than a socket's buffer holds,
/// so that neither side ever waits for the other to read first.
pub(crate) const IN_FLIGHT: usize = 256;
pub(crate) const IN_FLIGHT_BYTES: usize = 128 << 10;

/// Most messages that are handed over together.
pub(crate) fn most(batch: Option<ValidatedBatch>) -> usize {
    batch.map_or(IN_FLIGHT, |batch| usize::from(batch.max))
}

/// Waits until there is something to hand over (`true`), or there never will be (`false`).
///
/// The oldest message waits for others until there are as many as a call takes, or bytes as a host has at once, or its time is
/// over. Nothing is lost when the future is dropped: the time counts from when the message came.
pub(crate) async fn ready(queue: &Queue<Job>, batch: Option<ValidatedBatch>) -> bool {
    if !queue.readable().await {
        return false;
    }
    let wait = batch.and_then(|batch| batch.wait);
    let oldest = queue.front(|job| job.telemetry.received);
    if let (Some(wait), Some(oldest)) = (wait, oldest) {
        let until = Instant::from_std(oldest + wait);
        // Either way the messages that there are go out.
        let _ = tokio::time::timeout_at(until, queue.gathered(most(batch), IN_FLIGHT_BYTES)).await;
    }
    true
}
