//! Failures as an API server words them.

use bytes::Bytes;
use http::{Response, header};
use serde_json::{Value, json};

use super::{Call, Verb};

/// A failure that is answered in place of what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// After how many seconds the client may try again, where that is said.
    pub retry_after: Option<u32>,
}

impl Answer {
    /// Somebody else has changed it in the meantime; of a creation: it is there already.
    pub const CONFLICT: Self = Self::new(409);
    /// The caller may not.
    pub const FORBIDDEN: Self = Self::new(403);
    /// A bug of the server, or of a webhook.
    pub const INTERNAL_ERROR: Self = Self::new(500);
    /// The server is starting, or its storage is away.
    pub const UNAVAILABLE: Self = Self::new(503);
    /// The server did not finish in time; perhaps it is done, perhaps not.
    pub const TIMEOUT: Self = Self::new(504);
    /// The server has too much to do, and does not say for how long.
    pub const TOO_MANY_REQUESTS: Self = Self::new(429);
    /// What the client wants to go on from is too old.
    pub const EXPIRED: Self = Self::new(410);

    const fn new(status: u16) -> Self {
        Self {
            status,
            retry_after: None,
        }
    }

    /// The same with `Retry-After`.
    #[must_use]
    pub const fn retry_after(self, seconds: u32) -> Self {
        Self {
            retry_after: Some(seconds),
            ..self
        }
    }

    /// The body: a `Status`.
    pub(super) fn body(self, call: &Call) -> Value {
        let Call { resource, name, .. } = call;
        let (kind, group) = resource.split_once('.').unwrap_or((resource, ""));
        let verb = call.verb.as_str();
        let (reason, message) = match self.status {
            403 => (
                "Forbidden",
                format!(
                    "{resource} \"{name}\" is forbidden: User \"somebody\" cannot {verb} resource \
                     \"{kind}\" in API group \"{group}\" in the namespace \"{}\"",
                    call.namespace
                ),
            ),
            409 if call.verb == Verb::Create => (
                "AlreadyExists",
                format!("{resource} \"{name}\" already exists"),
            ),
            409 => (
                "Conflict",
                format!(
                    "Operation cannot be fulfilled on {resource} \"{name}\": the object has been \
                     modified; please apply your changes to the latest version and try again"
                ),
            ),
            410 => ("Expired", "too old resource version: 1 (2)".to_owned()),
            429 => (
                "TooManyRequests",
                "too many requests, please try again later".to_owned(),
            ),
            503 => (
                "ServiceUnavailable",
                "the server is currently unable to handle the request".to_owned(),
            ),
            504 => (
                "Timeout",
                "Timeout: request did not complete within the allotted timeout".to_owned(),
            ),
            _ => (
                "InternalError",
                "Internal error occurred: etcdserver: no leader".to_owned(),
            ),
        };
        let mut details = json!({"name": name, "group": group, "kind": kind});
        if let Some(seconds) = self.retry_after {
            details["retryAfterSeconds"] = seconds.into();
        }
        json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": reason,
            "details": details,
            "code": self.status,
        })
    }

    /// The whole answer.
    pub(super) fn response(self, call: &Call) -> http::Result<Response<Bytes>> {
        let mut response = Response::builder()
            .status(self.status)
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(seconds) = self.retry_after {
            response = response.header(header::RETRY_AFTER, seconds);
        }
        response.body(Bytes::from(self.body(call).to_string()))
    }
}
