//! Calls to the API server: bounded in time, and their failures sorted by what is to be done.

use std::time::Duration;

use crds::Reason;
use kube::core::DynamicObject;
use kube::{Api, Client, Config};

use crate::desired::Identity;
use crate::kind::Kind;

/// No call takes longer than a loaded API server needs for its longest (60 s would outlast a lease).
const CALL: Duration = Duration::from_secs(20);

/// A call that failed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Failure {
    /// The API server said no.
    #[error("{}", .0.message)]
    Refused(Box<kube::core::Status>),
    /// There was no answer, or none that could be read.
    #[error("the API server did not answer: {0}")]
    Unanswered(String),
    /// There was no answer in time.
    #[error("the API server did not answer within {} s", CALL.as_secs())]
    TimedOut,
    /// The call was not made: another operator leads.
    #[error("another operator leads")]
    NotLeading,
}

impl Failure {
    /// The object or its kind does not exist.
    pub fn is_not_found(&self) -> bool {
        self.code() == Some(404)
    }

    /// The right to the call is missing, or a rule of the cluster refuses it.
    pub fn is_forbidden(&self) -> bool {
        self.code() == Some(403)
    }

    /// Whether a field was to change that cannot, as the selector of a Deployment or the address of a Service: only
    /// another object can have it.
    pub fn is_immutable(&self) -> bool {
        let words = ["field is immutable", "may not change once set"];
        matches!(self, Self::Refused(status) if status.code == 422
            && words.iter().any(|words| status.message.contains(words)))
    }

    /// Whether nothing can be made in the namespace any more, since it is being deleted.
    pub fn is_namespace_terminating(&self) -> bool {
        let Self::Refused(status) = self else {
            return false;
        };
        let causes = status.details.iter().flat_map(|details| &details.causes);
        let mut reasons = causes.map(|cause| cause.reason.as_str());
        status.code == 403 && reasons.any(|reason| reason == Reason::NamespaceTerminating.as_str())
    }

    /// Whether the same call may succeed later by itself.
    pub fn is_transient(&self) -> bool {
        // 409: another writer was faster; 429 and 5xx: overload or restart.
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
    pub fn reason(&self) -> Reason {
        match self {
            Self::Refused(status) if is_unauthorized(status) => Reason::Forbidden,
            _ if self.is_transient() => Reason::ApiError,
            _ => Reason::Refused,
        }
    }

    fn code(&self) -> Option<u16> {
        match self {
            Self::Refused(status) => Some(status.code),
            Self::Unanswered(_) | Self::TimedOut | Self::NotLeading => None,
        }
    }
}

/// Gives up connections on which nothing comes for longer than `limit`: where a network swallows packets, a watch and
/// every call that waits on its connection would else hang for as long as TCP tries, a quarter of an hour. The pause
/// must be longer than that between the API server's bookmarks on a watch, one minute.
pub fn limit_silence(config: &mut Config, limit: Duration) {
    config.read_timeout = Some(limit);
    // What counts is the time since the last request.
    config.reset_reader_on_write = true;
}

/// Makes a call.
///
/// # Errors
/// It failed or took too long.
pub async fn call<T>(call: impl Future<Output = kube::Result<T>>) -> Result<T, Failure> {
    match tokio::time::timeout(CALL, call).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(kube::Error::Api(status))) => Err(Failure::Refused(status)),
        Ok(Err(error)) => Err(Failure::Unanswered(error.to_string())),
        Err(_) => Err(Failure::TimedOut),
    }
}

/// Whether it is the operator's rights that are missing. Quotas and policies forbid too (403), but the object and not
/// the caller; an authorizer's words have been the same since the beginning.
fn is_unauthorized(status: &kube::core::Status) -> bool {
    status.code == 401
        || status.code == 403
            && status.message.contains(" cannot ")
            && status.message.contains(" resource ")
}

/// The objects of a kind in the runtime's namespace.
pub fn of(client: &Client, identity: &Identity, kind: Kind) -> Api<DynamicObject> {
    Api::namespaced_with(client.clone(), &identity.namespace, &kind.resource())
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    #[track_caller]
    fn check(code: u16, message: &str, expected: Reason) {
        let mut status = Status::failure(message, "");
        status.code = code;
        assert_eq!(
            Failure::Refused(Box::new(status)).reason(),
            expected,
            "{message}"
        );
    }

    #[test]
    fn a_right_that_is_missing_is_told_from_an_object_that_is_refused() {
        let right = "services \"a\" is forbidden: User \"system:serviceaccount:a:b\" cannot patch resource \
                     \"services\" in API group \"\" in the namespace \"a\"";
        check(403, right, Reason::Forbidden);
        check(401, "Unauthorized", Reason::Forbidden);
        let quota =
            "services \"a\" is forbidden: exceeded quota: ports, requested: services.nodeports=1";
        check(403, quota, Reason::Refused);
        check(422, "Deployment.apps \"a\" is invalid", Reason::Refused);
        check(503, "etcdserver: no leader", Reason::ApiError);
    }
}
