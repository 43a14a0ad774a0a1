//! What travels through a worker's pipeline. Nothing here knows MQTT, Python or HTTP.
//!
//! Rooms in reading order:
//! - `job`: a message queued for a model, and the outcome.
//! - `delivery`: the acknowledgement of each message to its source.
//! - `ledger`: the counters of one model's messages.
//! - `tally`: the counters of one device's messages.
//! - `devices`: the devices that a model has seen lately.
//! - `queue`: the bounded queue between two stages.
//! - `throttle`: keeps one source of log lines from drowning the others.

mod delivery;
mod devices;
mod job;
mod ledger;
mod queue;
mod tally;
mod throttle;

pub use delivery::{AckHandle, Acknowledge, Delivery, Ticket};
pub use devices::{Devices, Observer, SHOWN as SHOWN_DEVICES, Seen, milliseconds};
pub use job::{Attributes, Failure, FailureReason, Job, Message, Outcome, Properties, Telemetry};
pub use ledger::{Ledger, Settled};
pub use queue::{Level, Queue, Rejected};
pub use tally::{DeviceError, DeviceTally};
pub use throttle::Throttle;
