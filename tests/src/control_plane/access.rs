//! Who may talk to a control plane, and how: clients, tokens, kubeconfig files and namespaces.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::api::{Api, PostParams};
use kube::client::{Body, ClientBuilder, DynBody, retry::RetryPolicy};
use kube::config::Kubeconfig;
use kube::{Client, Config};
use rand::RngExt as _;
use serde_json::json;
use tower::buffer::{Buffer, BufferLayer};
use tower::retry::RetryLayer;
use tower::{BoxError, Layer, Service};

use super::ControlPlane;
use super::process::Program;
use crate::eventually;

const ADMIN: &str = "admin";

/// Somebody who is known by a token.
#[derive(Debug)]
pub(super) struct User {
    name: String,
    groups: Vec<String>,
    token: String,
}

/// The administrator and others.
pub(super) fn users(others: &[(String, Vec<String>)]) -> Vec<User> {
    let admin = (ADMIN.to_owned(), vec!["system:masters".to_owned()]);
    let everybody = std::iter::once(&admin).chain(others);
    everybody
        .map(|(name, groups)| User {
            name: name.clone(),
            groups: groups.clone(),
            token: format!("{:032x}", rand::rng().random::<u128>()),
        })
        .collect()
}

/// Writes the file by which the API server knows them.
pub(super) fn write_tokens(directory: &Path, users: &[User]) -> anyhow::Result<()> {
    let lines = users.iter().map(|user| {
        let groups = user.groups.join(",");
        format!("{},{},{},\"{groups}\"\n", user.token, user.name, user.name)
    });
    Ok(std::fs::write(
        directory.join("tokens.csv"),
        lines.collect::<String>(),
    )?)
}

