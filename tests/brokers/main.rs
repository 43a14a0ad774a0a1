//! The worker on real brokers: how many of 2,000 numbered messages are lost, repeated or out of order while brokers and
//! workers end, die and replace each other. `make test-brokers` runs this and prints the tables of `docs/brokers.md`.

mod broker;
mod kind;
mod run;
mod scenario;
mod table;
mod tally;

use anyhow::Context as _;
use broker::Broker;
use crds::validated::{MqttVersion, Qos};
use futures_util::future::try_join_all;
use kind::Kind;
use run::{Begun, PATIENCE, Run};
use scenario::Scenario;
use table::Table;
use tally::Counts;
use tests::site::Models;

const VERSIONS: [MqttVersion; 2] = [MqttVersion::V3_1_1, MqttVersion::V5];
const QOS: [Qos; 3] = [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce];

/// Takes time, so that messages wait at the broker, and says which message it had.
const MODEL: &str = "
import time
def handler(event, context):
    time.sleep(0.0015)
    return [context.device, event['n']]
";

/// As configurations and tables have it.
fn text(version: MqttVersion) -> &'static str {
    match version {
        MqttVersion::V3_1_1 => "3.1.1",
        MqttVersion::V5 => "5",
    }
}

#[expect(clippy::print_stdout, reason = "the table is what this is run for")]
async fn all_scenarios(kind: &'static Kind) -> anyhow::Result<()> {
    let models = Models::new()?;
    let model = models.pack("numbers", MODEL)?;
    let mut broker = Broker::start(kind).await?;
    let mut table = Table::new(kind, &broker.version()?);
    let mut failed = Vec::new();
    for scenario in Scenario::ALL {
        let pairs = VERSIONS.map(|version| QOS.map(|qos| (version, qos)));
        let runs: Vec<_> = pairs
            .into_iter()
            .flatten()
            .filter(|(version, _)| kind.has(scenario, *version))
            .map(|(version, qos)| Run::new(scenario, version, qos, &models, &model))
            .collect();
        let counts = together(&runs, scenario, &mut broker).await;
        match counts {
            Ok(counts) => {
                for (run, counts) in runs.iter().zip(counts) {
                    table.add(scenario, run.version, run.qos, counts);
                }
            }
            // The other rows are worth having.
            Err(error) => failed.push(format!("{}: {}: {error:?}", kind.name, scenario.title())),
        }
    }
    println!("{}", table.text());
    failed.extend(table.broken_promises());
    anyhow::ensure!(failed.is_empty(), "{}", failed.join("\n"));
    Ok(())
}

async fn together(
    runs: &[Run<'_>],
    scenario: Scenario,
    broker: &mut Broker,
) -> anyhow::Result<Vec<Counts>> {
    let begun = try_join_all(runs.iter().map(|run| run.begin(broker))).await?;
    begun.iter().for_each(Begun::go_on);
    match scenario {
        Scenario::BrokerRestarted => broker.restart().await?,
        Scenario::BrokerKilled => broker.kill_and_start().await?,
        _ => {}
    }
    let ends = try_join_all(begun.into_iter().map(|run| run.end(broker)));
    let ended = tokio::time::timeout(PATIENCE, ends).await;
    ended.context("it does not end")?
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mosquitto() -> anyhow::Result<()> {
    all_scenarios(&kind::MOSQUITTO).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hivemq() -> anyhow::Result<()> {
    all_scenarios(&kind::HIVEMQ).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rabbitmq() -> anyhow::Result<()> {
    all_scenarios(&kind::RABBITMQ).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mochi() -> anyhow::Result<()> {
    all_scenarios(&kind::MOCHI).await
}
