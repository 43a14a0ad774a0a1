//! Whole reconciles against an API server in memory: what is written, in which order, and what is reported.

mod argocd;
mod bed;
mod changes;
mod fake_api;
mod objects;
mod statuses;
mod versions;
