//! The API server's own record of what an account calls.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};

pub(super) struct Audit {
    folder: tempfile::TempDir,
}

impl Audit {
    /// For a service account, by namespace and name.
    pub(super) fn new([namespace, name]: [&str; 2]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let policy = json!({
            "apiVersion": "audit.k8s.io/v1",
            "kind": "Policy",
            "omitStages": ["RequestReceived", "ResponseStarted"],
            "rules": [
                {
                    "level": "Metadata",
                    "users": [format!("system:serviceaccount:{namespace}:{name}")],
                },
                { "level": "None" },
            ],
        });
        std::fs::write(folder.path().join("policy.json"), policy.to_string())?;
        Ok(Self { folder })
    }

    /// What makes an API server keep it.
    pub(super) fn flags(&self) -> Vec<String> {
        let policy = self.folder.path().join("policy.json");
        vec![
            format!("--audit-policy-file={}", policy.display()),
            format!("--audit-log-path={}", self.log().display()),
            "--audit-log-maxsize=1000".to_owned(),
        ]
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("audit.log")
    }

    /// How many calls there were.
    pub(super) fn len(&self) -> anyhow::Result<usize> {
        Ok(std::fs::read_to_string(self.log())?.lines().count())
    }

    /// A table of the calls after the first so many: verb, resource and answer.
    pub(super) fn calls(&self, after: usize) -> anyhow::Result<String> {
        let log = std::fs::read_to_string(self.log())?;
        let mut counts = BTreeMap::<String, usize>::new();
        for line in log.lines().skip(after) {
            // The last line may be half written.
            let Ok(event) = serde_json::from_str::<Value>(line) else {
                continue;
            };
            let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let (verb, object) = (word(&event["verb"]), &event["objectRef"]);
            let mut resource = word(&object["resource"]);
            if let Some(part) = object["subresource"].as_str() {
                resource = format!("{resource}/{part}");
            }
            let code = &event["responseStatus"]["code"];
            let key = format!("{verb} {resource} {code}");
            *counts.entry(key).or_default() += 1;
        }
        let mut table = String::new();
        for (call, count) in &counts {
            writeln!(table, "{count:8} {call}")?;
        }
        writeln!(table, "{:8} in all", counts.values().sum::<usize>())?;
        Ok(table)
    }
}
