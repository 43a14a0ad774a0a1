//! edgemodel's operator: `EdgeModelRuntime` objects into running workers, exposed ports and truthful status.
//!
//! Modules in reading order: [`run`] starts [`controller`], which calls [`reconcile`] for a runtime. That observes
//! ([`observe`]), builds what should be there ([`desired`], pure), decides what to do ([`plan`], pure), does it
//! ([`execute`], whose results are [`outcome`]), finds out why ports were refused ([`diagnose`]) and reports
//! ([`status`], pure but for the write; [`events`]). [`verify`] checks an installation from outside, for `helm test`.

pub mod controller;
pub mod reconcile;
pub mod run;

pub mod desired;
pub mod diagnose;
pub mod events;
pub mod execute;
pub mod observe;
pub mod outcome;
pub mod plan;
pub mod rollout;
pub mod status;

pub mod api;
pub mod difference;
pub mod kind;

pub mod admin;
pub mod lease;
pub mod metrics;
pub mod telemetry;
pub mod verify;

#[cfg(test)]
mod tests;
