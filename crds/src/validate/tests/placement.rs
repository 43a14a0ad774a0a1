//! Tolerations: `edgemodel check` and the CRD agree on what they are; see `crds/tests/admission/placement.rs`.

use super::{accepts, rejects};

fn with(toleration: &str) -> String {
    format!("placement: {{tolerations: [{toleration}]}}\nmqtts:")
}

#[test]
fn tolerations_are_as_kubernetes_takes_them() {
    for toleration in [
        "{operator: Exists}",
        "{key: a}",
        "{key: a, operator: Equal, value: b}",
        "{key: a, operator: Exists, value: ''}",
        "{key: a, value: b, effect: NoExecute, tolerationSeconds: 0}",
        "{key: a, effect: NoSchedule}",
    ] {
        accepts("mqtts:", &with(toleration));
    }
    for (toleration, expected) in [
        ("{}", "name a key, or set the operator Exists"),
        ("{key: ''}", "name a key"),
        ("{value: b}", "name a key"),
        ("{operator: Equal, value: b}", "name a key"),
        ("{key: a, operator: Exists, value: b}", "leave value out"),
        ("{key: a, tolerationSeconds: 1}", "NoExecute"),
        (
            "{key: a, effect: NoSchedule, tolerationSeconds: 1}",
            "NoExecute",
        ),
    ] {
        rejects("mqtts:", &with(toleration), expected);
    }
}
