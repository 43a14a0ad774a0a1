//! A namespace whose runtimes may not be listed, as after it was deleted and its Role with it: its watches end, and one
//! request now and then finds out whether they may begin again.

use std::iter::successors;
use std::time::Duration;

use kube::Api;
use kube::api::ListParams;
use tokio::sync::Notify;

use super::Runtime;
use super::retry::jittered;
use crate::api;

/// Pause before the first request; it doubles from there.
const FIRST: Duration = Duration::from_secs(1);

/// Longest pause: a namespace that is created again is served within this, and until then costs two requests a minute.
const LONGEST: Duration = Duration::from_secs(30);

/// Resolves when the runtimes may not be listed; `refusals` says that the watch of any kind was refused.
pub(super) async fn confirmed(runtimes: &Api<Runtime>, refusals: &Notify) {
    loop {
        refusals.notified().await;
        if is_forbidden(runtimes).await {
            return;
        }
        // The right to another kind is missing: what can be served is.
        tokio::time::sleep(LONGEST).await;
    }
}

/// Resolves when the runtimes may be listed, or when the API server gives another answer, which their watch handles.
pub(super) async fn over(runtimes: &Api<Runtime>) {
    for pause in pauses() {
        tokio::time::sleep(jittered(pause)).await;
        if !is_forbidden(runtimes).await {
            return;
        }
    }
}

fn pauses() -> impl Iterator<Item = Duration> {
    successors(Some(FIRST), |pause| Some((*pause * 2).min(LONGEST)))
}

async fn is_forbidden(runtimes: &Api<Runtime>) -> bool {
    let one = ListParams::default().limit(1);
    let listed = api::call(runtimes.list_metadata(&one)).await;
    listed.is_err_and(|failure| failure.is_forbidden())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_never_end() {
        let seconds: Vec<_> = pauses().take(7).map(|pause| pause.as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 30, 30]);
    }
}
