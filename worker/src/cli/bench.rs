//! `edgemodel bench`: measures a user's own broker, worker and models.

use std::time::Duration;

use anyhow::Context as _;
use clap::ArgGroup;
use crds::ValidatedRuntime;
use matching::{Generator, Matcher};
use mqtt::{Broker, Session};
use tokio::runtime::Builder;

use crate::telemetry::{self, LogFormat};
use crate::tools::{Bench, Length, MatchedBy, Summary};
use crate::{settings, shutdown};

use super::{End, configuration, print, rule_and_topic};

const EXAMPLES: &str = "\
A worker must be running on the configuration. It processes the messages like any others and publishes
their results: don't run this against a plant in production.

Examples:
  edgemodel bench --config my.yaml                       at full speed, for ten seconds
  edgemodel bench --config my.yaml --rate 1000 --seconds 60
  edgemodel bench --config my.yaml --messages 100000 --json";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, group = ArgGroup::new("length").args(["messages", "seconds"]))]
pub(super) struct Arguments {
    /// The worker's configuration, or `-` for stdin.
    #[arg(long, short, value_name = "FILE")]
    config: String,
    /// Index of the rule to measure.
    #[arg(long, value_name = "N", default_value = "0")]
    rule: usize,
    /// Topic of the messages. Default: one that the rule's subscription matches.
    #[arg(long)]
    topic: Option<String>,
    /// Messages per second. Default: as fast as results return.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rate: Option<u32>,
    /// Number of messages to send.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    messages: Option<u64>,
    /// Duration in seconds. Default: 10.
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: Option<u64>,
    /// Maximum number of messages in flight, without --rate.
    #[arg(long, value_name = "N", default_value = "1000", conflicts_with = "rate",
        value_parser = clap::value_parser!(u64).range(1..))]
    in_flight: u64,
    /// Seconds to wait for the last results.
    #[arg(long, value_name = "S", default_value = "5")]
    patience: u64,
    /// Print JSON instead of text.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<End> {
    let Some(runtime) = configuration(&arguments.config)? else {
        return Ok(End::BadConfiguration);
    };
    telemetry::init(LogFormat::Text, "warn");
    let bench = bench(arguments, &runtime)?;
    let tokio = Builder::new_current_thread()
        .enable_all()
        .build()
        .context("failed to start a runtime")?;
    let summary = tokio.block_on(bench.run(shutdown::requested()))?;
    if arguments.json {
        print(&format!("{:#}\n", serde_json::to_value(&summary)?))?;
    } else {
        print(&text(&summary))?;
    }
    anyhow::ensure!(
        summary.matched_by != MatchedBy::Nothing || summary.dead_lettered > 0,
        "no result came; is a worker running on this configuration, and does its model return any?"
    );
    Ok(End::Done)
}

fn bench(arguments: &Arguments, runtime: &ValidatedRuntime) -> anyhow::Result<Bench<Session>> {
    let (rule, topic) = rule_and_topic(runtime, arguments.rule, arguments.topic.as_deref())?;
    let served: Vec<_> = runtime
        .funcs
        .iter()
        .filter(|func| func.digest.is_ok() && !func.devices.is_empty())
        .collect();
    anyhow::ensure!(
        !served.is_empty(),
        "no model would be served for any device"
    );
    let devices = served.iter().flat_map(|func| func.devices.clone());
    let telemetry = Broker::open(rule.sub_mqtt, &runtime.mqtts[rule.sub_mqtt])?;
    let results = Broker::open(rule.pub_mqtt, &runtime.mqtts[rule.pub_mqtt])?;
    let client_id = |role| {
        let (host, process) = (settings::hostname(), std::process::id());
        format!("edgemodel-bench-{role}-{host}-{process}")
    };
    let mut reading = results.options(client_id("reader"), &[rule.pub_topic.filter().into_owned()]);
    // What came before or comes after is not of this run.
    reading.clean_start = true;
    let dead_letters = rule.dead_letter_topic.as_ref();
    let dead_letters = dead_letters.map(|topic| topic.filter().into_owned());
    if let Some(filter) = &dead_letters {
        let qos = results.settings().qos;
        reading.subscriptions.push((filter.clone(), qos));
    }
    // Results of an earlier run may still be on their way: its numbers are others.
    let first = u64::from(rand::random::<u32>() >> 2);
    Ok(Bench {
        publisher: Session::new(telemetry.options(client_id("publisher"), &[])),
        reader: Session::new(reading),
        generator: Generator::for_devices(devices.collect(), 1, 0.0).from_number(first),
        topic: topic.into(),
        qos: telemetry.settings().qos,
        matchers: served.iter().map(|func| Matcher::of(func)).collect(),
        interval: arguments.rate.map(|rate| Duration::from_secs(1) / rate),
        in_flight: arguments.in_flight,
        length: match arguments.messages {
            Some(messages) => Length::Messages(messages),
            None => Length::After(Duration::from_secs(arguments.seconds.unwrap_or(10))),
        },
        patience: Duration::from_secs(arguments.patience),
        dead_letters,
    })
}

fn text(summary: &Summary) -> String {
    let mut text = format!(
        "sent {}, results {} in {:.1} s: {:.0} a second\n",
        summary.sent, summary.results, summary.seconds, summary.results_per_second
    );
    if let (Some(p50), Some(p99), Some(p999)) = (summary.p50_ms, summary.p99_ms, summary.p999_ms) {
        text +=
            &format!("time to the result: p50 {p50:.2} ms, p99 {p99:.2} ms, p999 {p999:.2} ms\n");
    }
    text += &format!(
        "without a result {}, dead letters {}, refused by the broker {}",
        summary.missing, summary.dead_lettered, summary.refused
    );
    text += &match summary.matched_by {
        MatchedBy::Order => {
            ";\nthe results do not hold the messages' times (telemetry.ts), so they were taken in order, and\n\
             duplicates cannot be told\n"
                .to_owned()
        }
        MatchedBy::Number | MatchedBy::Nothing => format!(
            ", duplicates {}, out of order {}, of others {}\n",
            summary.duplicates, summary.out_of_order, summary.others
        ),
    };
    text
}
