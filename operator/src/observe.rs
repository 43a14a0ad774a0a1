//! What the cluster holds of a runtime, read at the moment when it is needed.
//!
//! Nothing here comes from a cache: watches only say that it is time to look, so that no stale view can lead to a
//! write.

use std::collections::BTreeMap;

use crds::cluster::AutoscalingClass;
use crds::digest::hex;
use crds::worker_config;
use crds::{EdgeModelRuntime, RuntimeSpec};
use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::api::ListParams;
use kube::core::{DynamicObject, TypeMeta};
use kube::{Api, Client, ResourceExt as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::api::{self, Failure};
use crate::desired::{Identity, SecretView, autoscaling_class, labels};
use crate::kind::Kind;

/// An object that is there.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// The whole of it.
    pub body: Value,
}

impl Observed {
    /// From the API server's answer.
    pub fn new(kind: Kind, mut object: DynamicObject) -> Self {
        // In a list, items do not say what they are.
        object.types.get_or_insert_with(|| {
            let resource = kind.resource();
            TypeMeta {
                api_version: resource.api_version,
                kind: resource.kind,
            }
        });
        let (name, uid) = (object.name_any(), object.uid().unwrap_or_default());
        let body = serde_json::to_value(object).unwrap_or_default();
        Self {
            kind,
            name,
            uid,
            body,
        }
    }

    /// The UID and name of the object that controls it, and whether that is a runtime.
    pub fn owner(&self) -> Option<Owner<'_>> {
        let owners = self.body["metadata"]["ownerReferences"].as_array()?;
        let owner = owners.iter().find(|owner| owner["controller"] == true)?;
        Some(Owner {
            uid: owner["uid"].as_str()?,
            kind: owner["kind"].as_str()?,
            name: owner["name"].as_str()?,
        })
    }

    /// Whether it is the runtime's: labels can be copied, owner references are checked.
    pub fn is_of(&self, identity: &Identity) -> bool {
        self.owner().is_some_and(|owner| owner.uid == identity.uid)
    }

    /// Whether it is going away.
    pub fn is_terminating(&self) -> bool {
        self.body["metadata"]["deletionTimestamp"].is_string()
    }

    /// An annotation.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.body["metadata"]["annotations"][name].as_str()
    }

    /// A label.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.body["metadata"]["labels"][name].as_str()
    }
}

/// Who controls an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner<'a> {
    /// Its UID.
    pub uid: &'a str,
    /// Its kind.
    pub kind: &'a str,
    /// Its name.
    pub name: &'a str,
}

/// The children of a runtime, its workers' pods and its Secrets.
#[derive(Debug, Default)]
pub struct Observation {
    /// The children that are the runtime's.
    pub children: Vec<Observed>,
    /// The pods of all its models.
    pub pods: Vec<Pod>,
    /// The Secrets that it refers to and that exist.
    pub secrets: BTreeMap<String, SecretView>,
    /// Whether KEDA's ScaledObjects were looked for and the cluster has the kind.
    pub has_scaled_objects: bool,
}

impl Observation {
    /// The child of that kind and name.
    pub fn child(&self, kind: Kind, name: &str) -> Option<&Observed> {
        let mut children = self.children.iter();
        children.find(|child| child.kind == kind && child.name == name)
    }
}

/// The runtime as it is now; `None` when it is gone.
///
/// # Errors
/// The API server did not answer, or refused.
pub async fn runtime(
    client: &Client,
    namespace: &str,
    name: &str,
) -> Result<Option<DynamicObject>, Failure> {
    let resource = kube::core::ApiResource::erase::<EdgeModelRuntime>(&());
    let runtimes: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &resource);
    api::call(runtimes.get_opt(name)).await
}

/// Reads everything that belongs to a runtime.
///
/// # Errors
/// The API server did not answer, or refused.
pub async fn all(
    client: &Client,
    identity: &Identity,
    spec: &RuntimeSpec,
) -> Result<Observation, Failure> {
    // At the same time: each call waits for the API server's storage, and none needs another's answer.
    let of = |kind| list(client, identity, kind);
    let (deployments, config_maps, services, pods, secrets) = tokio::try_join!(
        of(Kind::Deployment),
        of(Kind::ConfigMap),
        of(Kind::Service),
        pods(client, identity),
        secrets(client, identity, spec),
    )?;
    let mut observed = Observation {
        children: [deployments, config_maps, services].concat(),
        pods,
        secrets,
        has_scaled_objects: false,
    };
    // Looked for only where one is wanted or was made: KEDA's kind is not in every cluster.
    for (kind, class, word) in [
        (Kind::HorizontalPodAutoscaler, AutoscalingClass::Hpa, "hpa"),
        (Kind::ScaledObject, AutoscalingClass::Keda, "keda"),
    ] {
        let wanted = spec
            .funcs
            .iter()
            .any(|func| autoscaling_class(func) == class);
        let mut children = observed.children.iter();
        let made = children.any(|child| child.annotation(labels::AUTOSCALING) == Some(word));
        if wanted || made {
            match list(client, identity, kind).await {
                Ok(found) => {
                    observed.has_scaled_objects |= kind == Kind::ScaledObject;
                    observed.children.extend(found);
                }
                // Then there is none; that it is wanted shows when it is applied.
                Err(failure) if failure.is_not_found() => {}
                Err(failure) => return Err(failure),
            }
        }
    }
    Ok(observed)
}

async fn pods(client: &Client, identity: &Identity) -> Result<Vec<Pod>, Failure> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), &identity.namespace);
    let query = ListParams::default().labels(&labels::query(&identity.uid));
    Ok(api::call(pods.list(&query)).await?.items)
}

async fn secrets(
    client: &Client,
    identity: &Identity,
    spec: &RuntimeSpec,
) -> Result<BTreeMap<String, SecretView>, Failure> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), &identity.namespace);
    let mut views = BTreeMap::new();
    for name in worker_config::secrets(spec).into_keys() {
        if let Some(secret) = api::call(secrets.get_opt(name)).await? {
            views.insert(name.to_owned(), view(&secret, &identity.uid));
        }
    }
    Ok(views)
}

async fn list(client: &Client, identity: &Identity, kind: Kind) -> Result<Vec<Observed>, Failure> {
    let query = ListParams::default().labels(&labels::query(&identity.uid));
    let found = api::call(api::of(client, identity, kind).list(&query)).await?;
    let found = found
        .items
        .into_iter()
        .map(|object| Observed::new(kind, object));
    Ok(found.filter(|live| live.is_of(identity)).collect())
}

fn view(secret: &Secret, salt: &str) -> SecretView {
    let data = secret.data.iter().flatten();
    let mut digest = Sha256::new();
    digest.update(salt);
    for (key, value) in data.clone() {
        for part in [key.as_bytes(), &value.0] {
            digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            digest.update(part);
        }
    }
    SecretView {
        keys: data.map(|(key, _)| key.clone()).collect(),
        digest: hex(&digest.finalize()),
    }
}
