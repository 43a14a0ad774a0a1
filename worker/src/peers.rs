//! The other workers of the same runtime, found by a name that resolves to all of them, such as a headless
//! Service. Each worker asks them for their queue sizes, so that it can report all.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use crds::contract::path;
use reqwest::Client;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::token::Token;

/// Timeout for resolving the name, and for each answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Maximum number of peers to ask; a runtime has fewer workers.
const MOST: usize = 512;

/// Maximum size of an answer.
const LONGEST: usize = 64 << 10;

/// Asks the peers.
#[derive(Debug, Clone)]
pub struct Peers {
    /// `HOST:PORT`.
    name: Arc<str>,
    /// Where this worker serves HTTP.
    own: Arc<[SocketAddr]>,
    client: Client,
}

/// Why the HTTP client cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("failed to set up HTTP: {0}")]
pub struct Error(String);

impl Peers {
    /// Peers at `name`, `HOST:PORT`; `own` is where this worker listens, and all have the same `token`.
    ///
    /// # Errors
    /// HTTP cannot be set up.
    pub fn new(name: &str, own: &[SocketAddr], token: Option<&Token>) -> Result<Self, Error> {
        Ok(Self {
            name: name.into(),
            own: own.into(),
            client: client(token).map_err(Error)?,
        })
    }

    /// The entries of all peers that answer, and the addresses of those that do not. If the name cannot be resolved, it
    /// takes the place of the addresses.
    pub async fn queue_sizes(&self) -> (Vec<Value>, Vec<String>) {
        let resolved = tokio::time::timeout(PATIENCE, tokio::net::lookup_host(&*self.name)).await;
        let Ok(Ok(addresses)) = resolved else {
            return (Vec::new(), vec![self.name.to_string()]);
        };
        let mut addresses: Vec<_> = addresses.filter(|address| !self.is_own(*address)).collect();
        addresses.sort_unstable();
        addresses.dedup();
        self.ask(&addresses).await
    }

    async fn ask(&self, addresses: &[SocketAddr]) -> (Vec<Value>, Vec<String>) {
        let mut tasks = JoinSet::new();
        for address in addresses.iter().copied().take(MOST) {
            let client = self.client.clone();
            tasks.spawn(async move {
                let answer = tokio::time::timeout(PATIENCE, entries(&client, address)).await;
                (address, answer.ok().flatten())
            });
        }
        let mut answers = tasks.join_all().await;
        answers.sort_unstable_by_key(|(address, _)| *address);
        let (mut found, mut silent) = (Vec::new(), Vec::new());
        for (address, entries) in answers {
            match entries {
                Some(entries) => found.extend(entries),
                None => silent.push(address.to_string()),
            }
        }
        silent.extend(addresses.iter().skip(MOST).map(ToString::to_string));
        (found, silent)
    }

    fn is_own(&self, address: SocketAddr) -> bool {
        let listens = |own: &SocketAddr| {
            own.port() == address.port()
                && (own.ip() == address.ip()
                    || (own.ip().is_unspecified() && source_towards(address) == Some(address.ip())))
        };
        self.own.iter().any(listens)
    }
}

/// A client for plain HTTP to addresses in the cluster: without authorities, proxy or redirects.
fn client(token: Option<&Token>) -> Result<Client, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let mut headers = HeaderMap::new();
    if let Some(token) = token {
        let bearer = HeaderValue::from_str(&format!("Bearer {}", token.as_str()));
        let mut bearer = bearer.map_err(|error| error.to_string())?;
        bearer.set_sensitive(true);
        headers.insert(AUTHORIZATION, bearer);
    }
    Client::builder()
        .default_headers(headers)
        .user_agent(concat!("edgemodel/", env!("CARGO_PKG_VERSION")))
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .redirect(Policy::none())
        .build()
        .map_err(|error| error.to_string())
}

/// The local address from which this machine would send to `address`, without sending anything.
fn source_towards(address: SocketAddr) -> Option<IpAddr> {
    let any: SocketAddr = if address.is_ipv4() {
        ([0, 0, 0, 0], 0).into()
    } else {
        ([0; 16], 0).into()
    };
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect(address).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

async fn entries(client: &Client, address: SocketAddr) -> Option<Vec<Value>> {
    let url = format!("http://{address}{}?local=true", path::QUEUE_SIZES);
    let response = client.get(url).send().await.ok()?;
    let mut response = response.error_for_status().ok()?;
    let mut text = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        text.extend_from_slice(&chunk);
        if text.len() > LONGEST {
            return None;
        }
    }
    let mut answer: Value = serde_json::from_slice(&text).ok()?;
    match answer["queue_size_metrics"].take() {
        Value::Array(entries) => Some(entries),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::get;
    use tokio::net::TcpListener;

    use super::*;

    /// A peer at a further address of loopback.
    async fn peer(address: &str, answer: impl Into<String>) -> SocketAddr {
        let listener = TcpListener::bind(address).await.unwrap();
        let bound = listener.local_addr().unwrap();
        let answer = answer.into();
        let router = Router::new().route(path::QUEUE_SIZES, get(|| async { answer }));
        tokio::spawn(async move { axum::serve(listener, router).await });
        bound
    }

    fn entry(name: &str) -> String {
        format!(r#"{{"queue_size_metrics":[{{"sub_process_name":"{name}"}}]}}"#)
    }

    fn peers(own: &str) -> Peers {
        Peers::new("no.invalid:1", &[own.parse().unwrap()], None).unwrap()
    }

    #[tokio::test]
    async fn all_are_asked_and_those_without_an_answer_are_named() {
        let here = peer("127.0.0.2:0", entry("a")).await;
        let there = peer("127.0.0.3:0", entry("b")).await;
        let odd = peer("127.0.0.4:0", "<html>").await;
        let endless = peer("127.0.0.5:0", " ".repeat(LONGEST + 1)).await;
        // Accepts connections and never answers.
        let mute = TcpListener::bind("127.0.0.6:0").await.unwrap();
        let mute = (mute.local_addr().unwrap(), mute);
        let addresses = [here, there, odd, endless, mute.0];
        let (found, silent) = peers("127.0.0.1:1").ask(&addresses).await;
        let names: Vec<_> = found.iter().map(|one| &one["sub_process_name"]).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(silent, [odd, endless, mute.0].map(|one| one.to_string()));
    }

    /// A worker that asked itself would list its models twice.
    #[test]
    fn it_knows_itself() {
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        assert!(peers("127.0.0.1:80").is_own(at("127.0.0.1:80")));
        assert!(peers("0.0.0.0:80").is_own(at("127.0.0.1:80")));
        assert!(!peers("0.0.0.0:80").is_own(at("127.0.0.1:81")));
        assert!(!peers("127.0.0.1:80").is_own(at("127.0.0.2:80")));
        // An address for documentation (RFC 5737), which no machine has.
        assert!(!peers("0.0.0.0:80").is_own(at("192.0.2.1:80")));
    }

    #[tokio::test]
    async fn a_name_without_addresses_is_named() {
        let (found, silent) = peers("127.0.0.1:1").queue_sizes().await;
        assert_eq!((found.len(), silent), (0, vec!["no.invalid:1".to_owned()]));
    }
}
