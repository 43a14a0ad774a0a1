//! What a host imports, and when: most of the time of a start is imports.

use std::path::Path;
use std::process::Command;

use hosts::HostKind;
use message::Outcome;
use tests::eventually;
use tests::log::Log;
use tests::python::{interpreters, is_plain_cpython};

/// What both hosts use at some time, and no first call does.
const LATER: [&str; 6] = [
    "logging",
    "traceback",
    "threading",
    "datetime",
    "edgemodel_support.logs",
    "edgemodel_databases",
];

/// What the native host does itself.
const NATIVE: [&str; 5] = [
    "json",
    "re",
    "enum",
    "functools",
    "edgemodel_support.context",
];

/// What the portable host does without.
const PORTABLE: [&str; 2] = ["socket", "selectors"];

const MODULES: &str = "
import sys
def handler(event, context):
    return sorted(sys.modules)
";

/// What an interpreter imports by itself, with what is installed in it.
fn own(python: &Path) -> anyhow::Result<String> {
    let output = Command::new(python)
        .args(["-B", "-c", "import sys; print('', *sys.modules, '')"])
        .output()?;
    Ok(String::from_utf8(output.stdout)?)
}

#[tokio::test]
async fn a_first_call_waits_for_no_module_that_it_does_not_take() -> anyhow::Result<()> {
    let mut compared = 0;
    for python in interpreters() {
        let pool = super::with(MODULES, |options| options.python.clone_from(&python)).await;
        let mut pool = match pool {
            Err(error) if error.to_string().contains("does not load the native host") => continue,
            pool => pool?,
        };
        let kind = pool.monitor().hosts().remove(0).host;
        let native = kind == Some(HostKind::Native);
        let others = if native { &NATIVE[..] } else { &PORTABLE[..] };
        // PyPy's own modules import what they like.
        let others = if is_plain_cpython(&python)? {
            others
        } else {
            &[]
        };
        let own = own(&python)?;
        let first: Vec<String> = serde_json::from_str(&pool.call("1").await?)?;
        for name in LATER.iter().chain(others) {
            if !own.contains(&format!(" {name} ")) {
                let imported = first.iter().any(|one| one == name);
                assert!(!imported, "{}: {name}", python.display());
                compared += 1;
            }
        }
        // Then what is left, before a model can run out of files.
        let second: Vec<String> = serde_json::from_str(&pool.call("2").await?)?;
        for name in LATER {
            let imported = second.iter().any(|one| one == name);
            assert!(imported, "{}: {name}", python.display());
        }
    }
    assert!(compared > 0, "each interpreter imports all of it by itself");
    Ok(())
}

/// A6, for a model that imports them: they are the standard library's, as if the host had imported them first.
#[tokio::test]
async fn what_hosts_import_belongs_to_the_standard_library() -> anyhow::Result<()> {
    let model = "
import datetime, json, logging, re, threading, traceback
logging.getLogger('early').warning('told at the import')
logging.debug('too fine')
def handler(event, context):
    return [json.loads('[1]'), bool(re.match('a', 'abc')), datetime.date(2026, 1, 2), threading.active_count() > 0]
";
    let (settings, _directory) = tests::pool::options(model)?;
    for name in [
        "datetime",
        "json",
        "_json",
        "logging",
        "re",
        "threading",
        "traceback",
        "weakref",
        "string",
    ] {
        let file = settings.directory.join(format!("{name}.py"));
        std::fs::write(
            file,
            "raise SystemExit('a file of the model is imported')\n",
        )?;
    }
    let log = Log::new();
    let mut pool = super::with("", |options| {
        options.directory.clone_from(&settings.directory);
    })
    .await?;
    assert_eq!(pool.call("1").await?, "[[1],true,\"2026-01-02\",true]");
    eventually(async || {
        let lines = log.lines();
        Ok(lines.into_iter().find(|line| {
            line.get("message") == "told at the import"
                && line.get("logger") == "early"
                && line.level == "WARN"
        }))
    })
    .await?;
    let fine = |line: &tests::log::Line| line.get("message").contains("too fine");
    assert!(!log.lines().iter().any(fine));
    Ok(())
}

/// The first message meets a host that has not imported what describes errors.
#[tokio::test]
async fn a_model_that_runs_out_of_files_is_described_all_the_same() -> anyhow::Result<()> {
    let model = "
import os, resource
def handler(event, context):
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    try:
        if event != 'quiet':
            raise ValueError('boom')
    finally:
        if event == 'quiet':
            resource.setrlimit(resource.RLIMIT_NOFILE, (1024, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
";
    for settled in [false, true] {
        let mut pool = super::start(model).await?;
        if settled {
            assert_eq!(pool.call("\"quiet\"").await?, "None");
        }
        pool.send("d", "1")?;
        let Outcome::Failed(failure) = pool.next().await?.1 else {
            anyhow::bail!("no failure");
        };
        assert_eq!(failure.message, "ValueError: boom", "settled: {settled}");
        let traceback = failure.traceback.unwrap_or_default();
        assert!(!settled || traceback.contains("in handler"), "{traceback}");
    }
    Ok(())
}
