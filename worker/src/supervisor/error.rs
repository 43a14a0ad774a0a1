//! Why a model does not serve, and when it is tried again.

use std::time::Duration;

use crds::Reason;
use crds::validated::Refusal;
use hosts::{StartError, samples};
use rand::RngExt as _;

/// The pause where only someone's change helps: 401, 403 and 404 also come from a server that is being set up.
const LONG_RETRY: Duration = Duration::from_hours(1);

/// Why a model does not serve.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Refused(Refusal),
    #[error(transparent)]
    Install(packages::Error),
    #[error(transparent)]
    Start(StartError),
    #[error(transparent)]
    Samples(samples::Refusal),
}

impl Error {
    pub(super) fn reason(&self) -> Reason {
        match self {
            Self::Refused(refusal) => refusal.reason,
            Self::Install(error) => error.reason(),
            Self::Start(error) => error.reason(),
            Self::Samples(refusal) => refusal.reason(),
        }
    }

    fn is_transient(&self) -> bool {
        match self {
            Self::Refused(_) => false,
            Self::Install(error) => error.is_transient(),
            Self::Start(error) => error.is_transient(),
            Self::Samples(refusal) => refusal.is_transient(),
        }
    }

    /// The pause before another attempt, where there is one. `retry` is that of an outage.
    pub(super) fn pause(&self, retry: Duration) -> Option<Duration> {
        if self.is_transient() {
            return Some(retry.mul_f64(rand::rng().random_range(0.5..=1.0)));
        }
        matches!(self, Self::Install(error) if error.is_of_credentials()).then_some(LONG_RETRY)
    }
}
