//! What the chart, the images and the docs repeat of `crds::contract`, since they cannot read it.

use crds::contract::{self, env, metric, mount, path};

const DEPLOYMENT: &str = include_str!("../../../charts/edgemodel/templates/deployment.yaml");
const HELPERS: &str = include_str!("../../../charts/edgemodel/templates/_helpers.tpl");
const MONITOR: &str = include_str!("../../../charts/edgemodel/templates/service-monitor.yaml");
const OF_OPERATOR: &str = include_str!("../../../deploy/Dockerfile.operator");
const OF_WORKER: &str = include_str!("../../../deploy/Dockerfile.worker");
const README: &str = include_str!("../../../README.md");
const RUNBOOKS: &str = include_str!("../../../docs/runbooks.md");

#[test]
fn chart_images_and_docs_repeat_the_contract() {
    let port = contract::OPERATOR_HTTP_PORT;
    let user = contract::USER;
    let worker_port = contract::HTTP_PORT;
    for (name, text, expected) in [
        ("deployment", DEPLOYMENT, format!("containerPort: {port}\n")),
        (
            "deployment",
            DEPLOYMENT,
            format!("prometheus.io/port: \"{port}\"\n"),
        ),
        ("deployment", DEPLOYMENT, format!("path: {}\n", path::READY)),
        ("deployment", DEPLOYMENT, format!("path: {}\n", path::LIVE)),
        ("helpers", HELPERS, format!("name: {}\n", env::LOG)),
        ("helpers", HELPERS, format!("runAsUser: {user}\n")),
        ("monitor", MONITOR, format!("port: {port}\n")),
        ("operator image", OF_OPERATOR, format!("EXPOSE {port}\n")),
        (
            "operator image",
            OF_OPERATOR,
            format!("USER {user}:{user}\n"),
        ),
        ("worker image", OF_WORKER, format!("EXPOSE {worker_port}\n")),
        ("worker image", OF_WORKER, format!("USER {user}:{user}\n")),
        (
            "worker image",
            OF_WORKER,
            format!("{}={}\n", env::MODELS_DIR, mount::MODELS_DIR),
        ),
        ("README", README, format!("(default port {worker_port})")),
        ("README", README, path::QUEUE_SIZES.to_owned()),
        ("runbooks", RUNBOOKS, format!("port {worker_port}")),
        (
            "runbooks",
            RUNBOOKS,
            format!("localhost:{worker_port}{}", path::STATUS),
        ),
        ("alerts", super::RULES, metric::QUEUE_DEPTH.to_owned()),
        ("alerts", super::RULES, metric::MODEL_UTILIZATION.to_owned()),
    ] {
        assert!(text.contains(&expected), "{name} has no {expected:?}");
    }
}
