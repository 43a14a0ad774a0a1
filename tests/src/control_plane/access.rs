//! Who may talk to a control plane, and how: users, tokens, kubeconfig files and namespaces.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::Config;
use kube::api::{Api, PostParams};
use kube::config::Kubeconfig;
use rand::RngExt as _;
use serde_json::json;

use super::ControlPlane;
use crate::eventually;

pub(super) const ADMIN: &str = "admin";

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

    /// Writes a kubeconfig file under a name that says in which file the token stands, as in a pod.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn kubeconfig_with_token_file(&self, name: &str, token: &Path) -> anyhow::Result<PathBuf> {
        let path = self.directory().join(format!("{name}.kubeconfig"));
        let mut connection = self.connection("")?;
        connection["users"][0]["user"] = json!({"tokenFile": token});
        std::fs::write(&path, format!("{connection:#}\n"))?;
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
            // What has ended makes none.
            if let Err(error) = self.check() {
                return Ok(Some(Err(error)));
            }
            Ok(accounts.get_opt("default").await?.map(|_| Ok(())))
        });
        made.await
            .with_context(|| format!("namespace {namespace} gets no service account"))?
    }

    pub(super) fn token(&self, name: &str) -> anyhow::Result<&str> {
        let user = self.users.iter().find(|user| user.name == name);
        Ok(&user.with_context(|| format!("no user {name}"))?.token)
    }

    pub(super) fn config_with_token(&self, token: &str) -> anyhow::Result<Config> {
        // One provider for all that a test process does over TLS; a second try to install it is refused.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let connection: Kubeconfig = serde_json::from_value(self.connection(token)?)?;
        Ok(Config::try_from(connection)?)
    }

    /// A kubeconfig.
    fn connection(&self, token: &str) -> anyhow::Result<serde_json::Value> {
        let authority = std::fs::read(self.certificates.authority())?;
        let authority = STANDARD.encode(authority);
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
