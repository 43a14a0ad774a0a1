//! Model hosts: the processes that run a model's Python, seen from the worker. The worker itself never
//! runs Python.
//!
//! A model has one lane for each host: a queue, a task and a process that is replaced when it dies or
//! takes too long. A device always uses the same lane, so that its messages keep their order.
//!
//! Rooms in reading order:
//!
//! - `options`: what a model's hosts are started with, and where their outcomes go.
//! - `pool`: the hosts of one model: their start, their end, and what others may read of them.
//! - `lanes`: which lane a device's messages take.
//! - `backlog`: the messages that wait for a lane.
//! - `gather`: when a lane takes what waits.
//! - `lane`: hands jobs to one host, and replaces it.
//! - `quarantine`: devices whose messages repeatedly ended hosts.
//! - `busy`: how busy the hosts are (ADR 15).
//! - `state`, `status`: what others may read of a lane's process, and what `/status` says of it.
//! - `start`, `start_error`: starts a host and waits until it has imported its model.
//! - `database`: what a host needs to know of databases.
//! - `child`: one host process: its socket and its end.
//! - `family`: everything that a host started.
//! - `environment`: which of the worker's variables a model gets.
//! - `sandbox`: what a host's process may do and see.
//! - `usage`: how many processes and how much memory a host has.
//! - `progress`: the memory page that a host shares with the worker.
//! - `output`: what a model prints becomes log lines.
//! - `program`: which of the two model hosts a model gets, and how it is started.
//! - `interpreter`: what an interpreter is.
//! - `find`: where the interpreter and the model hosts are.
//! - `metrics`: what hosts count.
//! - `trial`: a host without a lane, for one call at a time.
//! - `samples`: events that a model brings along with their results.

mod backlog;
mod busy;
mod child;
mod database;
mod environment;
mod family;
mod find;
mod gather;
mod interpreter;
mod lane;
mod lanes;
mod metrics;
mod options;
mod output;
mod pool;
mod program;
mod progress;
mod quarantine;
pub mod samples;
mod sandbox;
mod start;
mod start_error;
mod state;
mod status;
mod trial;
mod usage;

pub use backlog::Backlog;
pub use busy::UTILIZATION_WINDOW;
pub use database::{Database, DatabaseError, databases};
pub use find::{library, python};
pub use interpreter::remember_interpreters;
pub use lanes::Lanes;
pub use metrics::{Families, Metrics};
pub use options::{Intact, Options, Outcomes};
pub use pool::{Monitor, Pool};
pub use program::{HostKind, Program};
pub use sandbox::kernel::Part;
pub use sandbox::seal;
pub use sandbox::status::SandboxStatus;
pub use start_error::StartError;
pub use status::HostStatus;
pub use trial::{Call, Lost, Trial};
