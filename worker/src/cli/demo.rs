//! `edgemodel demo`: a worker with its own broker, model server and devices.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use crds::ValidatedRuntime;
use crds::contract::HTTP_PORT;
use crds::validated::{HostChoice, Qos};
use matching::{Generator, topic_for};
use mqtt::{Broker, Session};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::run::Worker;
use crate::settings::{self, Settings};
use crate::shutdown;
use crate::telemetry::{self, LogFormat};
use crate::tools::{self, Demo, Publisher};

use super::{End, accept, print, read};

/// The share of messages from devices without a model.
const UNMATCHED_SHARE: f64 = 0.3;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Configuration to use instead of pyboot's sample. The demo replaces its brokers and models.
    #[arg(long, short, value_name = "FILE")]
    config: Option<String>,
    /// Address of metrics and status.
    #[arg(long, value_name = "ADDRESS", default_value_t = SocketAddr::from(([127, 0, 0, 1], HTTP_PORT)))]
    http: SocketAddr,
    /// Messages per second.
    #[arg(long, default_value = "2", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,
    /// Number of results after which the demo ends. Default: runs until Ctrl-C.
    #[arg(long, value_name = "N")]
    results: Option<u64>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<End> {
    let (text, source) = match &arguments.config {
        Some(path) => read(path)?,
        None => (
            tools::SEED.to_owned(),
            "the sample configuration".to_owned(),
        ),
    };
    let Some(mut runtime) = accept(&text, &source) else {
        return Ok(End::BadConfiguration);
    };
    telemetry::init(LogFormat::Text, "warn");
    // Without it there would be a demo, but never a result.
    let python = hosts::python(None)?;
    let surroundings = Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("edgemodel-demo")
        .enable_all()
        .build()
        .context("failed to start a runtime")?;
    surroundings.block_on(hosts::Program::choose(&python, HostChoice::Auto))?;
    let demo = surroundings.block_on(Demo::start())?;
    demo.adapt(&mut runtime);
    let mut http = arguments.http;
    tools::avoid_taken_ports(&mut runtime, &mut http);
    let settings = Settings {
        http,
        exposed: http.ip(),
        http_token: None,
        models_dir: demo.models_dir(),
        config: None,
        files: Vec::new(),
        download: true,
        trial: false,
        replica: None,
        peers: None,
        give_up: false,
        hostname: settings::hostname(),
        drain_timeout: Duration::from_secs(10),
    };
    let worker = Worker::open(runtime.clone(), settings)?;
    print(&introduction(&source, &demo, &worker))?;

    let enough = Arc::new(Notify::new());
    let mut tasks = surround(&surroundings, &runtime, arguments, &enough)?;
    let ended = async || {
        tokio::select! {
            () = shutdown::requested() => {}
            () = enough.notified() => {}
        }
    };
    worker.run(ended, None)?;
    surroundings.block_on(tasks.shutdown());
    drop(demo);
    print("\nThe demo has ended; nothing is left behind.\n")
}

fn introduction(source: &str, demo: &Demo, worker: &Worker) -> String {
    let broker = demo.broker();
    let mut text = format!(
        "edgemodel demo: {source}, with a broker, a model server and devices of its own\n\n  \
         broker       mqtt://{broker}  (mosquitto_sub -p {} -v -t '#')\n  \
         model        {}\n",
        broker.port(),
        demo.model(),
    );
    for address in worker.http_addresses() {
        text.push_str(&format!(
            "  look at      http://{address}/  and there /status /metrics /queue_size_metrics\n"
        ));
    }
    for address in worker.stream_addresses() {
        text.push_str(&format!(
            "  results      nc {} {}\n",
            address.ip(),
            address.port()
        ));
    }
    text.push_str(
        "\nCtrl-C ends it. Messages of devices as they are sent, results as they come:\n\n",
    );
    text
}

/// Starts the devices of each rule, and a reader of all results.
fn surround(
    runtime: &Runtime,
    configuration: &ValidatedRuntime,
    arguments: &Arguments,
    enough: &Arc<Notify>,
) -> anyhow::Result<JoinSet<()>> {
    let mut tasks = JoinSet::new();
    // After `Demo::adapt`, all brokers are the demo's.
    let broker = Broker::open(0, &configuration.mqtts[0])?;
    let results = configuration
        .rules
        .iter()
        .map(|rule| rule.pub_topic.filter().into_owned());
    let mut options = broker.options("edgemodel-demo-reader".to_owned(), &[]);
    options.subscriptions = results.map(|topic| (topic, Qos::AtLeastOnce)).collect();
    let (wanted, enough, mut count) = (arguments.results, enough.clone(), 0_u64);
    tasks.spawn_on(
        tools::read_results(Session::new(options), move |_, payload| {
            say("result", &String::from_utf8_lossy(payload));
            count += 1;
            if wanted.is_some_and(|wanted| count >= wanted) {
                enough.notify_one();
            }
        }),
        runtime.handle(),
    );
    for (index, rule) in configuration.rules.iter().enumerate() {
        let Some(topic) = rule.sub_topics.first().and_then(|filter| topic_for(filter)) else {
            continue;
        };
        let client_id = format!("edgemodel-demo-devices-{index}");
        let publisher = Publisher {
            client: Session::new(broker.options(client_id, &[])),
            generator: Generator::new(configuration, 1, UNMATCHED_SHARE),
            topic: topic.into(),
            qos: configuration.mqtts[rule.sub_mqtt].qos,
            interval: Duration::from_secs(1) / arguments.rate,
            count: None,
        };
        tasks.spawn_on(
            async move {
                let sent = |device: &str, payload: &[u8]| {
                    say("device", &format!("{device}, {} bytes", payload.len()));
                };
                publisher.run(std::future::pending(), sent).await;
            },
            runtime.handle(),
        );
    }
    Ok(tasks)
}

/// Prints a line. The demo continues if stdout is closed.
fn say(what: &str, text: &str) {
    let _ = print(&format!("{what}  {text}\n"));
}
