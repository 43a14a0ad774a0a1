//! Argo CD's health of a runtime in every situation that has a golden status, by a real Lua. Argo CD's own is of the same
//! version, 5.1.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

const HEALTH: &str = include_str!("../../../deploy/argocd/health.lua");

/// What each situation is to someone who looks at an application.
const EXPECTED: [(&str, &[&str]); 4] = [
    (
        "Healthy",
        &[
            "all-ready",
            "empty",
            "labels-lost",
            "nothing-to-do",
            "ports-swapped",
            "renamed-at-last",
            "renamed-then",
            "unread-now",
        ],
    ),
    (
        "Degraded",
        &[
            "deployment-refused",
            "deployment-stuck",
            "invalid-spec",
            "name-taken",
            "name-taken-by-another",
            "port-out-of-range",
            "sample-rolling-out",
            "unknown-field",
            "withheld-goes-on",
        ],
    ),
    ("Suspended", &["paused", "paused-and-changed"]),
    (
        "Progressing",
        &[
            "autoscaler-comes",
            "autoscaler-stays",
            "child-terminating",
            "cluster-ip",
            "deployment-fails-again",
            // Nothing was reported yet.
            "deployment-fails-once",
            "deployment-not-looked-up",
            "host-port",
            "keda-absent",
            // A status without a generation is not about this spec.
            "namespace-terminating",
            "pod-killed",
            "pod-late",
            "pod-refuses",
            "pod-unscheduled",
            "pod-without-image",
            "port-taken",
            "port-taken-by-none",
            "reconfigured",
            "removed-with-a-pod-left",
            "renamed-first",
            "replaced",
            "runtime-before-is-leaving",
            "scaled",
            "scaled-held",
            "scaled-held-while-old-one-stays",
            "secret-key-missing",
            "secret-missing",
            "unread",
        ],
    ),
];

/// The golden statuses by name.
fn statuses() -> BTreeMap<String, Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/statuses");
    let files = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let read = |path: std::path::PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let report: Value = serde_saphyr::from_str(&text).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, report["status"].clone())
    };
    files.map(read).collect()
}

/// A JSON value as Lua writes it; Argo CD, too, leaves null out.
fn lua(value: &Value, text: &mut String) {
    match value {
        Value::Null => text.push_str("nil"),
        Value::Object(fields) => {
            text.push('{');
            for (name, field) in fields {
                write!(text, "[{name:?}]=").unwrap();
                lua(field, text);
                text.push(',');
            }
            text.push('}');
        }
        Value::Array(list) => {
            text.push('{');
            for one in list {
                lua(one, text);
                text.push(',');
            }
            text.push('}');
        }
        // Messages have neither control characters nor backslashes.
        other => write!(text, "{other}").unwrap(),
    }
}

/// Status and message of the health of an object.
fn health(object: &Value) -> (String, String) {
    let mut script = "obj = ".to_owned();
    lua(object, &mut script);
    write!(script, "\nlocal function health()\n{HEALTH}\nend\n").unwrap();
    script
        .push_str("local hs = health()\nio.write(hs.status, '\\n', hs.message or 'no message')\n");
    let output = Command::new("lua5.1").arg("-e").arg(&script).output();
    let output = output.expect("lua5.1 is there; tests/tools.sh installs it");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{script}");
    let text = String::from_utf8(output.stdout).unwrap();
    let (status, message) = text.split_once('\n').unwrap();
    (status.to_owned(), message.to_owned())
}

#[test]
fn every_situation_has_a_health_in_argo_cd() {
    let mut wrong = Vec::new();
    let mut statuses = statuses();
    for (expected, names) in EXPECTED {
        for name in names {
            let status = statuses.remove(*name).expect(name);
            let observed = &status["observedGeneration"];
            let generation = observed.as_i64().unwrap_or(1);
            let object = json!({ "metadata": { "generation": generation }, "status": status });
            let (health, message) = health(&object);
            if health != expected || message.is_empty() {
                wrong.push(format!("{name}: {health} ({message}), not {expected}"));
            }
            // A later spec that the operator has not seen.
            let object = json!({ "metadata": { "generation": generation + 1 }, "status": status });
            assert_eq!(health_of(&object), "Progressing", "{name}");
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(
        statuses.is_empty(),
        "not in the table: {:?}",
        statuses.keys()
    );
}

fn health_of(object: &Value) -> String {
    health(object).0
}

#[test]
fn a_runtime_that_no_operator_has_seen_is_in_progress() {
    for status in [Value::Null, json!({ "observedGeneration": -1 })] {
        let object = json!({ "metadata": { "generation": 1 }, "status": status });
        let said = "the operator has not seen this spec yet";
        assert_eq!(health(&object), ("Progressing".to_owned(), said.to_owned()));
    }
}

#[test]
fn a_warning_is_shown_and_harms_nothing() {
    let object = json!({ "metadata": { "generation": 1 }, "status": {
        "observedGeneration": 1,
        "conditions": [
            { "type": "Ready", "status": "True", "message": "all models serve" },
            { "type": "Warning", "status": "True", "message": "no kube-proxy there" },
        ],
    }});
    let expected = ("Healthy".to_owned(), "no kube-proxy there".to_owned());
    assert_eq!(health(&object), expected);
}
