//! edgemodel's operator: `EdgeModelRuntime` objects into running workers, exposed ports and truthful status.
//!
//! Modules in reading order: [`run`] starts [`controller`], which calls [`reconcile`] for a runtime: it reads
//! ([`observe`]), builds what should be ([`desired`], pure), makes it so ([`apply`]) and reports ([`status`]).

pub mod controller;
pub mod reconcile;
pub mod run;

pub mod apply;
pub mod desired;
pub mod events;
pub mod observe;
pub mod rollout;
pub mod status;

pub mod api;
pub mod difference;
pub mod kind;

pub mod admin;
pub mod lease;
pub mod metrics;
pub mod telemetry;

#[cfg(test)]
mod tests;
