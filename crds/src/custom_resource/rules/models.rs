//! Models, devices and scaling.

use crate::cluster::Autoscaling;

use super::{Rule, name, quoting, rule, saying, time_span, under};

/// The grammar of [`crate::expression`], but for digits after a backslash: a rule in CEL would cost too
/// much on half a million attributes. Named groups tell what is expected where.
pub(super) const EXPRESSION: &str = r#"^[ \t\f]*(?P<operator>==|!=|<=|>=|<|>|((not[ \t\f]+)?in[ \t\f]))[ \t\f]*data_to_dict([ \t\f]*\[\s*(?P<key_or_index>'([^'\\\n\r]|\\[^N\r])*'|"([^"\\\n\r]|\\[^N\r])*"|[+-]?\s*[0-9]{1,19})\s*\])*[ \t\f]*$"#;

/// Most of what all devices together may be, in characters and as [`DEVICES`] counts: about 1000 devices
/// of pyboot's kind, and less than etcd takes even when each character is six bytes there.
const MOST: u32 = 200_000;

/// As [`name`] says, for as many devices as there may be.
pub(super) const DEVICE_NAME: &str = r"^\P{Cc}*[^\s\p{Z}\p{Cc}]\P{Cc}*$";

const MIN_REPLICAS: u16 = Autoscaling::MIN_REPLICAS;
const MAX_REPLICAS: u16 = Autoscaling::MAX_REPLICAS;

const ADDRESS: &str =
    r"self.matches('^(?i)https?://([^\\s/?#@:\\[\\]]+|\\[[0-9a-f:.]+\\])(:[0-9]{1,5})?/[^\\s]+$')";

/// Characters of all devices, and something for the names of their fields.
const DEVICES: &str = "self.funcs.map(f, has(f.devices) ? f.devices.map(d, d.deviceName.size() + 15 + (has(d.deviceAttr) ? d.deviceAttr.map(a, (has(a.attrName) ? a.attrName.size() : 0) + a.attrValue.size() + a.attrExpression.size() + 20).sum() : 0)).sum() : 0).sum()";

pub(super) fn rules() -> Vec<Rule> {
    vec![
        under(
            ".funcs",
            rule(
                "spec",
                format!("!has(self.funcs) || {DEVICES} <= {MOST}"),
                "the devices of all models are too much for one object: names, values and expressions together may have 200000 characters, where each device counts 15 more and each attribute 20 more; divide the models among several runtimes",
            ),
        ),
        name("spec.funcs[].modelName"),
        saying(
            "spec.funcs[].modelAddress",
            ADDRESS,
            // The address is not repeated where it may hold a password.
            r#"(self.contains('@') ? 'the address' : '"' + self + '"') + ' is not one that workers can load from; write it as http://host/path/model.zip or https://host/path/model.zip, without user and password'"#,
            "write it as http://host/path/model.zip or https://host/path/model.zip, without user and password",
        ),
        time_span("spec.funcs[].timeout"),
        time_span("spec.funcs[].startTimeout"),
        rule(
            "spec.funcs[].autoscaling",
            format!(
                "(has(self.minReplicas) ? self.minReplicas : {MIN_REPLICAS}) <= (has(self.maxReplicas) ? self.maxReplicas : {MAX_REPLICAS})"
            ),
            format!(
                "minReplicas (default {MIN_REPLICAS}) is more than maxReplicas (default {MAX_REPLICAS}); raise maxReplicas or lower minReplicas"
            ),
        ),
        rule(
            "spec.funcs[].autoscaling",
            "!has(self.class) || self.class != 'keda' || has(self.prometheusAddress)",
            "class keda needs prometheusAddress; write the address of the Prometheus that KEDA asks, as http://prometheus.monitoring:9090",
        ),
        quoting(
            "spec.funcs[].autoscaling.prometheusAddress",
            r"self.matches('^(?i)https?://([^\\s/?#@:\\[\\]]+|\\[[0-9a-f:.]+\\])(:[0-9]{1,5})?(/[^\\s]*)?$')",
            "is not an address; write it as http://prometheus.monitoring:9090",
        ),
        super::cluster::quantities("spec.funcs[].resources.requests"),
        super::cluster::quantities("spec.funcs[].resources.limits"),
        rule(
            "spec.funcs[].resources",
            "!has(self.requests) || !has(self.limits) || self.requests.all(k, !(k in self.limits) || !isQuantity(self.requests[k]) || !isQuantity(self.limits[k]) || quantity(self.requests[k]).compareTo(quantity(self.limits[k])) <= 0)",
            "a request is more than its limit; raise the limit or lower the request",
        ),
    ]
}
