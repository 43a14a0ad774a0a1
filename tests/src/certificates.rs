//! Certificates of a test's own authority.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// An authority with a server on loopback and a client, as PEM files that go with it.
#[derive(Debug)]
pub struct Certificates {
    _directory: tempfile::TempDir,
    authority: PathBuf,
    server: (PathBuf, PathBuf),
    client: (PathBuf, PathBuf),
}

impl Certificates {
    /// Makes new ones.
    ///
    /// # Errors
    /// The files cannot be written.
    pub fn make() -> anyhow::Result<Self> {
        Self::with_names([])
    }

    /// Makes new ones, of a server that has further names or addresses.
    ///
    /// # Errors
    /// The files cannot be written.
    pub fn with_names<'a>(further: impl IntoIterator<Item = &'a str>) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let mut parameters = CertificateParams::new(Vec::new())?;
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters
            .distinguished_name
            .push(DnType::CommonName, "edgemodel's test authority");
        let issuer = CertifiedIssuer::self_signed(parameters, KeyPair::generate()?)?;
        let authority = directory.path().join("ca.pem");
        std::fs::write(&authority, issuer.pem())?;
        let issue = |name: &str, names: Vec<String>| -> anyhow::Result<(PathBuf, PathBuf)> {
            let mut parameters = CertificateParams::new(names)?;
            parameters.distinguished_name.push(DnType::CommonName, name);
            let key = KeyPair::generate()?;
            let certificate = parameters.signed_by(&key, &issuer)?;
            let files = (
                directory.path().join(format!("{name}.pem")),
                directory.path().join(format!("{name}.key")),
            );
            std::fs::write(&files.0, certificate.pem())?;
            std::fs::write(&files.1, key.serialize_pem())?;
            Ok(files)
        };
        let names = ["127.0.0.1", "localhost"].into_iter().chain(further);
        let server = issue("server", names.map(str::to_owned).collect())?;
        let client = issue("client", vec!["client".to_owned()])?;
        Ok(Self {
            _directory: directory,
            authority,
            server,
            client,
        })
    }

    /// What a server takes connections with.
    ///
    /// # Errors
    /// The files cannot be read.
    pub fn acceptor(&self) -> anyhow::Result<TlsAcceptor> {
        let chain = CertificateDer::pem_file_iter(self.server_cert())?;
        let chain = chain.collect::<Result<Vec<_>, _>>()?;
        let key = PrivateKeyDer::from_pem_file(self.server_key())?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// The authority's certificate.
    pub fn authority(&self) -> &Path {
        &self.authority
    }

    /// The server's certificate.
    pub fn server_cert(&self) -> &Path {
        &self.server.0
    }

    /// The server's key.
    pub fn server_key(&self) -> &Path {
        &self.server.1
    }

    /// The client's certificate.
    pub fn client_cert(&self) -> &Path {
        &self.client.0
    }

    /// The client's key.
    pub fn client_key(&self) -> &Path {
        &self.client.1
    }
}
