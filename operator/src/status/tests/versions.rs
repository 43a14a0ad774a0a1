//! What is served and what was, step by step.

use crds::Reason;
use crds::reason::ReasonText;
use crds::status::{Ended, ModelStatus, Version};
use k8s_openapi::jiff::Timestamp;

use crate::status::serving::Served;
use crate::status::versions::advance;

/// One reconcile: the second, the digest that the spec asks for, the model's reason, and the pods that are ready as digest,
/// second and node.
type Step<'a> = (
    i64,
    Option<&'a str>,
    Reason,
    &'a [(&'a str, i64, Option<&'a str>)],
);

/// The status after all steps.
fn after(steps: &[Step<'_>]) -> ModelStatus {
    let mut status = ModelStatus::default();
    for &(second, wanted, reason, pods) in steps {
        let at = |second| Timestamp::from_second(second).unwrap();
        let served = pods.iter().map(|&(digest, since, node)| Served {
            digest,
            since: at(since),
            node,
        });
        let served: Vec<_> = served.collect();
        let (serving, history) = advance(&status, wanted, &served, at(second));
        status = ModelStatus {
            wanted: wanted.map(str::to_owned),
            reason: ReasonText::from(reason),
            serving,
            history,
            ..status
        };
    }
    status
}

/// `digest since node; digest since-until ended reason, ...`, times in seconds.
fn told(status: &ModelStatus) -> String {
    let second = |time: &str| time.parse::<Timestamp>().unwrap().as_second().to_string();
    let serving = status.serving.as_ref().map_or("nothing".to_owned(), |one| {
        let node = one.node.as_deref().unwrap_or("no node");
        format!("{} {} {node}", one.digest, second(&one.since))
    });
    let version = |one: &Version| {
        let time = |time: &Option<String>| time.as_deref().map_or(String::new(), second);
        let ended = one
            .ended
            .map_or(String::new(), |ended| format!(" {ended:?}"));
        let reason = one.reason.as_ref();
        let reason = reason.map_or(String::new(), |reason| format!(" {reason}"));
        format!(
            "{} {}-{}{ended}{reason}",
            one.digest,
            time(&one.since),
            time(&one.until)
        )
    };
    let history: Vec<_> = status.history.iter().map(version).collect();
    format!("{serving}; {}", history.join(", "))
}

#[track_caller]
fn check(steps: &[Step<'_>], expected: &str) {
    assert_eq!(told(&after(steps)), expected);
}

const READY: Reason = Reason::Ready;
const ROLLING: Reason = Reason::RollingOut;

/// What serves alone, as wanted.
fn serves<'a>(second: i64, pod: &'a [(&'a str, i64, Option<&'a str>)]) -> Step<'a> {
    (second, Some(pod[0].0), READY, pod)
}

const A: &[(&str, i64, Option<&str>)] = &[("a", 10, Some("n1"))];
const B: &[(&str, i64, Option<&str>)] = &[("b", 20, Some("n2"))];

#[test]
fn nothing_is_said_of_what_was_not_observed() {
    check(&[(1, Some("a"), ROLLING, &[])], "nothing; ");
    check(&[serves(11, A)], "a 10 n1; ");
    check(&[serves(11, &[("a", 10, None)])], "a 10 no node; ");
}

#[test]
fn a_version_that_another_succeeds_was_replaced() {
    check(&[serves(11, A), serves(21, B)], "b 20 n2; a 10-20 Replaced");
    // Also if nothing served in between: until then, it is open who ends it.
    let gap = (15, Some("b"), ROLLING, &[][..]);
    check(&[serves(11, A), gap], "nothing; a 10-");
    check(
        &[serves(11, A), gap, gap, serves(21, B)],
        "b 20 n2; a 10-20 Replaced",
    );
}

/// A worker that restarts is not another version.
#[test]
fn an_interruption_ends_no_version() {
    let away = (15, Some("a"), ROLLING, &[][..]);
    let back = &[("a", 30, Some("n3"))];
    check(&[serves(11, A), away, serves(31, back)], "a 10 n3; ");
    check(&[serves(11, A), serves(31, back)], "a 10 n3; ");
}

