//! `edgemodel simulate`: publishes telemetry of simulated devices.

use std::time::Duration;

use anyhow::Context as _;
use clap::ArgGroup;
use crds::ValidatedRuntime;
use crds::validated::{Condition, ValidatedDevice};
use matching::Generator;
use mqtt::{Broker, Session};
use tokio::runtime::Builder;

use crate::telemetry::{self, LogFormat};
use crate::tools::{Publisher, Sent};
use crate::{settings, shutdown};

use super::{End, accept, print, read, rule_and_topic};

const EXAMPLES: &str = "\
Examples:
  edgemodel simulate --config my.yaml --rate 100
  edgemodel simulate --config my.yaml --device turbine-1 --count 10
  edgemodel simulate --broker tcp://127.0.0.1:1883 --topic telemetry/1 --device turbine-1";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, group = ArgGroup::new("target").required(true).args(["config", "broker"]))]
pub(super) struct Arguments {
    /// Configuration whose devices are simulated, or `-` for stdin.
    #[arg(long, short, value_name = "FILE")]
    config: Option<String>,
    /// Index of the rule to publish for.
    #[arg(long, value_name = "N", default_value = "0", conflicts_with = "broker")]
    rule: usize,
    /// Broker to publish to instead, such as tcp://127.0.0.1:1883.
    #[arg(long, value_name = "URL", requires = "topic")]
    broker: Option<String>,
    /// Topic to publish to. Required with --broker. Default: one that the rule's subscription matches.
    #[arg(long)]
    topic: Option<String>,
    /// Device to simulate; repeatable. Default: all devices of the configuration.
    #[arg(long = "device", value_name = "NAME")]
    devices: Vec<String>,
    /// Messages per second.
    #[arg(long, default_value = "10", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rate: u32,
    /// Number of messages to send. Default: runs until Ctrl-C.
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// Quality of service. Default: that of the broker in the configuration, else 1.
    #[arg(long, value_parser = clap::value_parser!(u8).range(0..=2))]
    qos: Option<u8>,
    /// Share of messages, from 0 to 1, from devices without a model.
    #[arg(long, default_value = "0")]
    unmatched: f64,
    /// Seed of the random values. The same seed gives the same messages.
    #[arg(long, default_value = "1")]
    seed: u64,
    /// Print JSON at the end instead of text.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<End> {
    anyhow::ensure!(
        (0.0..=1.0).contains(&arguments.unmatched),
        "--unmatched {} is not a share; choose a number from 0 to 1",
        arguments.unmatched
    );
    let (text, source) = match (&arguments.config, &arguments.broker) {
        (Some(path), _) => read(path)?,
        (None, Some(broker)) => (least_configuration(broker), "--broker".to_owned()),
        (None, None) => anyhow::bail!("give --config or --broker"),
    };
    let Some(runtime) = accept(&text, &source) else {
        return Ok(End::BadConfiguration);
    };
    telemetry::init(LogFormat::Text, "warn");
    let publisher = publisher(arguments, &runtime)?;
    let tokio = Builder::new_current_thread()
        .enable_all()
        .build()
        .context("failed to start a runtime")?;
    let summary = tokio.block_on(publisher.run(shutdown::requested(), |_, _| {}));
    report(arguments, &summary)
}

/// A minimal configuration with the broker, so that its address is checked like any other.
fn least_configuration(broker: &str) -> String {
    let broker = serde_json::Value::from(broker);
    format!(
        "mqtts: [{{name: m, broker: {broker}}}]\n\
         rules: [{{sub: {{name: m, topic: in}}, pub: {{name: m, topic: out}}}}]\n\
         funcs: [{{modelName: m, modelAddress: 'file:///m.zip'}}]\n"
    )
}

fn publisher(
    arguments: &Arguments,
    runtime: &ValidatedRuntime,
) -> anyhow::Result<Publisher<Session>> {
    let (rule, topic) = rule_and_topic(runtime, arguments.rule, arguments.topic.as_deref())?;
    let broker = Broker::open(rule.sub_mqtt, &runtime.mqtts[rule.sub_mqtt])?;
    let qos = match arguments.qos {
        None => broker.settings().qos,
        Some(0) => crds::validated::Qos::AtMostOnce,
        Some(1) => crds::validated::Qos::AtLeastOnce,
        Some(_) => crds::validated::Qos::ExactlyOnce,
    };
    let client_id = format!(
        "edgemodel-simulate-{}-{}",
        settings::hostname(),
        std::process::id()
    );
    Ok(Publisher {
        client: Session::new(broker.options(client_id, &[])),
        generator: Generator::for_devices(
            devices(arguments, runtime)?,
            arguments.seed,
            arguments.unmatched,
        ),
        topic: topic.into(),
        qos,
        interval: Duration::from_secs(1) / arguments.rate,
        count: arguments.count,
    })
}

/// The devices of the configuration, or those that were asked for; with a broker alone, devices that
/// only have a name.
fn devices(
    arguments: &Arguments,
    runtime: &ValidatedRuntime,
) -> anyhow::Result<Vec<ValidatedDevice>> {
    let known = || runtime.funcs.iter().flat_map(|func| &func.devices);
    if arguments.devices.is_empty() {
        return Ok(known().cloned().collect());
    }
    let named = |name: &String| {
        if arguments.broker.is_some() {
            return Ok(ValidatedDevice {
                name: name.clone(),
                conditions: Vec::<Condition>::new(),
            });
        }
        let names = known().map(|device| device.name.as_str());
        known()
            .find(|device| device.name == *name)
            .cloned()
            .with_context(|| {
                let nearest = crds::nearest(name, names)
                    .map(|nearest| format!("; did you mean {nearest:?}?"))
                    .unwrap_or_default();
                format!("--device {name:?}: the configuration has no such device{nearest}")
            })
    };
    arguments.devices.iter().map(named).collect()
}

fn report(arguments: &Arguments, summary: &Sent) -> anyhow::Result<End> {
    if arguments.json {
        let document = serde_json::json!({
            "sent": summary.sent,
            "acknowledged": summary.acknowledged,
            "refused": summary.refused,
        });
        return print(&format!("{document:#}\n"));
    }
    print(&format!(
        "sent {}, acknowledged {}, refused {}\n",
        summary.sent, summary.acknowledged, summary.refused
    ))
}
