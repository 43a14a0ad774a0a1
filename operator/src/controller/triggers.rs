//! What triggers a reconcile: watches of the runtimes and of what carries our label, metadata only.

use crds::EdgeModelRuntime;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Service};
use kube::api::ListParams;
use kube::core::PartialObjectMeta;
use kube::runtime::controller::Controller;
use kube::runtime::reflector::{ObjectRef, Store, store::Writer};
use kube::runtime::watcher::{self, watcher};
use kube::runtime::{PredicateConfig, WatchStreamExt as _};
use kube::{Api, Client, Resource, ResourceExt as _};

use super::{Runtime, event_filter};
use crate::desired::labels;

/// The objects that are watched: of one namespace, or of all.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) client: &'a Client,
    pub(super) namespace: Option<&'a str>,
}

impl Scope<'_> {
    /// The metadata of the objects of a kind.
    pub(super) fn api<K>(&self) -> Api<PartialObjectMeta<K>>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        match self.namespace {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        }
    }
}

/// A controller with all its watches; what it sees of runtimes is in `store`, by `writer`.
pub(super) async fn controller(
    scope: Scope<'_>,
    store: Store<Runtime>,
    writer: Writer<Runtime>,
) -> Controller<Runtime> {
    let runtimes = watcher(scope.api::<EdgeModelRuntime>(), watcher::Config::default());
    let runtimes = runtimes.reflect(writer).applied_objects().predicate_filter(
        |runtime: &Runtime| Some(event_filter::written_by_others(runtime)),
        PredicateConfig::default(),
    );
    let ours = format!("{}={}", labels::MANAGED_BY, labels::OPERATOR);
    let ours = || watcher::Config::default().labels(&ours);
    let mut controller = Controller::for_stream(runtimes, store)
        .owns(scope.api::<Deployment>(), ours())
        .owns(scope.api::<Service>(), ours())
        .owns(scope.api::<ConfigMap>(), ours())
        .watches(scope.api::<Pod>(), ours(), |pod| runtime_of_pod(&pod));
    let scalers = scope.api::<HorizontalPodAutoscaler>();
    if is_there(&scalers).await {
        let deleted = event_filter::deletions(watcher(scalers, ours()));
        controller = controller.owns_stream(deleted);
    }
    controller
}

/// Whether a kind can be watched: a watch of a missing kind would be retried endlessly.
async fn is_there<K>(objects: &Api<PartialObjectMeta<K>>) -> bool
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + serde::de::DeserializeOwned,
{
    let found = crate::api::call(objects.list_metadata(&ListParams::default().limit(1))).await;
    match found {
        Err(failure) if !failure.is_transient() => {
            let kind = K::kind(&());
            tracing::warn!(%kind, %failure, "Kind cannot be watched, changes take effect after the resync");
            false
        }
        _ => true,
    }
}

fn runtime_of_pod(pod: &PartialObjectMeta<Pod>) -> Option<ObjectRef<Runtime>> {
    let name = pod.annotations().get(labels::RUNTIME_NAME)?;
    Some(ObjectRef::new(name).within(&pod.namespace()?))
}
