//! edgemodel's worker: MQTT in, match devices, run the model, MQTT out.
//!
//! Modules in reading order, which is the order in which a message passes them.

pub mod cli;
pub mod client_id;
pub mod delivery;
pub mod env;
pub mod explain;
pub mod host;
pub mod matcher;
pub mod message;
pub mod metrics;
pub mod model;
pub mod mqtt;
pub mod queue;
pub mod settings;
pub mod status;
pub mod telemetry;
