//! Downloads a zip: bounded in bytes and time, resumed where it broke off, and hashed as it comes.
//!
//! Here is what is done; what to do is decided in `client` (what a server is told), `answer` (what a server's answer
//! means), `redirect` (where it may lead), `limit` (how large the zip may be), `pace` (how slow it may be), `body` (what
//! comes) and `remedy` (what to do about an error). `refused` reads what an S3 store says of a request that it refuses.

mod answer;
mod body;
mod client;
mod error;
mod limit;
mod pace;
mod redirect;
mod refused;
mod remedy;

use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use crds::validated::{Md5, Sha256};
use futures_util::StreamExt as _;
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::Response;
use reqwest::header::{ETAG, HeaderValue, IF_RANGE, RANGE};
use url::Url;

use answer::{Answer, Coding, judge};
use body::{Body, Fault, Sink};
use error::reason;
use limit::{Limit, free_bytes};
use pace::{ANSWER_TIME, MAX_TIME, Pace};

pub(crate) use client::Clients;
pub use error::Error;
pub(crate) use limit::MOST;

/// Tries in one download; what came already is not asked for again if the server can.
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(500);

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

/// Downloads a model into `file`, at most `limit` bytes, and no more than the disk has room to unpack.
///
/// # Errors
/// See [`Error`]; what is in the file then is of no use.
pub(crate) async fn fetch(
    clients: &Clients,
    file: &mut File,
    limit: u64,
    progress: bool,
) -> Result<Fetched, Error> {
    let address = clients.address();
    let bar = if progress && io::stderr().is_terminal() {
        bar(address)
    } else {
        ProgressBar::hidden()
    };
    let limit = Limit::new(limit, free_bytes(file));
    let mut download = Download {
        clients,
        address,
        sink: Sink::new(file, limit.bytes),
        limit,
        etag: None,
        bar,
    };
    let done = tokio::time::timeout(MAX_TIME, download.run()).await;
    done.unwrap_or_else(|_| {
        Err(Error::TooLong {
            address: shown(address),
            limit: MAX_TIME,
        })
    })?;
    download.bar.finish_and_clear();
    let (md5, sha256, size) = download.sink.digests();
    Ok(Fetched { md5, sha256, size })
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
    clients: &'a Clients,
    address: &'a Url,
    sink: Sink<'a>,
    limit: Limit,
    /// Of the answer that the bytes so far came with.
    etag: Option<HeaderValue>,
    bar: ProgressBar,
}

