//! Several models in one worker, none of which can harm another.

use std::collections::BTreeMap;

use crds::validated::Qos;
use packages::Packed;
use serde_json::Value;
use tests::client::{TestClient, options};
use tests::mosquitto::Mosquitto;
use tests::python::scientific;
use tests::running::Running;
use tests::site::{Models, file_url};

const PURE: &str = "
def handler(event, context):
    return {'model': 'pure', 'n': event['n']}
";

/// The one that is made to misbehave.
const NUMPY: &str = "
import ctypes, os, time
import numpy as np
kept = []
def handler(event, context):
    what = event.get('what')
    if what == 'hang':
        time.sleep(3600)
    if what == 'crash':
        ctypes.string_at(0)
    if what == 'leak':
        kept.append(np.ones(30 << 20, dtype=np.uint8))
    return {'model': 'numpy', 'n': np.int64(event['n']), 'mean': np.mean([1.0, 2.0])}
";

const SKLEARN: &str = "
import os, pickle
with open(os.path.join(os.path.dirname(__file__), 'model.pickle'), 'rb') as file:
    model = pickle.load(file)
def handler(event, context):
    return {'model': 'sklearn', 'n': event['n'], 'y': model.predict([[1.0]])[0]}
";

fn sklearn(models: &Models, python: &std::path::Path) -> anyhow::Result<Packed> {
    let folder = models.path().join("sklearn");
    std::fs::create_dir(&folder)?;
    std::fs::write(folder.join("index.py"), SKLEARN)?;
    let train = "
import pickle, sys
from sklearn.linear_model import LinearRegression
with open(sys.argv[1], 'wb') as file:
    pickle.dump(LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0]), file)
";
    let trained = std::process::Command::new(python)
        .args(["-c", train])
        .arg(folder.join("model.pickle"))
        .status()?;
    anyhow::ensure!(trained.success(), "the estimator was not trained");
    models.pack_folder(&folder)
}

/// A configuration with these models, each with its interpreter, for the same devices.
fn configuration(broker: &Mosquitto, packed: &[(&str, Packed, String)]) -> anyhow::Result<String> {
    let mut funcs = String::new();
    for (name, zip, python) in packed {
        let (address, md5) = (file_url(&zip.path)?, zip.md5);
        funcs += &format!(
            "- modelName: {name}\n  modelAddress: {address}\n  modelMd5: {md5}\n  python: {python}\n  \
             timeout: 500ms\n  devices:\n"
        );
        // A device for each kind of message: one that ends too many hosts is quarantined.
        for what in ["fine", "hang", "crash", "leak"] {
            funcs += &format!(
                "  - deviceName: {what}\n    deviceAttr:\n    - {{attrName: k, attrValue: {what}, \
                 attrExpression: \"== data_to_dict['what']\"}}\n"
            );
        }
    }
    Ok(format!(
        "mqtts:\n- {{name: m, broker: '{}'}}\nrules:\n- sub: {{name: m, topic: in}}\n  pub: {{name: m, \
         topic: out, deadLetterTopic: dead}}\nfuncs:\n{funcs}",
        broker.url()
    ))
}

#[tokio::test]
async fn a_model_that_hangs_crashes_and_leaks_leaves_the_others_untouched() -> anyhow::Result<()> {
    let broker = Mosquitto::start().await?;
    let models = Models::new()?;
    let python = scientific()?;
    let packed = [
        ("pure", models.pack("pure", PURE)?, "python3".to_owned()),
        (
            "numpy",
            models.pack("numpy", NUMPY)?,
            python.display().to_string(),
        ),
        (
            "sklearn",
            sklearn(&models, &python)?,
            python.display().to_string(),
        ),
    ];
    let config = configuration(&broker, &packed)?;
    let worker = Running::start(&config, &models.installed()).await?;
    worker.ready().await?;
    let results = [("out", Qos::AtLeastOnce), ("dead", Qos::AtLeastOnce)];
    let mut reader = TestClient::connected(options(broker.address(), "r", &results)).await?;
    let mut device = TestClient::connected(options(broker.address(), "d", &[])).await?;

    let mut sent = 0;
    let mut came: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let mut letters: Vec<Value> = Vec::new();
    for what in ["fine", "hang", "fine", "crash", "fine", "leak", "fine"] {
        for _ in 0..10 {
            let message = format!("{{\"n\": {sent}, \"what\": \"{what}\"}}");
            device.send("in", message, Qos::AtLeastOnce).await?;
            sent += 1;
            if what == "hang" || what == "crash" {
                break;
            }
        }
    }
    while came.values().map(Vec::len).sum::<usize>() + letters.len() < 3 * sent {
        let message = reader.take().await?;
        let value: Value = serde_json::from_slice(&message.payload)?;
        if &*message.topic == "dead" {
            letters.push(value);
        } else {
            let model = value["model"].as_str().unwrap_or_default().to_owned();
            came.entry(model)
                .or_default()
                .push(value["n"].as_u64().unwrap_or(u64::MAX));
        }
    }
    let all: Vec<u64> = (0..sent as u64).collect();
    assert_eq!(came["pure"], all);
    assert_eq!(came["sklearn"], all);
    assert_eq!(came["numpy"].len(), sent - 2);
    let reasons: Vec<_> = letters
        .iter()
        .map(|letter| letter["reason"].clone())
        .collect();
    assert_eq!(reasons, ["timeout", "crash"]);

    let status = worker
        .until(|status| status["models"][1]["ledger"]["in_flight"] == 0)
        .await?;
    let host = |model: usize| &status["models"][model]["hosts"][0];
    assert_eq!(host(1)["restarts"], 4, "{status:#}");
    assert_eq!(
        (&host(0)["restarts"], &host(2)["restarts"]),
        (&0.into(), &0.into())
    );
    let leaked = host(1)["residentBytes"].as_u64().unwrap_or(0);
    assert!(leaked > 10 * (30 << 20), "the leak shows: {leaked}");
    for model in 0..3 {
        let ledger = &status["models"][model]["ledger"];
        let sum: u64 = [
            "published",
            "unmatched",
            "empty",
            "failed",
            "dead_lettered",
            "dropped",
            "in_flight",
        ]
        .iter()
        .map(|name| ledger[name].as_u64().unwrap_or(u64::MAX))
        .sum();
        assert_eq!(ledger["received"], sum, "{ledger:#}");
    }
    worker.stop().await?;
    Ok(())
}
