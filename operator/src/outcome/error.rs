//! What blocks a child.

use crds::Reason;

use crate::api::Failure;
use crate::kind::Kind;

/// What blocks a child.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ApplyError {
    /// An object of that name is not ours.
    #[error("{} {name:?} is {owner}; delete it or rename what it is for", kind.as_str())]
    NameConflict {
        /// Kind of the object.
        kind: Kind,
        /// Its name.
        name: String,
        /// Whose it is.
        owner: String,
    },
    /// The object of that name is being deleted.
    #[error("{} {name:?} of {owner} is still being deleted", kind.as_str())]
    Terminating {
        /// Kind of the object.
        kind: Kind,
        /// Its name.
        name: String,
        /// Which runtime it belongs to.
        owner: &'static str,
    },
    /// The API server does not give this port to Services.
    #[error(
        "outPort {port} is outside the API server's range {range}; choose one in it, or start kube-apiserver with \
         --service-node-port-range=30000-60000"
    )]
    PortOutOfRange {
        /// The port that the spec asks for.
        port: u16,
        /// The ports that there are.
        range: String,
    },
    /// The API server has given the port to a Service already.
    #[error("outPort {port} {holder}")]
    PortTaken {
        /// The port that the spec asks for.
        port: u16,
        /// Which Service has it.
        holder: PortHolder,
    },
    /// It was deleted, to be recreated.
    #[error("{} {name:?} could not be changed in place; it was deleted and is being recreated", kind.as_str())]
    Replaced {
        /// Kind of the object.
        kind: Kind,
        /// Its name.
        name: String,
    },
    /// A call failed.
    #[error("{} {name:?}: {failure}", kind.as_str())]
    Failure {
        /// Kind of the object.
        kind: Kind,
        /// Its name.
        name: String,
        /// What failed.
        failure: Failure,
    },
}

/// Which Service has a port.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PortHolder {
    /// This one.
    #[error(
        "is taken by Service {name:?} in namespace {namespace:?}; choose another, or free it there"
    )]
    Service {
        /// Its name.
        name: String,
        /// Its namespace.
        namespace: String,
    },
    /// One that the operator may not read.
    #[error(
        "is taken by a Service in a namespace that the operator may not read; choose another, or find its holder with \
         `kubectl get services --all-namespaces`"
    )]
    Hidden,
    /// None: the API server has not released the port of a Service that was deleted.
    #[error(
        "is allocated, but no Service has it; kube-apiserver releases such a port within a few minutes: wait, or choose \
         another"
    )]
    NoService,
}

impl ApplyError {
    /// The failure of a call about an object.
    pub fn of(kind: Kind, name: &str, failure: Failure) -> Self {
        let name = name.to_owned();
        Self::Failure {
            kind,
            name,
            failure,
        }
    }

    /// A reason for conditions.
    pub fn reason(&self) -> Reason {
        match self {
            Self::NameConflict { .. } => Reason::NameConflict,
            Self::Terminating { .. } => Reason::WaitingForDeletion,
            Self::PortOutOfRange { .. } => Reason::PortOutOfRange,
            Self::PortTaken { .. } => Reason::PortTaken,
            Self::Replaced { .. } => Reason::Replaced,
            Self::Failure {
                kind: Kind::ScaledObject,
                failure,
                ..
            } if failure.is_not_found() => Reason::ApiAbsent,
            Self::Failure { failure, .. } => failure.reason(),
        }
    }

    /// Whether the same call may succeed in a moment.
    pub fn is_transient(&self) -> bool {
        self.failure().is_some_and(Failure::is_transient)
    }

    /// Kind and name of the object that a call failed about.
    pub fn object(&self) -> Option<(Kind, &str)> {
        match self {
            Self::Failure { kind, name, .. } => Some((*kind, name)),
            _ => None,
        }
    }

    /// The call that failed.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failure { failure, .. } => Some(failure),
            _ => None,
        }
    }
}
