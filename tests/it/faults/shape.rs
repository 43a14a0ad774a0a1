//! From one worker to several on shared subscriptions and back, while messages flow: each message's result
//! comes, and nothing stays at the broker that nobody comes back to.

use crds::validated::Qos;
use tests::client::{TestClient, options};
use tests::running::Running;

use super::plant::{Plant, message};

/// Stops workers, each while the broker has messages for it.
async fn stop_busy(workers: Vec<Running>) -> anyhow::Result<()> {
    for worker in workers {
        worker
            .until(|status| status["models"][0]["queues"]["pre"]["depth"] == 5)
            .await?;
        stop(vec![worker]).await?;
    }
    Ok(())
}

async fn stop(workers: Vec<Running>) -> anyhow::Result<()> {
    for worker in workers {
        let (status, log) = worker.stop().await?;
        assert!(status.success(), "{log:#?}");
        assert!(
            log.iter()
                .any(|line| line["message"] == "Shutdown complete"),
            "{log:#?}"
        );
    }
    Ok(())
}

const ENDED: &str = "Session of the previous worker drained and deleted";

/// How many messages a worker found in the session of the one before, once that is forgotten.
fn inherited(log: &[serde_json::Value]) -> Option<u64> {
    let line = log.iter().find(|line| line["message"] == ENDED)?;
    line["messages"].as_u64()
}

const VERSIONS: [&str; 2] = ["3.1.1", "5"];

/// Its name does not come again, so what the broker has for it must be taken before it goes.
#[expect(
    clippy::print_stdout,
    reason = "what was repeated, for who measures it"
)]
#[tokio::test]
async fn a_named_replica_that_is_asked_to_end_leaves_no_message_behind() -> anyhow::Result<()> {
    for version in VERSIONS {
        let mut plant = Plant::start(version).await?;
        let mut workers = plant.several(&["a", "b"]).await?;
        let load = plant.load();
        for name in ["c", "d"] {
            workers.extend(plant.several(&[name]).await?);
            stop_busy(vec![workers.remove(0)]).await?;
        }
        let count = load.end().await?;
        let repeated = plant.results(count).await?;
        println!(
            "MQTT {version}: {count} messages, two of three replicas replaced, {repeated} repeated"
        );
        stop(workers).await?;
    }
    Ok(())
}

#[expect(
    clippy::print_stdout,
    reason = "what was repeated, for who measures it"
)]
#[tokio::test]
async fn from_one_worker_to_three_and_back_no_message_is_lost() -> anyhow::Result<()> {
    for version in VERSIONS {
        let mut plant = Plant::start(version).await?;
        let one = plant.one().await?;
        let load = plant.load();
        let busy = |status: &serde_json::Value| {
            status["models"][0]["ledger"]["published"].as_u64() > Some(100)
        };
        one.until(busy).await?;
        let three = plant.several(&["a", "b", "c"]).await?;
        stop(vec![one]).await?;
        three[2].until(busy).await?;
        let one = plant.one().await?;
        stop_busy(three).await?;
        one.until(busy).await?;
        let count = load.end().await?;
        let repeated = plant.results(count).await?;
        println!("MQTT {version}: {count} messages over 1, 3 and 1 workers, {repeated} repeated");
        stop(vec![one]).await?;
    }
    Ok(())
}

/// A worker that is thrown out comes back at once, and would leave its session behind when it goes: with a single replica
/// no other starts later that would find it.
#[tokio::test]
async fn a_replica_looks_after_the_session_of_the_single_worker_until_that_is_gone()
-> anyhow::Result<()> {
    for version in VERSIONS {
        let plant = Plant::start(version).await?;
        let one = plant.one().await?;
        let replica = plant.several(&["a"]).await?;
        let ended = |count| {
            let found = || {
                let log = replica[0].log();
                log.iter().filter(|line| line["message"] == ENDED).count()
            };
            tests::eventually(async move || Ok(Some(found()).filter(|found| *found > count)))
        };
        let before = ended(0).await?;
        let back = |status: &serde_json::Value| {
            let sessions = status["models"][0]["sessions"].as_array();
            sessions.is_some_and(|all| all.iter().all(|session| session["ready"] == true))
        };
        one.until(back).await?;
        stop(vec![one]).await?;
        ended(before).await?;
        assert!(!plant.is_kept().await?, "{version}");
        stop(replica).await?;
    }
    Ok(())
}

/// No client would fetch what waits there, and the broker would keep queueing.
#[tokio::test]
async fn what_waits_for_the_single_worker_is_served_by_those_that_replace_it() -> anyhow::Result<()>
{
    for version in VERSIONS {
        let mut plant = Plant::start(version).await?;
        stop(vec![plant.one().await?]).await?;
        let mut device = TestClient::connected(options(plant.broker.address(), "d", &[])).await?;
        for number in 0..500 {
            device.send("in", message(number), Qos::AtLeastOnce).await?;
        }
        let mut workers = plant.several(&["a"]).await?;
        // A power cut in the middle of it.
        let busy = |status: &serde_json::Value| {
            status["models"][0]["ledger"]["published"].as_u64() > Some(50)
        };
        workers[0].until(busy).await?;
        workers[0].kill().await?;
        workers = plant.several(&["b", "c"]).await?;
        plant.results(500).await?;
        tests::eventually(async || {
            let found = workers
                .iter()
                .filter_map(|worker| inherited(&worker.log()))
                .sum::<u64>();
            Ok((found > 0).then_some(()))
        })
        .await?;
        assert!(!plant.is_kept().await?, "{version}");
        stop(workers).await?;
    }
    Ok(())
}
