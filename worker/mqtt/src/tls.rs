//! TLS to a broker: trusted authorities, client certificate, expected server name.

use std::sync::Arc;

use crds::runtime::Tls;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem};
use rustls::{ClientConfig, RootCertStore};

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds no PEM of the expected kind.
    #[error("{field}: failed to read {path:?}: {error}")]
    File {
        /// `caFile`, `certFile` or `keyFile`.
        field: &'static str,
        /// The file.
        path: String,
        /// What is wrong.
        error: pem::Error,
    },
    /// A file holds no certificate.
    #[error("{field}: {path:?} holds no certificate; use a PEM file")]
    Empty {
        /// `caFile` or `certFile`.
        field: &'static str,
        /// The file.
        path: String,
    },
    /// A certificate cannot be used.
    #[error("{field}: {path:?} cannot be used: {error}")]
    Certificate {
        /// `caFile`, or `certFile` and `keyFile`.
        field: &'static str,
        /// The file.
        path: String,
        /// What is wrong.
        error: rustls::Error,
    },
    /// A certificate cannot have this name.
    #[error("serverName: {0:?} is neither a host name nor an IP address")]
    ServerName(String),
    /// The machine has no certificate authorities.
    #[error(
        "this machine has no certificate authorities{0}; install ca-certificates, name a file of them with SSL_CERT_FILE, or set caFile"
    )]
    NoRoots(String),
    /// The TLS library rejects its own defaults.
    #[error("failed to set up TLS: {0}")]
    Setup(rustls::Error),
}

/// Reads the certificates that the settings name, and returns the configuration with the name to expect in the
/// broker's certificate.
///
/// # Errors
/// A file cannot be read or used; the error names it.
pub fn tls(settings: Option<&Tls>, host: &str) -> Result<(Arc<ClientConfig>, String), TlsError> {
    let ca_file = settings.and_then(|settings| settings.ca_file.as_deref());
    let roots = match ca_file {
        Some(path) => authorities(path)?,
        None => system_authorities()?,
    };
    // Named explicitly: rustls panics if the process has several providers and it has to choose one.
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Setup)?
        .with_root_certificates(roots);
    let client = settings.and_then(|settings| {
        Some((
            settings.cert_file.as_deref()?,
            settings.key_file.as_deref()?,
        ))
    });
    let config = match client {
        None => builder.with_no_client_auth(),
        Some((cert_file, key_file)) => {
            let chain = certificates("certFile", cert_file)?;
            let key = PrivateKeyDer::from_pem_file(key_file).map_err(|error| TlsError::File {
                field: "keyFile",
                path: key_file.to_owned(),
                error,
            })?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| TlsError::Certificate {
                    field: "certFile and keyFile",
                    path: cert_file.to_owned(),
                    error,
                })?
        }
    };
    let name = settings
        .and_then(|settings| settings.server_name.as_deref())
        .unwrap_or(host);
    if ServerName::try_from(name).is_err() {
        return Err(TlsError::ServerName(name.to_owned()));
    }
    Ok((Arc::new(config), name.to_owned()))
}

fn certificates(field: &'static str, path: &str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unreadable = |error| TlsError::File {
        field,
        path: path.to_owned(),
        error,
    };
    let certificates = CertificateDer::pem_file_iter(path)
        .map_err(unreadable)?
        .collect::<Result<Vec<_>, _>>()
        .map_err(unreadable)?;
    if certificates.is_empty() {
        return Err(TlsError::Empty {
            field,
            path: path.to_owned(),
        });
    }
    Ok(certificates)
}

fn authorities(path: &str) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates("caFile", path)? {
        roots
            .add(certificate)
            .map_err(|error| TlsError::Certificate {
                field: "caFile",
                path: path.to_owned(),
                error,
            })?;
    }
    Ok(roots)
}

fn system_authorities() -> Result<RootCertStore, TlsError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        let reasons = found.errors.iter();
        let reasons = reasons.map(|error| format!(": {error}")).collect();
        return Err(TlsError::NoRoots(reasons));
    }
    Ok(roots)
}
