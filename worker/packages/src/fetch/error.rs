//! Why a zip is not downloaded, with what to do about it.

use std::io;
use std::time::Duration;

use crds::Reason;
use reqwest::StatusCode;

use super::client::Sent;
use super::pace::SLOWEST;
use super::remedy;
use crate::s3::Refusal;

/// Why a zip was not downloaded. Addresses are without credentials and query.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection, or it broke.
    #[error("failed to download {address}{}: {reason}", through(.proxy.as_deref()))]
    Unreachable {
        /// What was to be downloaded.
        address: String,
        /// The proxy that was asked for it, from the environment.
        proxy: Option<String>,
        /// The library's message.
        reason: String,
    },
    /// The server says no.
    #[error(
        "failed to download {address}{}: the server answered {status}{}{}",
        through(.proxy.as_deref()),
        .store.as_ref().map_or_else(String::new, Refusal::to_string),
        remedy::of_answer(*.status, .store.as_ref(), *.sent)
    )]
    Status {
        /// What was to be downloaded.
        address: String,
        /// The proxy that was asked for it, from the environment.
        proxy: Option<String>,
        /// The answer.
        status: StatusCode,
        /// What an S3 store says besides.
        store: Option<Refusal>,
        /// Whether it was told the credentials.
        sent: Sent,
    },
    /// It leads to where a model must not come from.
    #[error("{address} redirects to {target}, {fault}; write the final address into modelAddress")]
    Redirect {
        /// What was to be downloaded.
        address: String,
        /// Where it leads.
        target: String,
        /// Why it is not followed.
        fault: &'static str,
    },
    /// It is encoded as we cannot read.
    #[error(
        "{address} is sent with the Content-Encoding {encoding:?}, which is not supported; serve the zip as it is"
    )]
    Encoding {
        /// What was to be downloaded.
        address: String,
        /// The header.
        encoding: String,
    },
    /// What comes isn't a zip.
    #[error("{address} is {what}, not a zip; check modelAddress")]
    NotAZip {
        /// What was to be downloaded.
        address: String,
        /// What it looks like.
        what: &'static str,
    },
    /// It is larger than allowed.
    #[error("{address} has more than {limit} bytes, {bound}")]
    TooLarge {
        /// What was to be downloaded.
        address: String,
        /// The limit.
        limit: u64,
        /// What the limit comes from.
        bound: &'static str,
    },
    /// It comes too slowly.
    #[error(
        "{address} comes with less than {SLOWEST} bytes a second; check the server and the way to it"
    )]
    TooSlow {
        /// What was to be downloaded.
        address: String,
    },
    /// It takes too long.
    #[error("{address} was not downloaded within {limit:?}; check the server and the way to it")]
    TooLong {
        /// What was to be downloaded.
        address: String,
        /// The limit.
        limit: Duration,
    },
    /// The disk.
    #[error("failed to write the download: {0}")]
    Write(io::Error),
    /// The TLS library.
    #[error("failed to set up the download: {0}")]
    Setup(String),
}

impl Error {
    /// Why, in one word.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Status { status, store, .. } => {
                let of_store = store.as_ref().and_then(Refusal::reason);
                of_store.unwrap_or(match *status {
                    StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Reason::AccessDenied,
                    StatusCode::NOT_FOUND | StatusCode::GONE => Reason::ModelNotFound,
                    _ => Reason::DownloadFailed,
                })
            }
            _ => Reason::DownloadFailed,
        }
    }

    /// Whether the same may succeed later.
    pub fn is_transient(&self) -> bool {
        let is_final = matches!(self, Self::TooLarge { .. } | Self::Setup(_));
        !is_final && !self.reason().is_permanent()
    }

    /// Whether it is worth another try at once.
    pub(super) fn is_momentary(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Status { status, .. } => {
                status.is_server_error()
                    || *status == StatusCode::REQUEST_TIMEOUT
                    || *status == StatusCode::TOO_MANY_REQUESTS
            }
            _ => false,
        }
    }
}

