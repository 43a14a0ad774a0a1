//! The command line.

mod addresses;
mod bench;
mod check;
mod demo;
mod explain;
mod migrate;
mod models;
mod pack;
mod run;
mod schema;
mod simulate;
mod test;
mod trial;

use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;
use crds::ValidatedRuntime;
use crds::validated::ValidatedRule;
use matching::topic_for;

/// Runs data scientists' Python models on MQTT device data at the edge.
#[derive(Debug, Parser)]
#[command(name = "edgemodel", version, after_help = EXIT_CODES, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  success
  1  failure, such as an unreadable file
  2  invalid configuration or command line";

#[derive(Debug, Subcommand)]
enum Command {
    /// Check a configuration and report every problem with its position and remedy.
    Check(check::Arguments),
    /// Show which models would get a message, and why the others would not.
    Explain(explain::Arguments),
    /// Write today's configuration for an old one of pyboot's, and list what changes.
    Migrate(migrate::Arguments),
    /// Pack a model's folder into a zip and print its digests for the configuration.
    Pack(pack::Arguments),
    /// Run a model's golden samples, or record one.
    Test(test::Arguments),
    /// List or prune the versions in the models directory.
    Models(models::Arguments),
    /// Run a demo with its own broker, model server and devices.
    Demo(demo::Arguments),
    /// Run the worker: receive messages, run models, publish results.
    Run(run::Arguments),
    /// Publish telemetry of simulated devices, to try out a configuration.
    Simulate(simulate::Arguments),
    /// Measure a running worker: throughput, latency, lost, duplicated and reordered messages.
    Bench(bench::Arguments),
    /// Print the JSON Schema of the configuration, for editors and forms.
    Schema(schema::Arguments),
    /// Print a shell completion script: `edgemodel completions bash > ~/.bash_completion.d/edgemodel`.
    Completions {
        /// Shell to write the script for.
        shell: Shell,
    },
}

/// How a command ended.
enum End {
    Done,
    /// A check failed, and the command printed why.
    Failed,
    BadConfiguration,
}

/// Runs the command of this process's arguments.
pub fn main() -> ExitCode {
    if let Err(error) = hosts::seal() {
        print_error(&format!(
            "warning: models can read this process's memory: {error}"
        ));
    }
    let end = match Cli::parse().command {
        Command::Check(arguments) => check::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Migrate(arguments) => migrate::run(&arguments),
        Command::Pack(arguments) => pack::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Models(arguments) => models::run(&arguments),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Run(arguments) => run::run(&arguments),
        Command::Simulate(arguments) => simulate::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "edgemodel", &mut script);
            print(&String::from_utf8_lossy(&script))
        }
    };
    match end {
        Ok(End::Done) => ExitCode::SUCCESS,
        Ok(End::Failed) => ExitCode::FAILURE,
        Ok(End::BadConfiguration) => ExitCode::from(2),
        Err(error) => {
            print_error(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Writes to stdout. A reader that closed the pipe (`| head`) isn't a failure.
fn print(text: &str) -> anyhow::Result<End> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(anyhow::Error::new(error).context("failed to write to stdout"))
        }
        _ => Ok(End::Done),
    }
}

/// Writes a line to stderr, and ignores that stderr may be closed.
fn print_error(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Reads and checks a configuration; `None` when it is wrong, after its problems were printed.
fn configuration(path: &str) -> anyhow::Result<Option<ValidatedRuntime>> {
    let (text, source) = read(path)?;
    Ok(accept(&text, &source))
}

/// Checks a configuration; `None` when it is wrong, after its problems were printed.
fn accept(text: &str, source: &str) -> Option<ValidatedRuntime> {
    crds::load(text, source)
        .map_err(|problems| print_error(&problems.to_string()))
        .ok()
}

/// A rule of `--rule`, and the topic of `--topic` or else one that the rule's subscription gets.
fn rule_and_topic<'a>(
    runtime: &'a ValidatedRuntime,
    rule: usize,
    topic: Option<&str>,
) -> anyhow::Result<(&'a ValidatedRule, String)> {
    let found = runtime.rules.get(rule).with_context(|| {
        let last = runtime.rules.len() - 1;
        format!("--rule {rule}: the last rule is {last}")
    })?;
    let topic = if let Some(topic) = topic {
        topic.to_owned()
    } else {
        let filters = &found.sub_topics;
        let topic = filters.iter().find_map(|filter| topic_for(filter));
        topic.with_context(|| format!("{filters:?} reach no topic; give --topic"))?
    };
    Ok((found, topic))
}

/// Reads a configuration, and gives its text with its name for messages.
fn read(path: &str) -> anyhow::Result<(String, String)> {
    let (bytes, source) = read_bytes(path)?;
    match payload::utf8(&bytes) {
        Ok(text) => Ok((text.to_owned(), source)),
        Err(error) => anyhow::bail!("failed to read {source}: it {error}"),
    }
}

/// Reads a file, or stdin for `-`, and gives its bytes with its name for messages.
fn read_bytes(path: &str) -> anyhow::Result<(Vec<u8>, String)> {
    if path != "-" {
        let bytes = std::fs::read(path)
            .map_err(|error| anyhow::anyhow!("failed to read {path}: {error}"))?;
        return Ok((bytes, path.to_owned()));
    }
    let mut bytes = Vec::new();
    io::stdin()
        .read_to_end(&mut bytes)
        .map_err(|error| anyhow::anyhow!("failed to read stdin: {error}"))?;
    Ok((bytes, "<stdin>".to_owned()))
}
