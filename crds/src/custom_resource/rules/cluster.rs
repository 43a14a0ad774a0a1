//! Secrets, images, placement and the model cache.

use super::{Rule, quoting, rule};

pub(super) fn rules() -> Vec<Rule> {
    vec![
        object_name("spec.mqtts[].credentialsSecretRef.name"),
        object_name("spec.mqtts[].tls.secretRef.name"),
        object_name("spec.imagePullSecrets[]"),
        object_name("spec.modelCache.claimName"),
        quoting(
            "spec.image",
            r"!self.matches('[\\s\\p{Cc}]')",
            "is not an image; write it as registry/name:tag, without blanks",
        ),
        rule(
            "spec.placement.nodeSelector",
            "self.all(k, k.size() >= 1 && k.size() <= 317)",
            "a label has a key of 1 to 317 characters",
        ),
        rule(
            "spec.placement.tolerations[]",
            "(has(self.key) && self.key != '') || (has(self.operator) && self.operator == 'Exists')",
            "without a key a toleration takes all taints, and that needs the operator Exists",
        ),
        rule(
            "spec.placement.tolerations[]",
            "!has(self.operator) || self.operator != 'Exists' || !has(self.value) || self.value == ''",
            "the operator Exists compares no value; leave value out, or use the operator Equal",
        ),
        rule(
            "spec.placement.tolerations[]",
            "!has(self.tolerationSeconds) || (has(self.effect) && self.effect == 'NoExecute')",
            "tolerationSeconds is for the effect NoExecute alone; set that, or leave tolerationSeconds out",
        ),
        rule(
            "spec.modelCache",
            "!has(self.hostPath) || !has(self.claimName)",
            "hostPath and claimName are both given; models are kept in one place, so leave one out",
        ),
        quoting(
            "spec.modelCache.hostPath",
            r"self.startsWith('/') && !self.matches('(^|/)[.][.](/|$)|\\p{Cc}')",
            "is not an absolute path; write it as /var/lib/edgemodel, without ..",
        ),
        quoting(
            "spec.modelCache.sizeLimit",
            "isQuantity(self) && quantity(self).isGreaterThan(quantity('0'))",
            "is not a quantity; write it as 500Mi or 2Gi",
        ),
    ]
}

/// Amounts of processor and memory by their kinds.
pub(super) fn quantities(path: &'static str) -> Rule {
    rule(
        path,
        "self.all(k, k in ['cpu', 'memory', 'ephemeral-storage'] && isQuantity(self[k]) && quantity(self[k]).isGreaterThan(quantity('0')))",
        "give cpu, memory or ephemeral-storage, each with a quantity above 0 such as 500m or 256Mi",
    )
}

/// The name of another object.
fn object_name(path: &'static str) -> Rule {
    quoting(
        path,
        "self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",
        "is not the name of an object; use lower case letters, digits, - and .",
    )
}
