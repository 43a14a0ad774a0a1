//! The HTTP clients of downloads: whom they trust, which server gets the credentials, and which proxy they take.

use std::sync::Arc;
use std::time::Duration;

use crds::validated::ValidatedFunc;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, RequestBuilder, redirect};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use url::Url;

use super::Error;
use crate::credentials::{Credentials, Tls, system_authorities};
use crate::s3::Object;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Whether a server was told the credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// There are none.
    None,
    /// It was.
    Told,
    /// They are for another server.
    Withheld,
}

/// One client for the model server, which gets the credentials, and one for those that it redirects to, which get none.
#[derive(Debug)]
pub(crate) struct Clients {
    /// Of the zip, without a signature.
    address: Url,
    header: Option<(HeaderName, HeaderValue)>,
    object: Option<Object>,
    has_identity: bool,
    own: Client,
    others: Client,
}

impl Clients {
    /// Clients for the server of a model, which leave redirects to their caller.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub(crate) fn new(func: &ValidatedFunc, credentials: Credentials) -> Result<Self, Error> {
        let Credentials { header, keys, tls } = credentials;
        let object = func.s3.as_ref().map(|s3| Object::new(s3, keys));
        let object = object.transpose().map_err(|_| {
            let fault =
                "the bucket cannot be part of the endpoint's host; set modelS3.pathStyle to true";
            Error::Setup(fault.to_owned())
        })?;
        let address = object
            .as_ref()
            .map_or_else(|| func.address.clone(), Object::address);
        let Tls {
            authorities,
            identity,
        } = tls;
        let has_identity = identity.is_some();
        let mut roots = system_authorities();
        let own_roots = authorities.map(|certificates| {
            // Where the server redirects to is often the same company's.
            roots.add_parsable_certificates(certificates.iter().cloned());
            let mut own = RootCertStore::empty();
            own.add_parsable_certificates(certificates);
            own
        });
        let others = client(roots.clone(), None)?;
        let own = match (own_roots, identity) {
            (None, None) => others.clone(),
            (own, identity) => client(own.unwrap_or(roots), identity)?,
        };
        Ok(Self {
            address,
            header,
            object,
            has_identity,
            own,
            others,
        })
    }

    /// Where the zip is.
    pub(super) fn address(&self) -> &Url {
        &self.address
    }

    /// The zip, if it is in an S3 store.
    pub(super) fn object(&self) -> Option<&Object> {
        self.object.as_ref()
    }

    /// A request for `at`, with the credentials if that is the server that they are for.
    pub(super) fn get(&self, at: &Url) -> RequestBuilder {
        if at.origin() != self.address.origin() {
            return self.others.get(at.clone());
        }
        let signed = self.object.as_ref().map(Object::signed);
        let request = self.own.get(signed.unwrap_or_else(|| at.clone()));
        match &self.header {
            Some((name, value)) => request.header(name, value),
            None => request,
        }
    }

    /// Whether the server at `at` is told the credentials.
    pub(super) fn sent(&self, at: &Url) -> Sent {
        let has_keys = self.object.as_ref().is_some_and(Object::has_keys);
        if self.header.is_none() && !self.has_identity && !has_keys {
            Sent::None
        } else if at.origin() == self.address.origin() {
            Sent::Told
        } else {
            Sent::Withheld
        }
    }
}

fn client(
    roots: RootCertStore,
    identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
) -> Result<Client, Error> {
    let setup = |error: rustls::Error| Error::Setup(error.to_string());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(setup)?
        .with_root_certificates(roots);
    let tls = match identity {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => builder.with_client_auth_cert(chain, key).map_err(setup)?,
    };
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

/// Whether the system trusts any authority.
pub(super) fn has_authorities() -> bool {
    !rustls_native_certs::load_native_certs().certs.is_empty()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e1_only_the_server_of_the_address_gets_the_credentials() {
        let url = |text: &str| Url::parse(text).unwrap();
        let header = (
            HeaderName::from_static("private-token"),
            HeaderValue::from_static("canary"),
        );
        let credentials = Credentials {
            header: Some(header),
            ..Credentials::default()
        };
        let config = "
mqtts: [{name: a, broker: tcp://h}]
rules: [{sub: {name: a, topic: in}, pub: {name: a, topic: out}}]
funcs: [{modelName: m, modelAddress: 'https://h/a'}]
";
        let func = &crds::load(config, "c").unwrap().funcs[0];
        let clients = Clients::new(func, credentials).unwrap();
        for (to, expected) in [
            ("https://h/b", Sent::Told),
            ("https://H:443/b?c", Sent::Told),
            ("http://h/a", Sent::Withheld),
            ("https://h:444/a", Sent::Withheld),
            ("https://other/a", Sent::Withheld),
            ("https://sub.h/a", Sent::Withheld),
        ] {
            let request = clients.get(&url(to)).build().unwrap();
            let carried = request.headers().contains_key("private-token");
            assert_eq!(
                (clients.sent(&url(to)), carried),
                (expected, expected == Sent::Told),
                "{to}"
            );
        }
        let clients = Clients::new(func, Credentials::default()).unwrap();
        assert_eq!(clients.sent(&url("https://h/a")), Sent::None);
    }
}