impl Download<'_> {
    async fn run(&mut self) -> Result<(), Error> {
        let mut attempt = 1;
        loop {
            match self.attempt().await {
                Err(error) if attempt < ATTEMPTS && error.is_momentary() => {
                    tracing::info!(%error, attempt, "Download broke off, retrying");
                    tokio::time::sleep(PAUSE * attempt).await;
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    async fn attempt(&mut self) -> Result<(), Error> {
        let mut at = self.address.clone();
        for hops in 1.. {
            let response = self.ask(&at).await?;
            match self.judge(&response) {
                Answer::Elsewhere(location) => at = self.follow(&at, &location, hops).await?,
                Answer::Whole { size, coding } => {
                    self.sink.start_over().map_err(|fault| self.fault(fault))?;
                    // What is encoded cannot be resumed: a range would count encoded bytes.
                    let etag = response.headers().get(ETAG);
                    self.etag = etag.filter(|_| coding == Coding::Plain).cloned();
                    return self.take_body(response, size, coding).await;
                }
                Answer::Rest { size } => {
                    return self.take_body(response, size, Coding::Plain).await;
                }
                Answer::Encoded(encoding) => {
                    let address = self.shown();
                    return Err(Error::Encoding { address, encoding });
                }
                Answer::No(status) => {
                    let store = match self.clients.object() {
                        Some(object) => Some(refused::read(response, object.has_keys()).await),
                        None => None,
                    };
                    return Err(Error::Status {
                        address: self.shown(),
                        proxy: client::proxy(&at),
                        status,
                        store,
                        sent: self.clients.sent(&at),
                    });
                }
            }
        }
        Ok(())
    }

    fn judge(&self, response: &Response) -> Answer {
        let status = response.status();
        match judge(status, response.headers(), self.sink.size()) {
            // Where a store leads to another region, a signature for this one is of no use.
            Answer::Elsewhere(_) if self.clients.object().is_some() => Answer::No(status),
            answer => answer,
        }
    }

    async fn ask(&self, at: &Url) -> Result<Response, Error> {
        let mut request = self.clients.get(at);
        if self.sink.size() > 0
            && let Some(etag) = &self.etag
        {
            request = request
                .header(RANGE, format!("bytes={}-", self.sink.size()))
                .header(IF_RANGE, etag.clone());
        }
        let broken = |reason| Error::Unreachable {
            address: self.shown(),
            proxy: client::proxy(at),
            reason,
        };
        match tokio::time::timeout(ANSWER_TIME, request.send()).await {
            Ok(answer) => answer.map_err(|error| broken(reason(&error))),
            Err(_) => Err(broken("no answer in time".to_owned())),
        }
    }

    /// Where a redirect leads.
    async fn follow(&self, from: &Url, location: &str, hops: usize) -> Result<Url, Error> {
        let refused = |target: String, fault| Error::Redirect {
            address: self.shown(),
            target,
            fault,
        };
        let target = from
            .join(location)
            .map_err(|_| refused("another address".to_owned(), "which cannot be read"))?;
        let refused = |fault| refused(shown(&target), fault);
        redirect::check(self.address, &target, hops).map_err(refused)?;
        let to = addresses(&target).await;
        if to.iter().copied().any(redirect::is_local) {
            let from = addresses(self.address).await;
            redirect::check_addresses(&from, &to).map_err(refused)?;
        }
        Ok(target)
    }

    async fn take_body(
        &mut self,
        response: Response,
        size: Option<u64>,
        coding: Coding,
    ) -> Result<(), Error> {
        if coding == Coding::Plain && size.is_some_and(|size| size > self.limit.bytes) {
            return Err(self.fault(Fault::TooLarge));
        }
        self.bar.set_length(size.unwrap_or(0));
        let address = self.address;
        let broken = |reason| Error::Unreachable {
            address: shown(address),
            proxy: client::proxy(address),
            reason,
        };
        let mut pace = Pace::new(Instant::now());
        let mut body = Body::new(&mut self.sink, coding);
        let mut chunks = response.bytes_stream();
        let mut fault = Ok(());
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| broken(reason(&error)))?;
            if !pace.took(chunk.len(), Instant::now()) {
                let address = shown(address);
                return Err(Error::TooSlow { address });
            }
            fault = body.take(&chunk);
            if fault.is_err() {
                break;
            }
            self.bar.inc(chunk.len() as u64);
        }
        let fault = fault.and_then(|()| body.end());
        fault.map_err(|fault| self.fault(fault))?;
        match size.filter(|size| coding == Coding::Plain && *size > self.sink.size()) {
            Some(size) => Err(broken(format!("{} of {size} bytes came", self.sink.size()))),
            None => Ok(()),
        }
    }

    fn shown(&self) -> String {
        shown(self.address)
    }

    fn fault(&self, fault: Fault) -> Error {
        let address = self.shown();
        match fault {
            Fault::NotAZip(what) => Error::NotAZip { address, what },
            Fault::TooLarge => Error::TooLarge {
                address,
                limit: self.limit.bytes,
                bound: self.limit.bound,
            },
            Fault::Damaged(error) => Error::Unreachable {
                address,
                proxy: client::proxy(self.address),
                reason: format!("its Content-Encoding gzip is damaged: {error}"),
            },
            Fault::Write(error) => Error::Write(error),
        }
    }
}

/// Where a server is, as far as this machine can tell; a proxy looks names up by itself.
async fn addresses(url: &Url) -> Vec<IpAddr> {
    if let Some(address) = redirect::literal(url) {
        return vec![address];
    }
    let name = url.host_str().unwrap_or_default();
    let found = tokio::net::lookup_host((name, 0)).await;
    found.map_or_else(|_| Vec::new(), |found| found.map(|one| one.ip()).collect())
}
