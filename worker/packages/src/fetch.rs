//! Downloads a zip: bounded, resumed where it broke off, and hashed as it comes.

use std::fs::File;
use std::io::{self, IsTerminal as _, Seek as _, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crds::validated::{Md5, Sha256};
use futures_util::StreamExt as _;
use indicatif::{ProgressBar, ProgressStyle};
use md5::Digest as _;
use reqwest::header::{CONTENT_RANGE, ETAG, HeaderValue, IF_RANGE, RANGE};
use reqwest::{Client, ClientBuilder, Response, StatusCode, redirect};
use url::Url;

/// Tries in one download; what came already is not asked for again if the server can.
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(500);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const READ_TIMEOUT: Duration = Duration::from_secs(30);
const MAX_REDIRECTS: usize = 5;

/// A server that sends less than this on average, once it had some time, is as good as none.
const SLOWEST: u64 = 1024;
const GRACE: Duration = Duration::from_mins(1);

/// How a zip begins: with an entry, or empty.
const ZIP_STARTS: [&[u8; 4]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];

/// Why a zip was not downloaded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection, or it broke.
    #[error("failed to download {address}: {reason}")]
    Unreachable {
        /// The address without credentials and query.
        address: String,
        /// The library's message.
        reason: String,
    },
    /// The server says no.
    #[error("failed to download {address}: the server answered {status}")]
    Status {
        /// The address without credentials and query.
        address: String,
        /// Its answer.
        status: StatusCode,
    },
    /// What comes is no zip.
    #[error("{address} is {what}, not a zip; check modelAddress")]
    NotAZip {
        /// The address without credentials and query.
        address: String,
        /// What it looks like.
        what: &'static str,
    },
    /// It is larger than allowed.
    #[error("{address} has more than {limit} bytes")]
    TooLarge {
        /// The address without credentials and query.
        address: String,
        /// The limit.
        limit: u64,
    },
    /// It comes too slowly.
    #[error("{address} comes with less than {SLOWEST} bytes a second")]
    TooSlow {
        /// The address without credentials and query.
        address: String,
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
    fn is_momentary(&self) -> bool {
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

/// A zip that was downloaded.
#[derive(Debug)]
pub(crate) struct Fetched {
    /// Its digest.
    pub(crate) md5: Md5,
    /// Its digest.
    pub(crate) sha256: Sha256,
    /// Its size in bytes.
    pub(crate) size: u64,
}

/// An address for people: without credentials and query, which may hold secrets.
pub(crate) fn shown(address: &Url) -> String {
    let mut address = address.clone();
    address.set_query(None);
    address.set_fragment(None);
    // Fails for addresses that cannot have them.
    let _ = address.set_username("");
    let _ = address.set_password(None);
    address.to_string()
}

/// A client for downloads.
///
/// # Errors
/// TLS cannot be set up.
pub(crate) fn client() -> Result<Client, Error> {
    let redirects = redirect::Policy::custom(|attempt| {
        let secure = attempt
            .previous()
            .first()
            .is_some_and(|url| url.scheme() == "https");
        if attempt.previous().len() > MAX_REDIRECTS {
            attempt.error("too many redirects")
        } else if secure && attempt.url().scheme() != "https" {
            attempt.error("it redirects from https to http")
        } else {
            attempt.follow()
        }
    });
    builder()?
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .redirect(redirects)
        .build()
        .map_err(|error| Error::Setup(error.to_string()))
}

/// An HTTP client that trusts the system's authorities, to be made.
///
/// # Errors
/// TLS cannot be set up.
fn builder() -> Result<ClientBuilder, Error> {
    let mut roots = rustls::RootCertStore::empty();
    // A machine without certificates can still download over http.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Setup(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Client::builder()
        .user_agent(concat!("edgemodel/", env!("CARGO_PKG_VERSION")))
        .tls_backend_preconfigured(tls))
}

/// Downloads `address` into `file`, at most `limit` bytes.
///
/// # Errors
/// See [`Error`]; what is in the file then is of no use.
pub(crate) async fn fetch(
    client: &Client,
    address: &Url,
    file: &mut File,
    limit: u64,
    progress: bool,
) -> Result<Fetched, Error> {
    let bar = if progress && io::stderr().is_terminal() {
        bar(address)
    } else {
        ProgressBar::hidden()
    };
    let mut download = Download {
        client,
        address,
        shown: shown(address),
        file,
        limit,
        md5: md5::Md5::new(),
        sha256: sha2::Sha256::new(),
        size: 0,
        etag: None,
        bar,
    };
    let mut attempt = 1;
    loop {
        match download.attempt().await {
            Ok(()) => break,
            Err(error) if attempt < ATTEMPTS && error.is_momentary() => {
                tracing::info!(%error, attempt, "Download broke off, going on");
                tokio::time::sleep(PAUSE * attempt).await;
                attempt += 1;
            }
            Err(error) => return Err(error),
        }
    }
    download.bar.finish_and_clear();
    Ok(Fetched {
        md5: Md5(download.md5.finalize().into()),
        sha256: Sha256(download.sha256.finalize().into()),
        size: download.size,
    })
}

fn bar(address: &Url) -> ProgressBar {
    let name = address
        .path_segments()
        .and_then(|mut segments| segments.next_back())
        .unwrap_or_default();
    let template = "{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    let style = ProgressStyle::with_template(template);
    let bar = ProgressBar::new(0).with_message(name.to_owned());
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

struct Download<'a> {
    client: &'a Client,
    address: &'a Url,
    shown: String,
    file: &'a mut File,
    limit: u64,
    md5: md5::Md5,
    sha256: sha2::Sha256,
    size: u64,
    /// Of the answer that the bytes so far came with.
    etag: Option<HeaderValue>,
    bar: ProgressBar,
}

impl Download<'_> {
    async fn attempt(&mut self) -> Result<(), Error> {
        let mut request = self.client.get(self.address.clone());
        if self.size > 0
            && let Some(etag) = &self.etag
        {
            request = request
                .header(RANGE, format!("bytes={}-", self.size))
                .header(IF_RANGE, etag.clone());
        }
        let response = request.send().await.map_err(|error| self.broken(&error))?;
        let status = response.status();
        if !(status == StatusCode::PARTIAL_CONTENT && self.continues(&response)) {
            if status != StatusCode::OK {
                let address = self.shown.clone();
                return Err(Error::Status { address, status });
            }
            self.start_over()?;
            self.etag = response.headers().get(ETAG).cloned();
        }
        let announced = response.content_length().map(|rest| self.size + rest);
        if announced.is_some_and(|size| size > self.limit) {
            return Err(self.too_large());
        }
        self.bar.set_length(announced.unwrap_or(0));
        self.take_body(response).await
    }

    /// Whether the answer goes on exactly where the bytes so far end.
    fn continues(&self, response: &Response) -> bool {
        let range = response.headers().get(CONTENT_RANGE);
        let wanted = format!("bytes {}-", self.size);
        self.size > 0
            && range
                .and_then(|range| range.to_str().ok())
                .is_some_and(|range| range.starts_with(&wanted))
    }

    fn start_over(&mut self) -> Result<(), Error> {
        self.file.set_len(0).map_err(Error::Write)?;
        self.file.rewind().map_err(Error::Write)?;
        self.md5 = md5::Md5::new();
        self.sha256 = sha2::Sha256::new();
        self.size = 0;
        Ok(())
    }

    async fn take_body(&mut self, response: Response) -> Result<(), Error> {
        let (started, before) = (Instant::now(), self.size);
        let mut start = Vec::new();
        let mut body = response.bytes_stream();
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| self.broken(&error))?;
            if before == 0 && start.len() < 4 {
                start.extend(chunk.iter().take(4 - start.len()));
                if start.len() == 4 {
                    self.check_start(&start)?;
                }
            }
            self.size += chunk.len() as u64;
            if self.size > self.limit {
                return Err(self.too_large());
            }
            let elapsed = started.elapsed();
            if elapsed > GRACE && (self.size - before) / elapsed.as_secs().max(1) < SLOWEST {
                let address = self.shown.clone();
                return Err(Error::TooSlow { address });
            }
            self.file.write_all(&chunk).map_err(Error::Write)?;
            self.md5.update(&chunk);
            self.sha256.update(&chunk);
            self.bar.set_position(self.size);
        }
        if before == 0 && start.len() < 4 {
            self.check_start(&start)?;
        }
        Ok(())
    }

    /// Servers say all kinds of things about a zip's type; its first bytes do not lie.
    fn check_start(&self, start: &[u8]) -> Result<(), Error> {
        if ZIP_STARTS.iter().any(|known| start == *known) {
            return Ok(());
        }
        let what = match start.first() {
            None => "empty",
            Some(b'<') => "a page of HTML or XML",
            Some(b'{' | b'[') => "JSON",
            Some(_) => "something else",
        };
        Err(Error::NotAZip {
            address: self.shown.clone(),
            what,
        })
    }

    fn too_large(&self) -> Error {
        Error::TooLarge {
            address: self.shown.clone(),
            limit: self.limit,
        }
    }

    /// A library's error with its causes, and without the address, which may hold secrets.
    fn broken(&self, error: &reqwest::Error) -> Error {
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
            let what = if error.is_timeout() {
                "no answer in time"
            } else {
                "the connection broke"
            };
            reason.push_str(what);
        }
        Error::Unreachable {
            address: self.shown.clone(),
            reason,
        }
    }
}
