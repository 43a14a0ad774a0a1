//! Why a zip is not downloaded, with what to do about it.

use std::io;
use std::time::Duration;

use reqwest::StatusCode;

use super::pace::SLOWEST;

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
        "failed to download {address}{}: the server answered {status}{}",
        through(.proxy.as_deref()), remedy(*.status)
    )]
    Status {
        /// What was to be downloaded.
        address: String,
        /// The proxy that was asked for it, from the environment.
        proxy: Option<String>,
        /// The answer.
        status: StatusCode,
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
    /// Whether the same may succeed later.
    pub fn is_transient(&self) -> bool {
        // A file that is not there may be uploaded yet; it is asked for now and then.
        !matches!(self, Self::TooLarge { .. } | Self::Setup(_))
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

fn remedy(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => {
            "; it asks for a user and password: write them into modelAddress, as https://USER:PASSWORD@HOST/..."
        }
        StatusCode::FORBIDDEN => {
            "; check that modelAddress may be read with the credentials or token in it, and that these have not expired"
        }
        StatusCode::NOT_FOUND | StatusCode::GONE => {
            "; check modelAddress, and that the zip is uploaded there"
        }
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            "; write the proxy's user and password into HTTP_PROXY or HTTPS_PROXY"
        }
        _ => "",
    }
}

/// A library's error with its causes, and without the address, which may hold secrets.
pub(super) fn reason(error: &reqwest::Error) -> String {
    let mut reason = String::new();
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(error) = cause {
        if !reason.is_empty() {
            reason.push_str(": ");
        }
        reason.push_str(&error.to_string());
        cause = error.source();
    }
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

    #[test]
    fn an_answer_says_what_to_do() {
        let text = |status, proxy: Option<&str>| {
            Error::Status {
                address: "http://h/m.zip".to_owned(),
                proxy: proxy.map(str::to_owned),
                status,
            }
            .to_string()
        };
        for (status, expected) in [
            (
                StatusCode::UNAUTHORIZED,
                "401 Unauthorized; it asks for a user and password",
            ),
            (
                StatusCode::FORBIDDEN,
                "403 Forbidden; check that modelAddress may be read",
            ),
            (StatusCode::NOT_FOUND, "404 Not Found; check modelAddress"),
        ] {
            let text = text(status, None);
            let start =
                format!("failed to download http://h/m.zip: the server answered {expected}");
            assert!(text.starts_with(&start), "{text}");
        }
        let proxied = text(StatusCode::BAD_GATEWAY, Some("http://proxy:3128"));
        assert!(
            proxied.contains("m.zip through the proxy http://proxy:3128 ("),
            "{proxied}"
        );
    }
}
