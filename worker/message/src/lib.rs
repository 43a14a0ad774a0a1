//! What travels through a worker's pipeline. Nothing here knows MQTT, Python or HTTP.
//!
//! Rooms in reading order:
//! - `job`: a message on its way to a model, and what the model makes of it.
//! - `delivery`: the promise that goes with each message, and how its source hears that it was kept.
//! - `ledger`: the counters of one model's messages.
//! - `queue`: the bounded queue between two stages.
//! - `throttle`: keeps one source of log lines from drowning the others.

mod delivery;
mod job;
mod ledger;
mod queue;
mod throttle;

pub use delivery::{AckHandle, Acknowledge, Delivery, Ticket};
pub use job::{Attributes, Failure, FailureReason, Job, Message, Outcome, Properties, Telemetry};
pub use ledger::{Ledger, Settled};
pub use queue::{Level, Queue, Rejected};
pub use throttle::Throttle;
