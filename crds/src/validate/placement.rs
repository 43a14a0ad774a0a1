//! What Kubernetes asks of tolerations, as the rules of the CRD say it. On a laptop, the rest of `placement` is checked by its
//! shape alone.

use super::Report;
use super::value::Field;

/// Longest time that a toleration may ask for, in seconds.
const LONGEST: i64 = 31_536_000;

/// Checks `placement` of a configuration.
pub(super) fn check(root: &Field, report: &mut Report) {
    let Some(placement) = root.get("placement") else {
        return;
    };
    for one in placement.items("tolerations") {
        toleration(&one, report);
    }
}

/// Reports nothing about a field that the first pass has reported.
fn toleration(one: &Field, report: &mut Report) {
    let has_text = |name: &str| one.text(name).is_some_and(|text| !text.is_empty());
    let exists = match one.text("operator").as_deref() {
        Some("Exists") => true,
        Some("Equal") | None => false,
        Some(_) => return,
    };
    if !exists && !has_text("key") {
        one.report(
            report,
            "takes all taints, since it has no key",
            "name a key, or set the operator Exists",
        );
    }
    if exists && has_text("value") {
        one.report(
            report,
            "has a value, which the operator Exists doesn't compare",
            "leave value out, or use the operator Equal",
        );
    }
    let seconds = one.number::<i64>("tolerationSeconds");
    let limited = seconds.is_some_and(|seconds| (0..=LONGEST).contains(&seconds));
    if limited && one.text("effect").as_deref() != Some("NoExecute") {
        one.report(
            report,
            "has tolerationSeconds without the effect NoExecute",
            "set the effect NoExecute, or leave tolerationSeconds out",
        );
    }
}
