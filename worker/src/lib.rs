//! edgemodel's worker: MQTT in, match devices, run the model, MQTT out.
//!
//! Modules in reading order: how a worker starts, the stages of the pipeline, and what both use.

pub mod cli;
mod hidden;
mod reaper;
mod reload;
pub mod run;
pub mod shutdown;
pub mod supervisor;
mod trial;

pub mod pipeline;
pub mod route;

pub mod dispatch;
pub mod handover;
pub mod intake;
pub mod outbound;
pub mod results;
pub mod sink;
pub mod source;

pub mod admin;
pub mod audience;
pub mod client_ids;
pub mod console;
mod http;
pub mod metrics;
pub mod peers;
pub mod ports;
pub mod session_state;
pub mod status;
pub mod token;
pub mod undecodable;

pub mod tools;

pub mod settings;
pub mod telemetry;
