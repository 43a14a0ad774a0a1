//! `handler_batch(events, contexts)`: messages that have queued up, handed over together.

use std::time::Duration;

use crds::validated::ValidatedBatch;
use hosts::StartError;
use tests::pool::text;

/// Each result says what was asked for and how many were handed over together.
const MODEL: &str = "
import os, time
def act(what):
    if what == 'slow':
        time.sleep(0.1)
    if what == 'hang':
        time.sleep(3600)
    if what == 'exit':
        os._exit(5)
    if what == 'raise':
        raise ValueError('no')
def handler(event, context):
    act(event)
    return [event, 'alone']
def handler_batch(events, contexts):
    assert len(events) == len(contexts)
    for event in events:
        act(event)
    results = [[event, len(events), context.device] for event, context in zip(events, contexts)]
    return results[1:] if 'short' in events else results
";

async fn run(messages: &[String]) -> anyhow::Result<Vec<String>> {
    run_in(None, messages).await
}

async fn run_in(batch: Option<ValidatedBatch>, messages: &[String]) -> anyhow::Result<Vec<String>> {
    let mut pool = super::with(MODEL, |options| {
        options.timeout = Duration::from_millis(400);
        options.batch = batch;
    })
    .await?;
    for message in messages {
        pool.send("d", message.clone())?;
    }
    let mut results = Vec::new();
    for _ in messages {
        results.push(text(pool.next().await?.1));
    }
    Ok(results)
}

/// While the first one is slow, the others queue up.
fn messages(special: &str) -> Vec<String> {
    let mut messages: Vec<_> = (0..40).map(|number| number.to_string()).collect();
    messages[0] = String::from("\"slow\"");
    messages[20] = String::from(special);
    messages
}

#[tokio::test]
async fn what_has_queued_up_is_handed_over_together_and_in_order() -> anyhow::Result<()> {
    let results = run(&messages("not json")).await?;
    let mut together = 0;
    for (index, result) in results.iter().enumerate() {
        if index == 20 {
            assert!(result.starts_with("invalid_json: "), "{result}");
            continue;
        }
        let (event, count, device): (serde_json::Value, usize, String) =
            serde_json::from_str(result)?;
        assert_eq!(device, "d");
        assert!(index == 0 || event == index, "{index}: {result}");
        together = together.max(count);
    }
    assert!(together > 1, "{results:?}");
    Ok(())
}

#[tokio::test]
async fn a_call_gets_at_most_max_messages() -> anyhow::Result<()> {
    let batch = ValidatedBatch { max: 7, wait: None };
    let results = run_in(Some(batch), &messages("20")).await?;
    let together: Vec<u64> = results
        .iter()
        .map(|result| {
            let result: (serde_json::Value, u64, String) = serde_json::from_str(result)?;
            Ok(result.1)
        })
        .collect::<anyhow::Result<_>>()?;
    assert_eq!(together.iter().max(), Some(&7), "{together:?}");
    assert_eq!(together.len(), 40);
    Ok(())
}

const EVER: Duration = Duration::from_hours(1);

#[tokio::test]
async fn messages_wait_for_others_until_there_are_max() -> anyhow::Result<()> {
    let batch = ValidatedBatch {
        max: 5,
        wait: Some(EVER),
    };
    let messages: Vec<_> = (0..15).map(|number| number.to_string()).collect();
    let results = run_in(Some(batch), &messages).await?;
    for (index, result) in results.iter().enumerate() {
        assert_eq!(*result, format!("[{index},5,\"d\"]"));
    }
    Ok(())
}

#[tokio::test]
async fn a_message_waits_no_longer_than_it_may() -> anyhow::Result<()> {
    let batch = ValidatedBatch {
        max: 256,
        wait: Some(Duration::from_millis(20)),
    };
    assert_eq!(
        run_in(Some(batch), &["1".to_owned()]).await?,
        ["[1,1,\"d\"]"]
    );
    Ok(())
}

#[tokio::test]
async fn what_waits_for_others_is_handed_over_when_the_worker_stops() -> anyhow::Result<()> {
    let batch = ValidatedBatch {
        max: 256,
        wait: Some(EVER),
    };
    let pool = super::with(MODEL, |options| options.batch = Some(batch)).await?;
    for message in ["1", "2"] {
        pool.send("d", message)?;
    }
    assert_eq!(pool.drain().await, ["[1,2,\"d\"]", "[2,2,\"d\"]"]);
    Ok(())
}

#[tokio::test]
async fn a_batch_is_refused_for_a_model_without_handler_batch() -> anyhow::Result<()> {
    let batch = ValidatedBatch { max: 2, wait: None };
    let model = "def handler(event, context): pass\n";
    let started = super::with(model, |options| options.batch = Some(batch)).await;
    let Err(error) = started else {
        anyhow::bail!("it was loaded");
    };
    let text = error.to_string();
    assert!(text.contains("funcs[].batch is set"), "{text}");
    assert!(
        text.contains("add handler_batch(events, contexts), or leave batch out"),
        "{text}"
    );
    Ok(())
}

