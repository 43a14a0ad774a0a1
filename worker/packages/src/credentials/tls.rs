//! Certificates of a model server and of its client, from PEM.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, crypto::ring};

use super::Error;

const USE_PEM: &str = "use a PEM file";

/// How TLS to a server differs from the system's.
#[derive(Default)]
pub(crate) struct Tls {
    /// Authorities to trust instead of the system's.
    pub(crate) authorities: Option<Vec<CertificateDer<'static>>>,
    /// The client's certificate and key.
    pub(crate) identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
}

/// The system's authorities. A machine without any can still download over http.
pub(crate) fn system_authorities() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

pub(super) fn authorities(
    field: &'static str,
    path: &str,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, Error> {
    let certificates = certificates(field, path, pem)?;
    for certificate in &certificates {
        let added = RootCertStore::empty().add(certificate.clone());
        added.map_err(|error| {
            let fault = format!("holds a certificate that cannot be used: {error}");
            Error::unusable(field, path, fault, "give that of an authority")
        })?;
    }
    Ok(certificates)
}

pub(super) fn identity(
    (cert_file, chain): (&str, &[u8]),
    (key_file, key): (&str, &[u8]),
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Error> {
    let chain = certificates("certFile", cert_file, chain)?;
    let key = PrivateKeyDer::from_pem_slice(key)
        .map_err(|_| Error::unusable("keyFile", key_file, "holds no private key", USE_PEM))?;
    let provider = Arc::new(ring::default_provider());
    CertifiedKey::from_der(chain.clone(), key.clone_key(), &provider).map_err(|error| {
        let fault = format!("does not belong to the certificate in certFile: {error}");
        let remedy = "give the key that the certificate was issued for";
        Error::unusable("keyFile", key_file, fault, remedy)
    })?;
    Ok((chain, key))
}

fn certificates(
    field: &'static str,
    path: &str,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, Error> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| {
        Error::unusable(field, path, format!("is not valid PEM: {error}"), USE_PEM)
    })?;
    if found.is_empty() {
        return Err(Error::unusable(
            field,
            path,
            "holds no certificate",
            USE_PEM,
        ));
    }
    Ok(found)
}
