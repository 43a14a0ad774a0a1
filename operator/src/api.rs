//! Calls to the API server: bounded in time, and their failures sorted by what is to be done.

use std::time::Duration;

use crds::status::reason;
use kube::core::DynamicObject;
use kube::{Api, Client};

use crate::desired::Identity;
use crate::kind::Kind;

/// No call takes longer than a loaded API server needs for its longest (60 s would outlast a lease).
const CALL: Duration = Duration::from_secs(20);

/// A call that failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The API server said no.
    #[error("{}", .0.message)]
    Refused(Box<kube::core::Status>),
    /// There was no answer, or none that could be read.
    #[error("the API server did not answer: {0}")]
    Unanswered(Box<kube::Error>),
    /// There was no answer in time.
    #[error("the API server did not answer within {} s", CALL.as_secs())]
    TimedOut,
    /// The call was not made: another operator leads.
    #[error("another operator leads")]
    NotLeading,
}

impl Failure {
    /// There is no such object, or no such kind.
    pub fn is_not_found(&self) -> bool {
        self.code() == Some(404)
    }

    /// Whether the same call may succeed later, without a change by anybody.
    pub fn is_transient(&self) -> bool {
        // 409: somebody else was faster; 429 and 5xx: overload or restart.
        self.code()
            .is_none_or(|code| matches!(code, 409 | 429 | 500..))
    }

    /// How long the API server asks to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        let Self::Refused(status) = self else {
            return None;
        };
        let seconds = status.details.as_ref()?.retry_after_seconds;
        (seconds > 0).then(|| Duration::from_secs(seconds.into()))
    }

    /// A reason for conditions.
    pub fn reason(&self) -> &'static str {
        match self.code() {
            Some(401 | 403) => reason::FORBIDDEN,
            _ if self.is_transient() => reason::API_ERROR,
            _ => reason::REFUSED,
        }
    }

    fn code(&self) -> Option<u16> {
        match self {
            Self::Refused(status) => Some(status.code),
            Self::Unanswered(_) | Self::TimedOut | Self::NotLeading => None,
        }
    }
}

/// Makes a call.
///
/// # Errors
/// It failed or took too long.
pub async fn call<T>(call: impl Future<Output = kube::Result<T>>) -> Result<T, Failure> {
    match tokio::time::timeout(CALL, call).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(kube::Error::Api(status))) => Err(Failure::Refused(status)),
        Ok(Err(error)) => Err(Failure::Unanswered(Box::new(error))),
        Err(_) => Err(Failure::TimedOut),
    }
}

/// The objects of a kind in the runtime's namespace.
pub fn of(client: &Client, identity: &Identity, kind: Kind) -> Api<DynamicObject> {
    Api::namespaced_with(client.clone(), &identity.namespace, &kind.resource())
}
