//! What the process of a model may do and see.
//!
//! What can fail or takes memory is prepared before the fork (`Confinement::prepare`). Between fork and exec there are only
//! system calls (`child`): another thread may have held any lock when the process was forked.

mod child;
mod environment;
mod limits;

use std::io;

use rustix::process::{DumpableBehavior, set_dumpable_behavior};

pub(crate) use child::Confinement;
pub(crate) use environment::{clear, passed};

/// Keeps other processes of the same user, models among them, from reading this process's memory, environment and open files.
///
/// # Errors
/// The kernel refuses, which none does that has processes of users.
pub fn seal() -> io::Result<()> {
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}
