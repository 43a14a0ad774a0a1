//! A namespace whose runtimes may not be listed, as after it was deleted and its Role with it.

use std::time::Duration;

use kube::Client;
use operator::run::Settings;
use tests::control_plane::Kubelet;
use tests::eventually;
use tests::faults::{Answer, Plan, Verb};
use tests::operator::{Operator, cluster, settings};

use super::{DEPLOYMENTS, RUNTIMES, Site, ready, runtime};

/// What an operator of one namespace watches there.
const KINDS: [&str; 6] = [
    RUNTIMES,
    DEPLOYMENTS,
    "services",
    "configmaps",
    "pods",
    "horizontalpodautoscalers.autoscaling",
];

/// Each of its watches was begun several times a second, forever.
#[tokio::test]
async fn it_is_asked_for_now_and_then_and_served_once_it_may_be() -> anyhow::Result<()> {
    let control_plane = cluster().await?;
    let namespace = control_plane.namespace("forbidden").await?;
    let plan = Plan::new();
    refuse(&plan);
    let client: Client = tests::operator::client(control_plane, &plan).await?;
    // Its lists for other purposes would be counted.
    let watched = Settings {
        resync: Duration::from_mins(30),
        ..settings(&namespace)
    };
    let site = Site {
        control_plane,
        kubelet: Kubelet::start(control_plane.client()?, Some(&namespace)),
        operator: Operator::alone(client, watched),
        namespace,
    };
    site.put(&runtime("plant", &["alpha"], &[])).await?;
    left_alone(&plan).await?;
    accept(&plan);
    site.until("plant", ready).await?;

    // Lost while it is served.
    refuse(&plan);
    for kind in KINDS {
        plan.expire(kind);
    }
    left_alone(&plan).await?;
    site.put(&runtime("plant", &["alpha", "beta"], &[])).await?;
    accept(&plan);
    site.until("plant", ready).await?;
    Ok(())
}

fn refuse(plan: &Plan) {
    for (kind, verb) in KINDS
        .iter()
        .flat_map(|kind| [(kind, Verb::List), (kind, Verb::Watch)])
    {
        plan.refuse(verb, kind, Answer::FORBIDDEN);
    }
}

fn accept(plan: &Plan) {
    for (kind, verb) in KINDS
        .iter()
        .flat_map(|kind| [(kind, Verb::List), (kind, Verb::Watch)])
    {
        plan.accept(verb, kind);
    }
}

/// Waits until only the runtimes are asked for, and sees that it stays so.
async fn left_alone(plan: &Plan) -> anyhow::Result<()> {
    let others = || {
        KINDS[1..]
            .iter()
            .map(|kind| plan.count(Verb::List, kind))
            .sum::<usize>()
    };
    let asked = async |more: usize| {
        let before = plan.count(Verb::List, RUNTIMES);
        eventually(async || {
            let now = plan.count(Verb::List, RUNTIMES);
            Ok((now >= before + more).then_some(()))
        })
        .await
    };
    // The list that is refused, the question whether it is the runtimes', and a first one whether they may be listed again.
    asked(3).await?;
    let before = others();
    asked(2).await?;
    anyhow::ensure!(others() == before, "{} requests more", others() - before);
    Ok(())
}
