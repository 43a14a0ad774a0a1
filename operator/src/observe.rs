//! What the cluster holds of a runtime, read at the moment when it is needed.
//!
//! Nothing here comes from a cache: watches only trigger a reconcile, so that no stale view can lead to a write.

mod object;

use std::collections::{BTreeMap, HashMap};

use crds::cluster::AutoscalingClass;
use crds::digest::hex;
use crds::{ClusterRuntime, EdgeModelRuntime};
use futures_util::future::join_all;
use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::api::ListParams;
use kube::core::DynamicObject;
use kube::{Api, Client};
use sha2::{Digest as _, Sha256};

use crate::api::{self, Failure};
use crate::desired::{Desired, Identity, SecretView, labels};
use crate::kind::Kind;

pub use object::{Observed, Owner};

/// The children of a runtime, its workers' pods and its Secrets.
#[derive(Debug, Default)]
pub struct Observation {
    /// The children that the runtime controls and that carry its labels.
    pub children: Vec<Observed>,
    /// What was read by name, since it should be there and was not among the children: it may lack the labels, and it
    /// may be the child of another.
    pub named: HashMap<(Kind, String), Result<Option<Observed>, Failure>>,
    /// The pods of all its models.
    pub pods: Vec<Pod>,
    /// The Secrets that it refers to and that exist.
    pub secrets: BTreeMap<String, SecretView>,
}

impl Observation {
    /// The child of that kind and name.
    pub fn child(&self, kind: Kind, name: &str) -> Option<&Observed> {
        let mut children = self.children.iter();
        children.find(|child| child.kind == kind && child.name == name)
    }

    /// The object of that kind and name, whoever controls it.
    ///
    /// # Errors
    /// It could not be read.
    pub fn object(&self, kind: Kind, name: &str) -> Result<Option<&Observed>, &Failure> {
        if let Some(child) = self.child(kind, name) {
            return Ok(Some(child));
        }
        match self.named.get(&(kind, name.to_owned())) {
            Some(found) => found.as_ref().map(Option::as_ref),
            None => Ok(None),
        }
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
    runtime: &ClusterRuntime,
) -> Result<Observation, Failure> {
    // At the same time: each call waits for the API server's storage, and none needs another's answer.
    let of = |kind| list(client, identity, kind);
    let (deployments, config_maps, services, pods, secrets) = tokio::try_join!(
        of(Kind::Deployment),
        of(Kind::ConfigMap),
        of(Kind::Service),
        pods(client, identity),
        secrets(client, identity, runtime),
    )?;
    let mut observed = Observation {
        children: [deployments, config_maps, services].concat(),
        pods,
        secrets,
        ..Observation::default()
    };
    // Read only where one is wanted or was made: not every cluster has KEDA's kind.
    for (kind, class, word) in [
        (Kind::HorizontalPodAutoscaler, AutoscalingClass::Hpa, "hpa"),
        (Kind::ScaledObject, AutoscalingClass::Keda, "keda"),
    ] {
        let mut models = runtime.models.iter();
        let wanted = models.any(|model| model.scaling.class() == class);
        let mut children = observed.children.iter();
        let made = children.any(|child| child.annotation(labels::AUTOSCALING) == Some(word));
        if !wanted && !made {
            continue;
        }
        match list(client, identity, kind).await {
            Ok(found) => observed.children.extend(found),
            // Then there is none; that it is wanted shows when it is applied.
            Err(failure) if failure.is_not_found() => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(observed)
}

/// Reads by name what should be there and is not among the children. What cannot be read is noted there: it concerns
/// one child and not the others.
pub async fn named(
    client: &Client,
    identity: &Identity,
    desired: &Desired,
    observed: &mut Observation,
) {
    let unlisted = desired
        .children()
        .filter(|child| observed.child(child.kind, &child.name).is_none());
    let reads = unlisted.map(async |child| {
        let found = api::call(api::of(client, identity, child.kind).get_opt(&child.name)).await;
        let found = found.map(|found| found.map(|object| Observed::new(child.kind, object)));
        ((child.kind, child.name.clone()), found)
    });
    let named = join_all(reads).await;
    observed.named.extend(named);
}

async fn pods(client: &Client, identity: &Identity) -> Result<Vec<Pod>, Failure> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), &identity.namespace);
    let query = ListParams::default().labels(&labels::query(&identity.uid));
    Ok(api::call(pods.list(&query)).await?.items)
}

async fn secrets(
    client: &Client,
    identity: &Identity,
    runtime: &ClusterRuntime,
) -> Result<BTreeMap<String, SecretView>, Failure> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), &identity.namespace);
    let mut views = BTreeMap::new();
    for name in runtime.all_secrets() {
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
    Ok(found.filter(|object| object.is_of(identity)).collect())
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