#[test]
fn while_two_versions_are_ready_the_last_one_counts_until_its_workers_are_gone() {
    let both = (21, Some("b"), ROLLING, &[A[0], B[0]][..]);
    check(&[serves(11, A), both], "a 10 n1; ");
    check(
        &[serves(11, A), both, serves(22, B)],
        "b 20 n2; a 10-20 Replaced",
    );
    // An operator that starts then sees that both are there, and what the spec asks for.
    check(&[both], "b 20 n2; ");
    // And where the spec asks for neither, it is still the same at each reconcile.
    let neither = (21, Some("c"), ROLLING, &[A[0], B[0]][..]);
    check(&[neither, neither], "a 10 n1; ");
}

#[test]
fn of_several_workers_the_node_of_one_is_told_as_long_as_it_is_there() {
    let one = serves(11, &[("a", 10, Some("n2"))]);
    let two = serves(12, &[("a", 12, Some("n1")), ("a", 10, Some("n2"))]);
    check(&[one, two], "a 10 n2; ");
    check(&[two], "a 10 n1; ");
    check(
        &[one, two, serves(13, &[("a", 12, Some("n1"))])],
        "a 10 n1; ",
    );
}

#[test]
fn a_version_whose_workers_said_no_is_refused_once_the_spec_asks_for_another() {
    let said = (21, Some("b"), Reason::SampleFailed, A);
    check(&[serves(11, A), said], "a 10 n1; ");
    let back = (25, Some("a"), READY, A);
    check(
        &[serves(11, A), said, back, back],
        "a 10 n1; b -25 Refused SampleFailed",
    );
    let other = (25, Some("c"), ROLLING, A);
    check(
        &[
            serves(11, A),
            said,
            other,
            serves(31, &[("c", 30, Some("n1"))]),
        ],
        "c 30 n1; a 10-30 Replaced, b -25 Refused SampleFailed",
    );
    // Nothing had served before; and a spec that is wrong asks for nothing.
    check(
        &[
            (1, Some("b"), Reason::ImportFailed, &[]),
            (2, None, Reason::InvalidDigest, &[]),
        ],
        "nothing; b -2 Refused ImportFailed",
    );
}

/// The operator's words and the cluster's do not say that the model was tried.
#[test]
fn a_version_that_was_not_tried_has_no_entry() {
    for reason in [
        Reason::RollingOut,
        Reason::SecretNotFound,
        Reason::ImagePullBackOff,
        Reason::NodeLost,
    ] {
        check(
            &[serves(11, A), (21, Some("b"), reason, A), serves(25, A)],
            "a 10 n1; ",
        );
    }
    // One that served and then fails is no refusal, whoever comes next.
    let fails = (15, Some("a"), Reason::ChecksumMismatch, &[][..]);
    check(
        &[serves(11, A), fails, serves(21, B)],
        "b 20 n2; a 10-20 Replaced",
    );
}

#[test]
fn a_version_from_which_the_spec_went_back_was_rolled_back() {
    let back = serves(31, &[("a", 30, Some("n1"))]);
    let steps = [serves(11, A), serves(21, B), back];
    let expected = "a 30 n1; b 20-30 RolledBack, a 10-20 Replaced";
    check(&steps, expected);
    // And rolled out again, it replaces as any other.
    let again = serves(41, &[("b", 40, Some("n1"))]);
    check(
        &[&steps[..], &[again]].concat(),
        "b 40 n1; a 30-40 Replaced, b 20-30 RolledBack, a 10-20 Replaced",
    );
}

/// To return to what never served is no rollback.
#[test]
fn a_refused_version_that_serves_at_last_replaces() {
    let said = (15, Some("b"), Reason::DownloadFailed, A);
    check(
        &[serves(11, A), said, serves(16, A), serves(21, B)],
        "b 20 n2; a 10-20 Replaced, b -16 Refused DownloadFailed",
    );
}

#[test]
fn the_history_has_five_entries() {
    let names: Vec<_> = (0..9).map(|number| number.to_string()).collect();
    let pods: Vec<_> = (0..9)
        .map(|number| [(names[number].as_str(), i64::try_from(number).unwrap(), None)])
        .collect();
    let steps: Vec<_> = pods.iter().map(|pods| serves(0, pods)).collect();
    let digests = |status: &ModelStatus| {
        let history = status.history.iter();
        history.map(|one| one.digest.clone()).collect::<String>()
    };
    let status = after(&steps);
    assert_eq!(digests(&status), "76543");
    assert!(
        status
            .history
            .iter()
            .all(|one| one.ended == Some(Ended::Replaced))
    );
    // Also while nothing serves.
    let away = (9, Some("8"), ROLLING, &[][..]);
    assert_eq!(digests(&after(&[&steps[..], &[away]].concat())), "87654");
}
