//! Many runtimes at once: that all become ready (CC-13, EN-13), and what the operator takes for it.
//!
//! What it takes is measured only on request: `EDGEMODEL_SCALE=500 cargo test --test cluster what_many --
//! --nocapture` takes that many runtimes. `EDGEMODEL_OPERATOR=FILE` measures another program than the one beside the test,
//! such as a release build.

mod audit;

use std::time::Duration;

use anyhow::Context as _;
use kube::Api;
use kube::api::{ListParams, Patch, PatchParams};
use kube::core::DynamicObject;
use tests::control_plane::{ControlPlane, Kubelet, Options};
use tests::faults::Plan;
use tests::operator::cluster;
use tokio::time::Instant;

use crate::campaign;
use crate::operator::{Site, ready, runtime};
use crate::plans::state;
use crate::process::{Process, Start, Usage};
use audit::Audit;

/// Longer than any machine should need.
const LIMIT: Duration = Duration::from_mins(20);

/// The operator reconciles each runtime at least this often when nothing happens.
const IDLE: Duration = Duration::from_mins(3);

const FIRST_PORT: u16 = 30_001;

const DEPLOY: &str = include_str!("../../deploy/install.yaml");
const ACCOUNT: [&str; 2] = ["edgemodel-system", "edgemodel-operator"];

/// Runtimes `plant-0`, `plant-1` and so on of a namespace.
struct Many {
    runtimes: Api<DynamicObject>,
    count: u16,
}

impl Many {
    /// Applies all of them with these models, each with a port of its own if there is a first one.
    async fn apply(&self, models: &[&str], first_port: Option<u16>) -> anyhow::Result<()> {
        let name = |number: &u16| format!("plant-{number}");
        let apply = async |number: &u16| {
            let port = first_port.map(|first| ("monitor", 8080, first + number));
            let body = runtime(&name(number), models, port.as_slice());
            let parameters = PatchParams::apply("user").force();
            let patch = Patch::Apply(&body);
            self.runtimes
                .patch(&name(number), &parameters, &patch)
                .await?;
            Ok(())
        };
        let numbers: Vec<_> = (0..self.count).collect();
        campaign::all(&numbers, name, apply).await?;
        Ok(())
    }

    /// Waits until all of them serve their spec of this generation.
    async fn until_ready(&self, generation: i64) -> anyhow::Result<()> {
        tests::within(LIMIT, async || {
            let all = self.runtimes.list(&ListParams::default()).await?;
            let done = all.items.iter().filter(|one| {
                let status = &one.data["status"];
                status["observedGeneration"] == generation && ready(status)
            });
            let (done, count) = (done.count(), usize::from(self.count));
            anyhow::ensure!(done == count, "{done} of {count} are ready");
            Ok(Some(()))
        })
        .await
    }
}

/// CC-13, with 200 runtimes under `EDGEMODEL_LONG=plans`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_runtimes_at_once_all_get_there_and_so_do_their_changes() -> anyhow::Result<()> {
    let all = tests::long::long("plans").is_some_and(|part| part.is_empty());
    // To reconcile all of them every 2 s would be all that the operator gets to.
    let site = Site::quiet(cluster().await?, "cc13", &Plan::new()).await?;
    let many = Many {
        runtimes: site.objects("edgemodelruntimes")?,
        count: if all { 200 } else { 30 },
    };
    for (generation, models) in [(1, &["alpha"][..]), (2, &["alpha", "beta"])] {
        many.apply(models, None).await?;
        many.until_ready(generation).await?;
    }
    let deployments = site.objects("deployments")?;
    let deployments = deployments.list(&ListParams::default()).await?;
    assert_eq!(deployments.items.len(), 2 * usize::from(many.count));
    Ok(())
}

/// EN-13: 64 MiB of data, of which a program has more than it uses.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_of_64_mib_serves_many_runtimes() -> anyhow::Result<()> {
    let control_plane = cluster().await?;
    let namespace = control_plane.namespace("en13").await?;
    let client = control_plane.client()?;
    let _kubelet = Kubelet::start(client.clone(), Some(&namespace));
    let kubeconfig = control_plane.kubeconfig();
    let mut start = Start::alone(&kubeconfig);
    start.arguments.push(format!("--namespace={namespace}"));
    start.memory = Some(64 << 20);
    let mut operator = Process::start(start).await?;
    let many = Many {
        runtimes: state::api(&client, &namespace, "edgemodelruntimes"),
        count: 20,
    };
    many.apply(&["alpha", "beta"], None).await?;
    tokio::select! {
        ready = many.until_ready(1) => ready,
        status = operator.until_ended() => anyhow::bail!("it ended with {}: {}", status?, operator.log()),
    }
}

#[expect(clippy::print_stdout, reason = "what is measured is for people")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_many_runtimes_take() -> anyhow::Result<()> {
    let Ok(count) = std::env::var("EDGEMODEL_SCALE") else {
        println!("not run: set EDGEMODEL_SCALE=500 to measure the operator on 500 runtimes");
        return Ok(());
    };
    let count = count
        .parse()
        .context("EDGEMODEL_SCALE: expected a number of runtimes")?;
    let audit = Audit::new(ACCOUNT)?;
    let control_plane = ControlPlane::start(Options {
        apiserver_flags: audit.flags(),
        ..tests::operator::options()
    })
    .await?;
    let apply = ["apply", "-f", "-"];
    control_plane.kubectl_with_input(&apply, DEPLOY).await?;
    let client = control_plane.client()?;
    let _kubelet = Kubelet::start(client.clone(), None);
    let [namespace, name] = ACCOUNT;
    let token = control_plane.service_account_token(namespace, name).await?;
    let kubeconfig = control_plane.kubeconfig_with_token(name, &token)?;
    let operator = Process::start(Start {
        // As it is installed.
        arguments: vec![format!("--lease-namespace={namespace}")],
        ..Start::alone(&kubeconfig)
    })
    .await?;
    operator.until_leading().await?;
    println!("without runtimes: {}", operator.memory()?);

    let namespace = control_plane.namespace("scale").await?;
    let runtimes = state::api(&client, &namespace, "edgemodelruntimes");
    let many = Many { runtimes, count };
    let usage = Usage::of(&control_plane, &operator)?;
    let begun = Instant::now();
    many.apply(&["alpha", "beta", "gamma"], Some(FIRST_PORT))
        .await?;
    println!("{count} runtimes created in {:.1?}", begun.elapsed());
    many.until_ready(1).await?;
    println!(
        "all ready with three models each after {:.1?}",
        begun.elapsed()
    );
    let report = async |usage: Usage, calls: usize| {
        let now = Usage::of(&control_plane, &operator)?;
        println!("CPU seconds: {}", now.since(&usage));
        println!("operator: {}", operator.memory()?);
        println!("its calls:\n{}", audit.calls(calls)?);
        anyhow::Ok(())
    };
    report(usage, 0).await?;
    println!("{}", operator.metrics().await?);

    // What is still in progress, such as events, ends.
    tokio::time::sleep(Duration::from_secs(20)).await;
    let (usage, calls) = (Usage::of(&control_plane, &operator)?, audit.len()?);
    tokio::time::sleep(IDLE).await;
    println!("in {IDLE:?} in which nothing happened:");
    report(usage, calls).await?;
    many.until_ready(1).await
}
