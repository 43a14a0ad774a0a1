//! Tools to try out or measure a worker, which does not need them.
//!
//! Rooms in reading order:
//!
//! - `publisher`: telemetry of simulated devices, at a rate.
//! - `demo`: a broker and a model server on this machine.
//! - `bench`: measures a running worker from outside.

mod bench;
mod demo;
mod publisher;

pub use bench::{Bench, Length, MatchedBy, Summary};
pub use demo::{Broker, Demo, ModelServer, SEED, avoid_taken_ports, read_results};
pub use publisher::{Publisher, Sent};
