//! What a scrape shows.

use crds::status::{Condition, ExposeStatus, ModelStatus, RuntimeStatus};

use super::Metrics;

fn status(ready: bool, models: &[&str]) -> RuntimeStatus {
    let word = if ready { "True" } else { "False" };
    RuntimeStatus {
        conditions: vec![Condition {
            r#type: "Ready".to_owned(),
            status: word.to_owned(),
            ..Condition::default()
        }],
        models: models
            .iter()
            .map(|name| ModelStatus {
                name: (*name).to_owned(),
                ready,
                ..ModelStatus::default()
            })
            .collect(),
        expose: ["Exposed", "PortTaken"]
            .map(|reason| ExposeStatus {
                name: reason.to_lowercase(),
                reason: reason.into(),
                // An older port that still serves.
                port: Some(30_001),
                ..ExposeStatus::default()
            })
            .into(),
        ..RuntimeStatus::default()
    }
}

fn rendered(metrics: &Metrics) -> String {
    String::from_utf8(metrics.render()).unwrap()
}

/// The gauge of a removed model would keep an alert firing forever.
#[test]
fn series_come_and_go_with_runtimes_models_and_ports() {
    let metrics = Metrics::default();
    metrics.observed("a", "plant", &status(false, &["one", "two"]));
    let text = rendered(&metrics);
    for line in [
        r#"edgemodel_operator_runtime_condition{namespace="a",runtime="plant",type="Ready"} 0"#,
        r#"edgemodel_operator_model_ready{model="two",namespace="a",runtime="plant"} 0"#,
        r#"edgemodel_operator_port_exposed{namespace="a",port="exposed",runtime="plant"} 1"#,
        r#"edgemodel_operator_port_exposed{namespace="a",port="porttaken",runtime="plant"} 0"#,
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    metrics.observed("a", "plant", &status(true, &["one"]));
    let text = rendered(&metrics);
    assert!(text.contains(r#"{namespace="a",runtime="plant",type="Ready"} 1"#));
    assert!(text.contains(r#"{model="one",namespace="a",runtime="plant"} 1"#));
    assert!(!text.contains("two"), "{text}");
    metrics.observed("b", "plant", &status(true, &[]));
    metrics.follow(|namespace, name| (namespace, name) == ("b", "plant"));
    let text = rendered(&metrics);
    assert!(text.contains(r#"namespace="b""#), "{text}");
    assert!(!text.contains(r#"namespace="a""#), "{text}");
}
