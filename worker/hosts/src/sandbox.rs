//! What the process of a model may do and see (ADR 23).
//!
//! What can fail or takes memory is prepared before the fork (`Confinement::prepare`). Between fork and exec there are only
//! system calls (`child`): another thread may have held any lock when the process was forked.
//!
//! - `limits`: limits of resources.
//! - `places`, `files`: which files it may use, and the Landlock ruleset of them.
//! - `calls`: which system calls it may not make.
//! - `kernel`: which of these the kernel has.
//! - `status`: what `/status` says of it.
//! - `hint`: what to do when a model meets its limits.

mod calls;
mod child;
mod files;
pub(crate) mod hint;
pub(crate) mod kernel;
mod limits;
mod places;
pub(crate) mod status;

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::PathBuf;

use crds::validated::SandboxMode;
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use tempfile::TempDir;
use tokio::process::Command;

use crate::metrics::Metrics;
use crate::options::Options;
use crate::program::Program;
use crate::start_error::StartError;

use child::Confinement;
use kernel::{Kernel, Part};
use places::{Places, ThisMachine, Wanted};
use status::SandboxStatus;

/// Where a process keeps temporary files.
const TEMPORARY: &str = "TMPDIR";

/// Keeps other processes of the same user, models among them, from reading this process's memory, environment and open files.
///
/// # Errors
/// The kernel refuses, which none does that has processes of users.
pub fn seal() -> io::Result<()> {
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}

/// A host's sandbox. Dropped, its temporary files are removed.
#[derive(Debug)]
pub(crate) struct Sandbox {
    status: SandboxStatus,
    _temporary: Option<TempDir>,
}

impl Sandbox {
    /// Prepares a process that is not started yet.
    ///
    /// # Errors
    /// The kernel lacks what the configuration requires, or a folder cannot be made.
    pub(crate) fn prepare(
        command: &mut Command,
        program: &Program,
        options: &Options,
        metrics: &Metrics,
    ) -> Result<Self, StartError> {
        let failed = |error: io::Error| StartError::Sandbox(error.to_string());
        let wanted = &options.sandbox;
        if wanted.mode == SandboxMode::Off {
            Confinement::prepare().apply(command);
            let status = SandboxStatus {
                mode: wanted.mode,
                missing: Vec::new(),
            };
            return Ok(Self {
                status,
                _temporary: None,
            });
        }
        let kernel = Kernel::running();
        let missing = kernel.missing();
        report(&missing, options, metrics);
        if wanted.required && !missing.is_empty() {
            return Err(StartError::SandboxIncomplete(missing));
        }
        let temporary = tempfile::Builder::new()
            .prefix("edgemodel-")
            .tempdir()
            .map_err(failed)?;
        command.env(TEMPORARY, temporary.path());
        let places = places(command, program, options, &temporary);
        let ruleset = files::ruleset(&places, kernel);
        let ruleset = ruleset.map_err(|error| StartError::Sandbox(error.to_string()))?;
        let filters = kernel
            .arch
            .map(|arch| calls::filters(wanted.network, std::process::id(), arch));
        let filters = filters.transpose();
        let filters = filters.map_err(|error| StartError::Sandbox(error.to_string()))?;
        Confinement::prepare()
            .with(ruleset, filters.unwrap_or_default())
            .apply(command);
        Ok(Self {
            status: SandboxStatus {
                mode: wanted.mode,
                missing,
            },
            _temporary: Some(temporary),
        })
    }

    /// For `/status`.
    pub(crate) fn status(&self) -> &SandboxStatus {
        &self.status
    }
}

fn places(command: &Command, program: &Program, options: &Options, temporary: &TempDir) -> Places {
    let variables: Vec<(OsString, OsString)> = command
        .as_std()
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    let variable = |name: &OsStr| {
        let found = variables.iter().find(|(one, _)| one == name);
        found.map(|(_, value)| value.clone())
    };
    let mut own = vec![options.directory.clone()];
    own.extend(options.wheels.clone());
    own.extend(program.files());
    let mut write: Vec<PathBuf> = options.sandbox.write.iter().map(Into::into).collect();
    // Beside its file, SQLite writes a journal.
    let databases = options
        .databases
        .iter()
        .filter_map(|database| database.file());
    write.extend(databases.filter_map(|file| Some(file.parent()?.to_owned())));
    let read: Vec<PathBuf> = options.sandbox.read.iter().map(Into::into).collect();
    let wanted = Wanted {
        interpreter: program.executable(),
        own: &own,
        variable: &variable,
        temporary: temporary.path(),
        shared_temporary: &std::env::temp_dir(),
        read: &read,
        write: &write,
        hidden: &options.hidden,
    };
    Places::of(&wanted, &ThisMachine)
}

/// Says once for each model what its sandbox lacks, and counts it.
fn report(missing: &[Part], options: &Options, metrics: &Metrics) {
    let mut is_news = false;
    for part in Part::ALL {
        let gauge = metrics.sandbox_missing(part);
        let lacks = missing.contains(&part);
        is_news |= lacks && gauge.get() == 0;
        gauge.set(lacks.into());
    }
    if is_news {
        let missing: Vec<_> = missing.iter().map(|part| part.as_str()).collect();
        tracing::warn!(
            model = options.model,
            missing = missing.join(","),
            "Sandbox incomplete: the kernel or the container engine lacks parts of it"
        );
    }
}
