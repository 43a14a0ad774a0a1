//! What surrounds a worker when people try it out or measure it. A worker needs none of this.
//!
//! Rooms in reading order:
//!
//! - `simulate`: telemetry as devices would send it.
//! - `demo`: a broker, a model server and devices on this machine.
//! - `bench`: measures a running worker from outside.

mod bench;
mod demo;
mod simulate;

pub use bench::{Bench, Length, MatchedBy, Summary};
pub use demo::{Broker, Demo, ModelServer, SEED, avoid_taken_ports, read_results};
pub use simulate::{Generator, Publisher, Sent, topic_for};
