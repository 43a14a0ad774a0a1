//! `edgemodel run` from broker to broker, as a process.

mod bad_input;
mod databases;
mod delivery;
mod events;
mod formats;
mod guests;
mod of_pyboot;
mod pages;
mod payloads;
pub(crate) mod pod;
mod seed;
mod several;
mod utilization;
