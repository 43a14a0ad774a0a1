//! Models in real interpreters.

mod batches;
mod crashes;
mod interpreters;
mod loading;
mod poison;
mod utilization;
mod values;