fn through(proxy: Option<&str>) -> String {
    proxy.map_or_else(String::new, |proxy| {
        format!(" through the proxy {proxy} (HTTP_PROXY, HTTPS_PROXY and NO_PROXY choose it)")
    })
}

/// A library's error with its causes, and without the address, which may hold secrets.
pub(super) fn reason(error: &reqwest::Error) -> String {
    let mut reason = String::new();
    let mut remedy = "";
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(error) = cause {
        if !reason.is_empty() {
            reason.push_str(": ");
        }
        reason.push_str(&error.to_string());
        remedy = remedy::of_certificate(error).unwrap_or(remedy);
        cause = error.source();
    }
    reason.push_str(remedy);
    if reason.is_empty() {
        reason.push_str(if error.is_timeout() {
            "no answer in time"
        } else {
            "the connection broke"
        });
    }
    reason
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn said(status: StatusCode, sent: Sent, proxy: Option<&str>) -> String {
        let error = Error::Status {
            address: "http://h/m.zip".to_owned(),
            proxy: proxy.map(str::to_owned),
            status,
            store: None,
            sent,
        };
        error.to_string()
    }

    #[test]
    fn e1_an_answer_says_what_to_do() {
        const UNAUTHORIZED: StatusCode = StatusCode::UNAUTHORIZED;
        const FORBIDDEN: StatusCode = StatusCode::FORBIDDEN;
        const NOT_FOUND: StatusCode = StatusCode::NOT_FOUND;
        for (status, sent, expected) in [
            (
                UNAUTHORIZED,
                Sent::None,
                "401 Unauthorized; it asks for credentials: give",
            ),
            (
                UNAUTHORIZED,
                Sent::Told,
                "401 Unauthorized; it does not take the credentials: check",
            ),
            (
                UNAUTHORIZED,
                Sent::Withheld,
                "401 Unauthorized; it is not the server of modelAddress",
            ),
            (
                FORBIDDEN,
                Sent::None,
                "403 Forbidden; check that modelAddress may be read without",
            ),
            (
                FORBIDDEN,
                Sent::Told,
                "403 Forbidden; check that the user or token",
            ),
            (
                FORBIDDEN,
                Sent::Withheld,
                "403 Forbidden; it is not the server of modelAddress",
            ),
            (
                NOT_FOUND,
                Sent::None,
                "404 Not Found; check modelAddress, that the zip is uploaded there, and that it",
            ),
            (
                NOT_FOUND,
                Sent::Told,
                "404 Not Found; check modelAddress, that the zip is uploaded there, and that the",
            ),
            (StatusCode::BAD_GATEWAY, Sent::Told, "502 Bad Gateway"),
        ] {
            let text = said(status, sent, None);
            let start =
                format!("failed to download http://h/m.zip: the server answered {expected}");
            assert!(text.starts_with(&start), "{text}");
        }
        let proxied = said(
            StatusCode::BAD_GATEWAY,
            Sent::None,
            Some("http://proxy:3128"),
        );
        assert!(
            proxied.contains("m.zip through the proxy http://proxy:3128 ("),
            "{proxied}"
        );
    }

    /// An outage passes by itself, and a missing right does not.
    #[test]
    fn e1_a_refusal_is_not_retried_like_an_outage() {
        for (status, reason) in [
            (StatusCode::UNAUTHORIZED, Reason::AccessDenied),
            (StatusCode::FORBIDDEN, Reason::AccessDenied),
            (StatusCode::NOT_FOUND, Reason::ModelNotFound),
            (StatusCode::GONE, Reason::ModelNotFound),
            (StatusCode::BAD_GATEWAY, Reason::DownloadFailed),
            (StatusCode::TOO_MANY_REQUESTS, Reason::DownloadFailed),
            (
                StatusCode::PROXY_AUTHENTICATION_REQUIRED,
                Reason::DownloadFailed,
            ),
        ] {
            let error = Error::Status {
                address: String::new(),
                proxy: None,
                status,
                store: None,
                sent: Sent::Told,
            };
            let transient = reason == Reason::DownloadFailed;
            assert_eq!(
                (error.reason(), error.is_transient()),
                (reason, transient),
                "{status}"
            );
        }
    }
}
