//! `edgemodel run` from broker to broker, as a process.

mod bad_input;
mod delivery;
mod pages;
mod pod;
mod seed;
mod several;
