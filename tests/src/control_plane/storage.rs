//! A return of etcd to an older state.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::{ControlPlane, lock};
use crate::running::http_client;

/// What etcd held at a moment.
#[derive(Debug)]
pub struct Snapshot(tempfile::TempDir);

impl ControlPlane {
    /// The resource version that everything is at, as [`Plan::freeze`](crate::faults::Plan::freeze) takes
    /// it.
    ///
    /// # Errors
    /// etcd does not answer.
    pub async fn revision(&self) -> anyhow::Result<u64> {
        let range = self.etcd("kv/range", json!({"key": "AA=="})).await?;
        let revision = range["header"]["revision"].as_str();
        Ok(revision.context("etcd names no revision")?.parse()?)
    }

    /// Lets etcd's revision grow by so much, as many writes to something else would.
    ///
    /// # Errors
    /// etcd refuses.
    pub async fn age(&self, revisions: u64) -> anyhow::Result<()> {
        // The key and the value `age`.
        let put = json!({"key": "YWdl", "value": "YWdl"});
        for _ in 0..revisions.div_ceil(100) {
            let puts = (0..100).map(|_| self.etcd("kv/put", put.clone()));
            futures_util::future::try_join_all(puts).await?;
        }
        Ok(())
    }

    /// Keeps what etcd holds; the API server is away for a moment.
    ///
    /// # Errors
    /// The programs do not come back.
    pub async fn snapshot(&self) -> anyhow::Result<Snapshot> {
        let snapshot = Snapshot(tempfile::tempdir()?);
        self.without_storage(|storage| copy(storage, snapshot.0.path()))
            .await?;
        Ok(snapshot)
    }

    /// Goes back to what etcd held: resource versions go back too (F15). The controllers start again, as
    /// one has to let them.
    ///
    /// # Errors
    /// The programs do not come back.
    pub async fn restore(&self, snapshot: &Snapshot) -> anyhow::Result<()> {
        self.without_storage(|storage| {
            fs::remove_dir_all(storage)?;
            copy(snapshot.0.path(), storage)
        })
        .await?;
        if let Some(controllers) = &self.controllers {
            lock(controllers).restart()?;
        }
        Ok(())
    }

    async fn without_storage(
        &self,
        work: impl FnOnce(&Path) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.kill_apiserver()?;
        lock(&self.etcd).kill()?;
        work(&self.directory().join("etcd"))?;
        lock(&self.etcd).restart()?;
        self.restart_apiserver().await
    }

    async fn etcd(&self, call: &str, body: Value) -> anyhow::Result<Value> {
        let url = format!("http://127.0.0.1:{}/v3/{call}", self.etcd_port);
        let answer = http_client()?.post(url).body(body.to_string()).send();
        let text = answer.await?.error_for_status()?.text().await?;
        Ok(serde_json::from_str(&text)?)
    }
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
