//! Serves the demo's model as a zip, as a model server does.

use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use url::Url;

/// A server of one file on loopback; ends when it is dropped.
#[derive(Debug)]
pub struct ModelServer {
    url: Url,
    _task: JoinSet<()>,
}

impl ModelServer {
    /// Serves `zip` on a free port.
    ///
    /// # Errors
    /// The system gives no port.
    pub async fn start(zip: PathBuf) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let name = zip.file_name().unwrap_or_default().to_string_lossy();
        let path = format!("/{name}");
        let url = Url::parse(&format!("http://{}{path}", listener.local_addr()?))
            .map_err(io::Error::other)?;
        let file = async move || {
            tokio::fs::read(&zip)
                .await
                .map_err(|error| (StatusCode::NOT_FOUND, error.to_string()))
        };
        let router = Router::new().route(&path, get(async move || file().await));
        let mut task = JoinSet::new();
        task.spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "Model server ended");
            }
        });
        Ok(Self { url, _task: task })
    }

    /// Where the zip is.
    pub fn url(&self) -> &Url {
        &self.url
    }
}
