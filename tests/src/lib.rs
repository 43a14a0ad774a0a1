//! What the end-to-end tests share.

pub mod black_hole;
pub mod build_script;
pub mod certificates;
pub mod client;
pub mod command;
pub mod contest;
pub mod control_plane;
pub mod database;
pub mod faults;
pub mod log;
pub mod long;
pub mod mosquitto;
pub mod nginx;
pub mod operator;
pub mod peers;
pub mod pool;
pub mod properties;
pub mod python;
pub mod running;
pub mod s3_server;
pub mod scripted_server;
pub mod site;
pub mod web_socket;
pub mod wheel;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;

/// The program under test, built by `make build` beside this test binary.
///
/// # Errors
/// When it is not there, as after `cargo test` in a clean tree.
pub fn edgemodel() -> anyhow::Result<PathBuf> {
    program("edgemodel", "build")
}

/// Arguments of a demo that ends by itself.
pub const SHORT_DEMO: [&str; 7] = [
    "demo",
    "--results",
    "3",
    "--rate",
    "50",
    "--http",
    "127.0.0.1:0",
];

/// The operator's program, built in the same way.
///
/// # Errors
/// When it is not there, as after `cargo test` in a clean tree.
pub fn edgemodel_operator() -> anyhow::Result<PathBuf> {
    program("edgemodel-operator", "operator")
}

fn program(name: &str, target: &str) -> anyhow::Result<PathBuf> {
    let test = std::env::current_exe().context("failed to find this test's own file")?;
    let directory = test
        .ancestors()
        .nth(2)
        .context("a test lies two folders deep in target")?;
    let program = directory.join(name);
    anyhow::ensure!(
        program.is_file(),
        "{} is missing; run `make {target}` first",
        program.display()
    );
    Ok(program)
}

/// The library that `faketime` preloads: it lets a process see another time.
///
/// # Errors
/// It is not installed.
pub fn faketime() -> anyhow::Result<&'static Path> {
    [
        "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
        "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
        "/usr/lib64/faketime/libfaketime.so.1",
    ]
    .into_iter()
    .map(Path::new)
    .find(|path| path.exists())
    .context("libfaketime.so.1 is missing; install faketime, as with `tests/tools.sh`")
}

/// Tries until `attempt` gives a value, for at most a minute: a condition with a deadline, not a sleep
/// that hopes.
///
/// # Errors
/// The last error, or that the time is over.
pub async fn eventually<T>(
    attempt: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    within(Duration::from_mins(1), attempt).await
}

/// The same with another deadline.
///
/// # Errors
/// The last error, or that the time is over.
pub async fn within<T>(
    limit: Duration,
    mut attempt: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let deadline = tokio::time::Instant::now() + limit;
    // What does not come true at once is asked for less often: many tests wait for the same two processors.
    let mut pauses = (1..10).map(|number| Duration::from_millis(20 * number));
    loop {
        let last = match attempt().await {
            Ok(Some(value)) => return Ok(value),
            Ok(None) => anyhow::anyhow!("the condition did not come true within {limit:?}"),
            Err(error) => error,
        };
        if tokio::time::Instant::now() > deadline {
            return Err(last);
        }
        let pause = pauses.next().unwrap_or(Duration::from_millis(200));
        tokio::time::sleep(pause).await;
    }
}

/// Says that a test leaves something out on this machine.
#[expect(
    clippy::print_stderr,
    reason = "a test that checks less than its name says so"
)]
pub fn untested(what: &str) {
    eprintln!("not tested on this machine: {what}");
}
