//! What people and the operator see of a real API server, and what may go wrong between them.
//!
//! One control plane is shared; each test has a namespace of its own.

mod admission;
mod bed;
mod campaign;
mod chart;
mod faults;
mod named;
mod operations;
mod operator;
mod plans;
mod process;
mod release;
mod scale;
