//! The node's model server: files of a folder over HTTP, until it is dropped.

use std::path::PathBuf;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::at;

/// A running server.
#[derive(Debug)]
pub(crate) struct Files {
    port: u16,
    _task: JoinSet<()>,
}

impl Files {
    /// Serves the files of a folder on a free port of the node.
    ///
    /// # Errors
    /// There is none.
    pub(crate) async fn serve(folder: PathBuf) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(at(0)).await?;
        let port = listener.local_addr()?.port();
        let file = async move |Path(name): Path<String>| {
            let found = tokio::fs::read(folder.join(name)).await;
            found.map_err(|error| (StatusCode::NOT_FOUND, error.to_string()))
        };
        let router = Router::new().route("/{name}", get(file));
        let mut task = JoinSet::new();
        task.spawn(async move {
            // Ends only when it is dropped.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { port, _task: task })
    }

    /// Where a file is.
    pub(crate) fn url(&self, name: &str) -> String {
        format!("http://{}/{name}", at(self.port))
    }
}
