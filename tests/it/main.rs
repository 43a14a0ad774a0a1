//! What people see, through the real program.

mod bench;
mod cli;
mod demo;
mod examples;
mod faults;
mod host;
mod matching;
mod migrate;
mod model;
mod monitoring;
mod mqtt;
mod pack;
mod prune;
mod samples;
pub(crate) mod worker;
