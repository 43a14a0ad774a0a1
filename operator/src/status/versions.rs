//! The versions of a model: which one is served, and what became of those before. The status before is the only memory, so
//! what happens while no operator runs is told as far as it can be seen afterwards.

use crds::reason::{Origin, ReasonText};
use crds::status::{Ended, MAX_HISTORY, ModelStatus, Serving, Version};
use k8s_openapi::jiff::Timestamp;

use super::serving::Served;

/// What is served now, and the history.
///
/// `before` is the model's status until now, `wanted` the digest that the spec asks for.
pub(super) fn advance(
    before: &ModelStatus,
    wanted: Option<&str>,
    served: &[Served<'_>],
    now: Timestamp,
) -> (Option<Serving>, Vec<Version>) {
    let mut history = before.history.clone();
    let last = last(before, &mut history);
    if let Some(refused) = refused(before, wanted, last.as_ref(), now) {
        history.insert(0, refused);
    }
    let known = last.as_ref().map(|last| last.digest.as_str());
    let serving = serving(before, wanted, known, served);
    match (&serving, last) {
        (Some(serving), Some(last)) if serving.digest == last.digest => {}
        (Some(serving), Some(last)) => {
            let ended = replaced_by(&serving.digest, &history);
            let until = serving.since.clone();
            history.insert(0, end(last, ended, until));
        }
        // Until another version serves, it is open who ended this one.
        (None, Some(last)) => history.insert(0, last),
        (_, None) => {}
    }
    history.truncate(MAX_HISTORY);
    (serving, history)
}

/// The version that was served last; if nothing serves now, it is the open entry of the history, and is taken out of it.
fn last(before: &ModelStatus, history: &mut Vec<Version>) -> Option<Version> {
    let open = history.first().is_some_and(|one| one.ended.is_none());
    let open = open.then(|| history.remove(0));
    let serving = before.serving.as_ref().map(|serving| Version {
        digest: serving.digest.clone(),
        since: Some(serving.since.clone()),
        ..Version::default()
    });
    serving.or(open)
}

/// The version that the spec asked for until now, if it never served and its workers said why.
fn refused(
    before: &ModelStatus,
    wanted: Option<&str>,
    last: Option<&Version>,
    now: Timestamp,
) -> Option<Version> {
    let digest = before.wanted.as_deref()?;
    let by_worker = matches!(&before.reason, ReasonText::Known(reason) if reason.facts().origin == Origin::Worker);
    let served = last.is_some_and(|last| last.digest == digest);
    (by_worker && !served && wanted != Some(digest)).then(|| Version {
        digest: digest.to_owned(),
        since: None,
        until: Some(now.to_string()),
        ended: Some(Ended::Refused),
        reason: Some(before.reason.clone()),
    })
}

/// While workers of two versions are ready, the last one counts until none of its workers is left.
fn serving(
    before: &ModelStatus,
    wanted: Option<&str>,
    last: Option<&str>,
    served: &[Served<'_>],
) -> Option<Serving> {
    let is_served = |digest: &&str| served.iter().any(|one| one.digest == *digest);
    let known = last.filter(is_served).or(wanted.filter(is_served));
    let digest = known.or_else(|| served.first().map(|one| one.digest))?;
    let of_digest = || served.iter().filter(|one| one.digest == digest);
    let since = if last == Some(digest) {
        since_before(before)
    } else {
        None
    };
    let node_before = before.serving.as_ref().and_then(|one| one.node.as_deref());
    let stays = of_digest().find(|one| one.node.is_some() && one.node == node_before);
    let node = stays.or_else(|| of_digest().next())?.node;
    let first = of_digest().map(|one| one.since).min()?;
    Some(Serving {
        digest: digest.to_owned(),
        since: since.unwrap_or_else(|| first.to_string()),
        node: node.map(str::to_owned),
    })
}

/// Since when the last version has been served, interruptions included.
fn since_before(before: &ModelStatus) -> Option<String> {
    let serving = before.serving.as_ref().map(|one| one.since.clone());
    serving.or_else(|| before.history.first()?.since.clone())
}

/// How a version ended whose place `digest` takes: a version that was replaced once and is back is a rollback; if it was
/// rolled back itself, it is rolled out again.
fn replaced_by(digest: &str, history: &[Version]) -> Ended {
    let mut served = history.iter().filter(|one| one.since.is_some());
    match served.find(|one| one.digest == digest) {
        Some(one) if one.ended == Some(Ended::Replaced) => Ended::RolledBack,
        _ => Ended::Replaced,
    }
}

fn end(version: Version, ended: Ended, until: String) -> Version {
    Version {
        until: Some(until),
        ended: Some(ended),
        ..version
    }
}
