//! What each operation comes to.

use super::operation::{Change, Operation};

/// Properties of a laptop's configuration that a cluster refuses, and a word of what it says instead.
const REFUSED: [(&str, &str); 19] = [
    ("databases[].usernameFile", "credentialsSecretRef"),
    ("databases[].passwordFile", "credentialsSecretRef"),
    (
        "funcs[].modelCredentials.usernameFile",
        "modelCredentialsSecretRef",
    ),
    (
        "funcs[].modelCredentials.passwordFile",
        "modelCredentialsSecretRef",
    ),
    (
        "funcs[].modelCredentials.tokenFile",
        "modelCredentialsSecretRef",
    ),
    (
        "funcs[].modelCredentials.headerFile",
        "modelCredentialsSecretRef",
    ),
    (
        "funcs[].modelCredentials.accessKeyFile",
        "modelCredentialsSecretRef",
    ),
    (
        "funcs[].modelCredentials.secretKeyFile",
        "modelCredentialsSecretRef",
    ),
    (
        "funcs[].modelCredentials.sessionTokenFile",
        "modelCredentialsSecretRef",
    ),
    (
        "funcs[].modelCredentials.caFile",
        "modelCredentialsSecretRef",
    ),
    (
        "funcs[].modelCredentials.certFile",
        "modelCredentialsSecretRef",
    ),
    (
        "funcs[].modelCredentials.keyFile",
        "modelCredentialsSecretRef",
    ),
    ("mqtts[].auth.username", "credentialsSecretRef"),
    ("mqtts[].auth.usernameFile", "credentialsSecretRef"),
    ("mqtts[].auth.password", "credentialsSecretRef"),
    ("mqtts[].auth.passwordFile", "credentialsSecretRef"),
    ("mqtts[].tls.caFile", "secretRef"),
    ("mqtts[].tls.certFile", "secretRef"),
    ("mqtts[].tls.keyFile", "secretRef"),
];

/// Operations that the rest of the spec does not allow, and a word of what is said.
const IMPOSSIBLE: [(&str, &str); 5] = [
    (
        "mqtts empty",
        "a sub.name is not the name of an entry in mqtts",
    ),
    ("rules[].sub.topic absent", "there is no topic"),
    (
        "funcs[].autoscaling.minReplicas most",
        "minReplicas (default 1) is more than maxReplicas",
    ),
    (
        "funcs[].autoscaling.maxReplicas least",
        "minReplicas (default 1) is more than maxReplicas",
    ),
    (
        "placement.tolerations[].key absent",
        "without a key a toleration takes all taints",
    ),
];

/// Properties that no child shows; that of a database, as long as no model names it.
const STATUS_ONLY: [&str; 2] = ["expose[].desc", "databases[].name"];

/// Operations that no child shows: a broker that no rule names, a database that no model names.
const QUIET: [&str; 5] = [
    "mqtts push",
    "mqtts pop",
    "databases push",
    "databases pop",
    "databases empty",
];

/// Operations that admission takes and a condition tells to be wrong, and its reason; what was before goes on.
const TOLD: [(&str, &str); 1] = [("rules empty", "InvalidSpec")];

/// Properties for which no worker has to restart: they concern what is round it, or the next time that it starts.
const WITHOUT_ROLLOUT: [&str; 10] = [
    "funcs[].modelAddress",
    "funcs[].modelS3.endpoint",
    "funcs[].modelS3.region",
    "funcs[].modelS3.pathStyle",
    "funcs[].autoscaling.minReplicas",
    "funcs[].autoscaling.maxReplicas",
    "funcs[].autoscaling.targetQueueDepth",
    "funcs[].autoscaling.targetUtilization",
    "expose[].outPort",
    "expose[].desc",
];

/// What an operation comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// A child shows it (O7).
    Shows,
    /// No child shows it.
    Quiet,
    /// No child shows it, and a condition tells why, by this reason.
    Told(&'static str),
    /// Admission refuses it, with this word.
    Refused(&'static str),
}

impl Operation {
    /// What it comes to.
    pub(super) fn effect(&self) -> Effect {
        let name = self.name();
        let of_path = REFUSED.iter().find(|(of, _)| *of == self.path);
        let of_name = IMPOSSIBLE.iter().find(|(of, _)| *of == name);
        if let Some((_, word)) = of_path.or(of_name) {
            Effect::Refused(word)
        } else if let Some((_, reason)) = TOLD.iter().find(|(of, _)| *of == name) {
            Effect::Told(reason)
        } else if STATUS_ONLY.contains(&self.path.as_str())
            || QUIET.contains(&name.as_str())
            || matches!(self.change, Change::Reorder)
        {
            Effect::Quiet
        } else {
            Effect::Shows
        }
    }

    /// Whether it is taken and nothing is wrong with it.
    pub(super) fn is_valid(&self) -> bool {
        matches!(self.effect(), Effect::Shows | Effect::Quiet)
    }

    /// Whether admission refuses it.
    pub(super) fn is_refused(&self) -> bool {
        matches!(self.effect(), Effect::Refused(_))
    }

    /// Whether workers go on as they are.
    pub(super) fn is_without_rollout(&self) -> bool {
        WITHOUT_ROLLOUT.contains(&self.path.as_str())
    }
}
