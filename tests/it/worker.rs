//! `edgemodel run` from broker to broker, as a process.

mod bad_input;
mod changed_files;
mod database_servers;
mod databases;
mod delivery;
mod events;
mod formats;
mod guests;
mod held_rules;
mod hostile;
mod model_credentials;
mod model_s3;
mod of_pyboot;
mod pages;
mod payloads;
pub(crate) mod pod;
mod reload;
mod retained;
mod retries;
mod seed;
mod several;
mod starts;
mod strikes;
mod trial;
mod utilization;
