//! The kinds of objects that the operator writes.

use kube::core::{ApiResource, GroupVersionKind};

/// A kind of child.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A worker's configuration.
    ConfigMap,
    /// The workers of a model.
    Deployment,
    /// A port.
    Service,
    /// What scales the workers of a model.
    HorizontalPodAutoscaler,
    /// What scales the workers of a model, by KEDA.
    ScaledObject,
}

impl Kind {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConfigMap => "ConfigMap",
            Self::Deployment => "Deployment",
            Self::Service => "Service",
            Self::HorizontalPodAutoscaler => "HorizontalPodAutoscaler",
            Self::ScaledObject => "ScaledObject",
        }
    }

    /// Whether it scales the workers of a model.
    pub fn is_autoscaler(self) -> bool {
        matches!(self, Self::HorizontalPodAutoscaler | Self::ScaledObject)
    }

    /// Where the API server has it.
    pub fn resource(self) -> ApiResource {
        let (group, version, plural) = match self {
            Self::ConfigMap => ("", "v1", "configmaps"),
            Self::Service => ("", "v1", "services"),
            Self::Deployment => ("apps", "v1", "deployments"),
            Self::HorizontalPodAutoscaler => ("autoscaling", "v2", "horizontalpodautoscalers"),
            Self::ScaledObject => ("keda.sh", "v1alpha1", "scaledobjects"),
        };
        let kind = GroupVersionKind::gvk(group, version, self.as_str());
        ApiResource::from_gvk_with_plural(&kind, plural)
    }
}
