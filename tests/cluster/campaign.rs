//! The one runner of suites with many cases: plans, operations, walks, and runtimes by the hundred.
//!
//! `EDGEMODEL_LONG` chooses the cases of a suite ([`tests::long`]); `EDGEMODEL_SLICE=2/4` runs the second of four parts of
//! each.

use std::io::Write as _;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures_util::StreamExt as _;
use tests::operator::at_once;

/// More only wait for the same two processors.
const CONCURRENCY: usize = 8;

/// How often a long suite reports its progress.
const REPORT: Duration = Duration::from_secs(20);

/// Those of `cases` that belong to the part that the environment asks for.
pub(crate) fn sliced<C>(cases: Vec<C>) -> anyhow::Result<Vec<C>> {
    let (part, parts) = slice(&std::env::var("EDGEMODEL_SLICE").unwrap_or_default())?;
    Ok(cases.into_iter().skip(part).step_by(parts).collect())
}

/// Runs all cases, some at a time. Gives what each gave in the order in which they ended, or fails with all failures.
pub(crate) async fn all<'c, C, T>(
    cases: &'c [C],
    name: impl Fn(&C) -> String,
    run: impl AsyncFn(&'c C) -> anyhow::Result<T>,
) -> anyhow::Result<Vec<T>> {
    let (begun, mut reported) = (Instant::now(), Instant::now());
    let runs = cases.iter().map(async |case| {
        let result = run(case).await;
        result.map_err(|error| format!("{}: {error:#}", name(case)))
    });
    let runs = futures_util::stream::iter(runs).buffer_unordered(at_once(CONCURRENCY));
    let mut runs = std::pin::pin!(runs);
    let (mut passed, mut failures) = (Vec::new(), Vec::new());
    while let Some(result) = runs.next().await {
        match result {
            Ok(given) => passed.push(given),
            Err(failure) => {
                report(&format!("FAILED {failure}"));
                failures.push(failure);
            }
        }
        if reported.elapsed() > REPORT {
            reported = Instant::now();
            let (done, all) = (passed.len() + failures.len(), cases.len());
            report(&format!("{done} of {all} in {:.0?}", begun.elapsed()));
        }
    }
    anyhow::ensure!(
        failures.is_empty(),
        "{} of {} failed:\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n\n")
    );
    Ok(passed)
}

/// Past the test harness, which holds back what a test prints until it ends.
fn report(text: &str) {
    // A closed terminal isn't a reason to fail.
    let _ = writeln!(std::io::stderr(), "cluster: {text}");
}

/// The number of the part, from 0, and how many there are.
fn slice(text: &str) -> anyhow::Result<(usize, usize)> {
    if text.is_empty() {
        return Ok((0, 1));
    }
    let parts = text
        .split_once('/')
        .and_then(|(part, parts)| Some((part.parse::<usize>().ok()?, parts.parse::<usize>().ok()?)))
        .filter(|(part, parts)| (1..=*parts).contains(part));
    let (part, parts) = parts.with_context(|| {
        format!("EDGEMODEL_SLICE={text}: expected a part and how many there are, such as 2/4")
    })?;
    Ok((part - 1, parts))
}

#[tokio::test]
async fn all_failures_are_told_and_no_case_is_left_out() -> anyhow::Result<()> {
    let cases: Vec<_> = (0..25).collect();
    let run = async |case: &i32| {
        anyhow::ensure!(case % 10 != 3, "a three");
        Ok(*case)
    };
    let failures = all(&cases, ToString::to_string, run).await.unwrap_err();
    let failures = failures.to_string();
    assert!(failures.starts_with("3 of 25 failed:\n"), "{failures}");
    assert!(failures.contains("13: a three"), "{failures}");
    let mut passed = all(&cases[4..13], ToString::to_string, run).await?;
    passed.sort_unstable();
    assert_eq!(passed, cases[4..13]);
    Ok(())
}

#[test]
fn a_slice_is_a_part_of_several() {
    assert_eq!(slice("").ok(), Some((0, 1)));
    assert_eq!(slice("2/4").ok(), Some((1, 4)));
    for wrong in ["0/4", "5/4", "2", "a/b"] {
        let error = slice(wrong).unwrap_err().to_string();
        assert!(error.contains(wrong), "{error}");
    }
}
