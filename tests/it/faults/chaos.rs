//! Everything at once.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crds::validated::Qos;
use mqtt::{Client as _, Event};
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use tests::running::{Running, get};
use tests::site::{IN, Site, message};
use tokio::sync::watch;

const ECHO: &str =
    "def handler(event, context):\n    return event['telemetry']['RC_cylinder1_1P_d_dispPeak']\n";

const MESSAGES: u64 = 20_000;

/// Scrapes whatever worker runs, and checks that nothing is ever negative.
async fn scrape(address: watch::Receiver<SocketAddr>, scrapes: Arc<AtomicU64>) {
    loop {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let current = *address.borrow();
        // Between a kill and the next start nobody answers.
        let Ok((200, text)) = get(current, "/metrics").await else {
            continue;
        };
        scrapes.fetch_add(1, Ordering::Relaxed);
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let value = line
                .rsplit(' ')
                .next()
                .and_then(|value| value.parse::<f64>().ok());
            assert!(value.is_some_and(|value| value >= 0.0), "{line}");
        }
    }
}

/// First and last of each run of numbers.
fn ranges(numbers: impl Iterator<Item = u64>) -> Vec<(u64, u64)> {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    ranges
}

/// The worker is killed ten times and the broker restarted three times at random points. Every
/// message's result comes at least once, and between restarts in order.
#[tokio::test]
async fn wk_04_killed_workers_and_restarted_brokers_cost_no_result() -> anyhow::Result<()> {
    let mut random = SmallRng::seed_from_u64(4);
    let mut site = Site::start(ECHO).await?;
    let points = |random: &mut SmallRng, count: usize| -> BTreeSet<u64> {
        (0..count)
            .map(|_| random.random_range(500..MESSAGES - 500))
            .collect()
    };
    let (kills, restarts) = (points(&mut random, 10), points(&mut random, 3));
    let (address, current) = watch::channel(site.worker.http());
    let scrapes = Arc::new(AtomicU64::new(0));
    let scraper = tokio::spawn(scrape(current, scrapes.clone()));
    let mut results: BTreeMap<u64, u32> = BTreeMap::new();
    let (mut last, mut steps_back) = (0, 0);
    let mut sent = 0;
    let mut done = 0;
    while results.len() < usize::try_from(MESSAGES)? {
        while sent < MESSAGES && site.device.session.publish_capacity() > 0 {
            site.device.publish(IN, message(sent), Qos::AtLeastOnce);
            sent += 1;
            if kills.contains(&sent) {
                site.worker.kill().await?;
                site.worker = Running::start(&site.config, &site.models.installed()).await?;
                address.send_replace(site.worker.http());
            }
            if restarts.contains(&sent) {
                site.broker.stop().await?;
                site.broker.start_again().await?;
            }
        }
        let step = tokio::select! {
            message = site.reader.take() => message.map(Some),
            event = site.device.until(Some), if done < MESSAGES => event.map(|event| {
                done += u64::from(matches!(event, Event::Published { .. }));
                None
            }),
        };
        match step {
            Ok(None) => {}
            Ok(Some(message)) => {
                let value: u64 = serde_json::from_slice(&message.payload)?;
                *results.entry(value).or_insert(0) += 1;
                steps_back += usize::from(value < last);
                last = value;
            }
            Err(error) => {
                let missing = ranges((0..sent).filter(|value| !results.contains_key(value)));
                anyhow::bail!(
                    "{error}: sent {sent}, acknowledged {done}, no results of {missing:?}; kills \
                     {kills:?}, restarts {restarts:?}"
                );
            }
        }
    }
    site.worker
        .until(|status| status["models"][0]["ledger"]["in_flight"] == 0)
        .await?;
    // All messages are of one device: their order only steps back where something was repeated, once for
    // a worker, and for a broker at most at each of the three sessions on the way.
    let most = kills.len() + 3 * restarts.len();
    assert!(
        steps_back <= most,
        "the order steps back {steps_back} times"
    );
    assert!(!scraper.is_finished(), "a scrape found something wrong");
    scraper.abort();
    assert!(scrapes.load(Ordering::Relaxed) > 0);
    let (status, _) = site.worker.stop().await?;
    assert!(status.success());
    Ok(())
}
