//! The HTTP client of downloads, and which proxy it takes.

use std::sync::Arc;
use std::time::Duration;

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};
use reqwest::{Client, redirect};
use url::Url;

use super::Error;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// A client that trusts the system's authorities and leaves redirects to its caller.
///
/// # Errors
/// TLS cannot be set up.
pub(crate) fn client() -> Result<Client, Error> {
    let mut roots = rustls::RootCertStore::empty();
    // A machine without certificates can still download over http.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Setup(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let plain = (ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    Client::builder()
        .user_agent(concat!("edgemodel/", env!("CARGO_PKG_VERSION")))
        .default_headers(HeaderMap::from_iter([plain]))
        .tls_backend_preconfigured(tls)
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .redirect(redirect::Policy::none())
        // The address may hold a token.
        .referer(false)
        .build()
        .map_err(|error| Error::Setup(error.to_string()))
}

/// The proxy that the environment names for `address`, without credentials: as the client decides.
pub(super) fn proxy(address: &Url) -> Option<String> {
    let intercept = Matcher::from_env().intercept(&address.as_str().parse().ok()?)?;
    let proxy = intercept.uri();
    let authority = proxy.authority()?.as_str();
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    Some(format!("{}://{host}", proxy.scheme_str().unwrap_or("http")))
}
