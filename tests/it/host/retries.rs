//! `funcs[].retry`: calls that raised are repeated, in order.

use std::time::Duration;

use crds::validated::ValidatedRetry;
use message::{Attributes, Properties};
use tests::pool::{TestPool, text};

/// Notes every call that gets through; a number after a minus sign says how often a message raises first.
const MODEL: &str = "
import os, time
tries, done = {}, []
def handler(event, context):
    name, _, failures = str(event).partition('-')
    tries[name] = tries.get(name, 0) + 1
    if name == 'slow':
        time.sleep(0.2)
    if name == 'exit' and not os.path.exists(failures):
        open(failures, 'w').close()
        os._exit(3)
    if failures.isdigit() and tries[name] <= int(failures):
        raise ValueError('attempt %d' % tries[name])
    done.append(name)
    return [name, tries[name], len(done)]
";

const BATCH: &str = "
def handler_batch(events, contexts):
    if any('-' in str(event) for event in events):
        raise ValueError('in a batch')
    return [handler(event, context) for event, context in zip(events, contexts)]
";

async fn start(model: &str, attempts: u16, backoff: Duration) -> anyhow::Result<TestPool> {
    super::with(model, |options| {
        // Where a message names a file that tells the next process.
        options.sandbox.write = vec![std::env::temp_dir().display().to_string()];
        options.retry = Some(ValidatedRetry { attempts, backoff });
    })
    .await
}

async fn run(model: &str, messages: &[&str]) -> anyhow::Result<Vec<String>> {
    let mut pool = start(model, 3, Duration::from_millis(5)).await?;
    for message in messages {
        // Properties count in what is in flight, too.
        let properties = Properties {
            user: vec![("site".to_owned(), "hall".to_owned())],
            ..Properties::default()
        };
        let attributes = Attributes {
            properties: Some(Box::new(properties)),
            ..Attributes::default()
        };
        pool.send_with("d", format!("\"{message}\""), attributes)?;
    }
    let mut results = Vec::new();
    for _ in messages {
        results.push(text(pool.next().await?.1));
    }
    let retries = pool.metrics.render();
    assert!(
        retries.contains("edgemodel_model_retries_total{model=\"industry\"} 4"),
        "{retries}"
    );
    pool.drain().await;
    Ok(results)
}

/// While the first message is slow, the others are in the process already; what is behind a failed one must not come first.
#[tokio::test]
async fn a_call_that_raised_is_made_again_before_what_is_behind_it() -> anyhow::Result<()> {
    let batch = format!("{MODEL}{BATCH}");
    for model in [MODEL, &batch] {
        let results = run(model, &["slow", "a", "b-2", "c", "d-5", "e"]).await?;
        assert_eq!(
            results,
            [
                "[\"slow\",1,1]",
                "[\"a\",1,2]",
                "[\"b\",3,3]",
                "[\"c\",1,4]",
                "exception: ValueError: attempt 3",
                "[\"e\",1,5]",
            ]
        );
    }
    Ok(())
}

/// The process that takes over must not begin with what waited behind the failed call.
#[tokio::test]
async fn the_order_outlives_the_process() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let marker = folder.path().join("marker");
    let exit = format!("exit-{}", marker.display());
    let mut pool = start(MODEL, 3, Duration::from_millis(5)).await?;
    for message in ["slow", "b-1", "c", &exit, "d-1", "e"] {
        pool.send("d", format!("\"{message}\""))?;
    }
    let mut names = Vec::new();
    for _ in 0..6 {
        names.push(text(pool.next().await?.1));
    }
    let first: Vec<_> = names
        .iter()
        .map(|name| name.split(',').next().unwrap_or_default())
        .collect();
    assert_eq!(
        first,
        [
            "[\"slow\"",
            "[\"b\"",
            "[\"c\"",
            "[\"exit\"",
            "[\"d\"",
            "[\"e\""
        ]
    );
    assert_eq!(pool.monitor().hosts()[0].restarts, 1);
    // In the new process, from the start.
    assert_eq!(names[3..], ["[\"exit\",1,1]", "[\"d\",2,2]", "[\"e\",1,3]"]);
    Ok(())
}

#[tokio::test]
async fn devices_of_other_lanes_do_not_wait() -> anyhow::Result<()> {
    let mut pool = super::with(MODEL, |options| {
        options.hosts = 2;
        options.devices = vec!["a".to_owned(), "b".to_owned()];
        options.retry = Some(ValidatedRetry {
            attempts: 2,
            backoff: Duration::from_hours(1),
        });
    })
    .await?;
    pool.send("a", "\"x-1\"")?;
    pool.send("a", "\"y\"")?;
    for number in 1..=20 {
        let result = pool.call_from("b", "\"z\"").await?;
        assert_eq!(result, format!("[\"z\",{number},{number}]"));
    }
    Ok(())
}