impl ControlPlane {
    /// A client that may do everything.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn client(&self) -> anyhow::Result<Client> {
        Ok(Client::try_from(self.config()?)?)
    }

    /// The same with a layer around what talks HTTP; see [`client_through`].
    ///
    /// # Errors
    /// It cannot be made.
    pub fn client_through<L, B>(&self, layer: &L) -> anyhow::Result<Client>
    where
        L: Layer<Transport>,
        L::Service: Service<Request<Body>, Response = Response<B>, Error = BoxError>,
        L::Service: Clone + Send + 'static,
        <L::Service as Service<Request<Body>>>::Future: Send,
        B: http_body::Body<Data = bytes::Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        client_through(self.config()?, layer)
    }

    /// A client of a user of [`Options::users`](super::Options::users).
    ///
    /// # Errors
    /// There is none of that name.
    pub fn client_as_user(&self, name: &str) -> anyhow::Result<Client> {
        Ok(Client::try_from(
            self.config_with_token(self.token(name)?)?,
        )?)
    }

    /// A client of a service account, by a token as a pod gets it.
    ///
    /// # Errors
    /// There is no such account.
    pub async fn client_as_service_account(
        &self,
        namespace: &str,
        name: &str,
    ) -> anyhow::Result<Client> {
        let config = self.config_as_service_account(namespace, name).await?;
        Ok(Client::try_from(config)?)
    }

    /// How the administrator's client is configured.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn config(&self) -> anyhow::Result<Config> {
        self.config_with_token(self.token(ADMIN)?)
    }

    /// How a service account's client is configured.
    ///
    /// # Errors
    /// There is no such account.
    pub async fn config_as_service_account(
        &self,
        namespace: &str,
        name: &str,
    ) -> anyhow::Result<Config> {
        let token = self.service_account_token(namespace, name).await?;
        let mut config = self.config_with_token(&token)?;
        namespace.clone_into(&mut config.default_namespace);
        Ok(config)
    }

    /// A new token of a service account.
    ///
    /// # Errors
    /// There is no such account.
    pub async fn service_account_token(
        &self,
        namespace: &str,
        name: &str,
    ) -> anyhow::Result<String> {
        let accounts = Api::<ServiceAccount>::namespaced(self.client()?, namespace);
        let request = TokenRequest::default();
        let answer = accounts
            .create_token_request(name, &PostParams::default(), &request)
            .await?;
        Ok(answer.status.context("no token in the answer")?.token)
    }

    /// The administrator's kubeconfig file.
    pub fn kubeconfig(&self) -> PathBuf {
        self.directory().join("admin.kubeconfig")
    }

    /// Writes a kubeconfig file for a token under a name.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn kubeconfig_with_token(&self, name: &str, token: &str) -> anyhow::Result<PathBuf> {
        let path = self.directory().join(format!("{name}.kubeconfig"));
        std::fs::write(&path, format!("{:#}\n", self.connection(token)?))?;
        Ok(path)
    }

    pub(super) fn write_kubeconfigs(&self) -> anyhow::Result<()> {
        for user in &self.users {
            self.kubeconfig_with_token(&user.name, &user.token)?;
        }
        Ok(())
    }

    /// Makes a namespace whose name starts as is told, and waits until pods can be made in it.
    ///
    /// # Errors
    /// It is refused.
    pub async fn namespace(&self, prefix: &str) -> anyhow::Result<String> {
        let name = format!("{prefix}-{:08x}", rand::rng().random::<u32>());
        let namespace = serde_json::from_value(json!({"metadata": {"name": name}}))?;
        let namespaces = Api::<Namespace>::all(self.client()?);
        namespaces
            .create(&PostParams::default(), &namespace)
            .await?;
        if self.controllers.is_some() {
            self.until_service_account(&name).await?;
        }
        Ok(name)
    }

    pub(super) async fn until_service_account(&self, namespace: &str) -> anyhow::Result<()> {
        let accounts = Api::<ServiceAccount>::namespaced(self.client()?, namespace);
        let made = eventually(async || {
            if let Some(Err(error)) = self.controllers.as_ref().map(Program::check) {
                return Ok(Some(Err(error)));
            }
            Ok(accounts.get_opt("default").await?.map(|_| Ok(())))
        });
        made.await
            .with_context(|| format!("namespace {namespace} gets no service account"))?
    }

    fn token(&self, name: &str) -> anyhow::Result<&str> {
        let user = self.users.iter().find(|user| user.name == name);
        Ok(&user.with_context(|| format!("no user {name}"))?.token)
    }

    fn config_with_token(&self, token: &str) -> anyhow::Result<Config> {
        // One provider for all that a test process does over TLS; a second try to install it is refused.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let connection: Kubeconfig = serde_json::from_value(self.connection(token)?)?;
        Ok(Config::try_from(connection)?)
    }

    /// A kubeconfig.
    fn connection(&self, token: &str) -> anyhow::Result<serde_json::Value> {
        use base64::Engine as _;
        let authority = std::fs::read(self.certificates.authority())?;
        let authority = base64::engine::general_purpose::STANDARD.encode(authority);
        let server = format!("https://{}", self.address);
        Ok(json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "bed", "cluster": {
                "server": server,
                "certificate-authority-data": authority,
            }}],
            "users": [{"name": "bed", "user": {"token": token}}],
            "contexts": [{"name": "bed", "context": {"cluster": "bed", "user": "bed"}}],
            "current-context": "bed",
        }))
    }
}

/// What talks HTTP: a layer gets it to wrap.
pub type Transport =
    Buffer<Request<Body>, BoxFuture<'static, Result<Response<Box<DynBody>>, BoxError>>>;

/// A client with a layer around what talks HTTP, below the retries that kube's own client makes: the layer
/// sees and answers what goes over the wire.
///
/// # Errors
/// The configuration is wrong.
pub fn client_through<L, B>(mut config: Config, layer: &L) -> anyhow::Result<Client>
where
    L: Layer<Transport>,
    L::Service: Service<Request<Body>, Response = Response<B>, Error = BoxError>,
    L::Service: Clone + Send + 'static,
    <L::Service as Service<Request<Body>>>::Future: Send,
    B: http_body::Body<Data = bytes::Bytes, Error: Into<BoxError>> + Send + 'static,
{
    config.default_retry = false;
    let client = ClientBuilder::try_from(config)?
        .with_layer(&BufferLayer::new(1024))
        .with_layer(layer)
        .with_layer(&RetryLayer::new(RetryPolicy::server_retry()));
    Ok(client.build())
}