#[tokio::test]
async fn a_batch_that_fails_is_handed_over_one_by_one() -> anyhow::Result<()> {
    let results = run(&messages("\"raise\"")).await?;
    assert_eq!(results[20], "exception: ValueError: no");
    let alone = results
        .iter()
        .filter(|result| result.ends_with("\"alone\"]"))
        .count();
    assert!(alone > 0, "{results:?}");
    let results = run(&messages("\"short\"")).await?;
    assert_eq!(results[20], "[\"short\",\"alone\"]");
    assert!(
        results.iter().all(|result| result.starts_with('[')),
        "{results:?}"
    );
    Ok(())
}

/// The innocent ones round a deadly message must not suffer, though they were in one call with it.
#[tokio::test]
async fn of_a_batch_that_kills_its_host_only_the_culprit_fails() -> anyhow::Result<()> {
    for (what, failure) in [("exit", "crash: "), ("hang", "timeout: ")] {
        let results = run(&messages(&format!("\"{what}\""))).await?;
        let failed: Vec<_> = results
            .iter()
            .filter(|result| !result.starts_with('['))
            .collect();
        assert_eq!(failed.len(), 1, "{failed:?}");
        assert!(failed[0].starts_with(failure), "{failed:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_handler_batch_with_other_arguments_is_refused_when_it_is_loaded() -> anyhow::Result<()> {
    let model = "def handler(event, context): pass\ndef handler_batch(events): pass\n";
    let error = super::start(model).await.err();
    let text = error
        .and_then(|error| Some(error.downcast_ref::<StartError>()?.to_string()))
        .unwrap_or_default();
    assert!(
        text.contains("handler_batch(events) does not take (events, contexts)"),
        "{text}"
    );
    Ok(())
}

/// A8: no message gets a key, a letter or another message's result; each failure counts, the first is logged.
#[tokio::test]
async fn a8_what_is_no_list_of_results_is_a_failed_batch() -> anyhow::Result<()> {
    for (results, expected) in [
        (
            "{event: 1 for event in events}",
            "TypeError: handler_batch returned a dict, not a list",
        ),
        (
            "'x' * len(events)",
            "TypeError: handler_batch returned a str, not a list",
        ),
        (
            "set(events)",
            "TypeError: handler_batch returned a set, not a list",
        ),
        (
            "b'x' * len(events)",
            "TypeError: handler_batch returned a bytes, not a list",
        ),
        (
            "None",
            "TypeError: handler_batch returned a NoneType, not a list",
        ),
        (
            "events[1:]",
            "ValueError: handler_batch returned 0 results for 1 events",
        ),
        (
            "events + [1]",
            "ValueError: handler_batch returned 2 results for 1 events",
        ),
        ("events[5]", "IndexError: list index out of range"),
    ] {
        let model = format!(
            "
def handler(event, context):
    return [event, 'alone']
def handler_batch(events, contexts):
    for event in events:
        event['seen'] = True
    return {results}
"
        );
        let model = model.replace("set(events)", "set(range(len(events)))");
        let model = model.replace(
            "{event: 1 for event in events}",
            "{index: 1 for index in range(len(events))}",
        );
        let log = tests::log::Log::new();
        let mut pool = super::start(&model).await?;
        for number in 0..3 {
            // What the failed batch has done to the event is not seen.
            let result = pool.call(&format!("{{\"n\":{number}}}")).await?;
            assert_eq!(
                result,
                format!("[{{\"n\":{number}}},\"alone\"]"),
                "{results}"
            );
        }
        let host = pool.monitor().hosts().remove(0);
        assert_eq!(host.batch_failures, 3);
        let error = host.batch_error.unwrap_or_default();
        assert!(error.starts_with(expected), "{error}");
        let counted = "edgemodel_batch_failures_total{model=\"industry\"} 3";
        assert!(pool.metrics.render().contains(counted));
        let lines = log.lines();
        let told: Vec<_> = lines
            .iter()
            .filter(|line| line.get("message").starts_with("handler_batch failed"))
            .collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!((&*told[0].level, told[0].get("error")), ("WARN", &*error));
        let raised = results == "events[5]";
        assert_eq!(
            told[0]
                .get("traceback")
                .contains("index.py\", line 7, in handler_batch"),
            raised
        );
    }
    Ok(())
}

/// A list is not the only good answer.
#[tokio::test]
async fn a8_other_sequences_and_a_generator_of_results_are_taken() -> anyhow::Result<()> {
    for results in [
        "tuple(events)",
        "(event for event in events)",
        "iter(events)",
        "collections.deque(events)",
    ] {
        let model = format!(
            "
import collections
def handler(event, context):
    return 'alone'
def handler_batch(events, contexts):
    return {results}
"
        );
        let mut pool = super::start(&model).await?;
        assert_eq!(pool.call("5").await?, "5", "{results}");
        assert_eq!(pool.monitor().hosts()[0].batch_failures, 0);
    }
    Ok(())
}
