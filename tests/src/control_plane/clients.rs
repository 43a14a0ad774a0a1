//! Clients of a control plane.

use anyhow::Context as _;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::{Api, PostParams};
use kube::client::{Body, ClientBuilder, DynBody, retry::RetryPolicy};
use kube::{Client, Config};
use serde_json::json;
use tower::buffer::{Buffer, BufferLayer};
use tower::retry::RetryLayer;
use tower::{BoxError, Layer, Service};

use super::ControlPlane;
use super::access::ADMIN;

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
        self.request_token(namespace, name, TokenRequest::default())
            .await
    }

    /// A new token of a service account that holds as long as a Secret is there.
    ///
    /// # Errors
    /// There is no such account or Secret.
    pub async fn token_bound_to_secret(
        &self,
        namespace: &str,
        name: &str,
        secret: &str,
    ) -> anyhow::Result<String> {
        let bound = json!({"apiVersion": "v1", "kind": "Secret", "name": secret});
        let spec = json!({"audiences": [], "boundObjectRef": bound});
        let request = serde_json::from_value(json!({"spec": spec}))?;
        self.request_token(namespace, name, request).await
    }

    async fn request_token(
        &self,
        namespace: &str,
        name: &str,
        request: TokenRequest,
    ) -> anyhow::Result<String> {
        let accounts = Api::<ServiceAccount>::namespaced(self.client()?, namespace);
        let answer = accounts
            .create_token_request(name, &PostParams::default(), &request)
            .await?;
        Ok(answer.status.context("no token in the answer")?.token)
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
