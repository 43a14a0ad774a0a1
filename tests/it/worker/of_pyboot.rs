//! A model of the kind that pyboot was made for, with the libraries of its time.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tests::client::{TestClient, options};
use tests::command::succeeded;
use tests::mosquitto::Mosquitto;
use tests::python::{Absent, of_pyboot};
use tests::running::Running;
use tests::site::{IN, MESSAGE, Models, OUT, file_url, message, seed};

use crds::validated::Qos;

/// As pyboot's models do, it loads what was trained in each call.
const INDEX: &str = "
import os
import joblib
from pyboot.conf import PYBOOT_HOME
from pyboot.logger import log
def handler(event, content):
    path = os.path.dirname(os.path.abspath(__file__))
    name = [name for name in os.listdir(path) if '.model' in name][0]
    operator = joblib.load(os.path.join(path, name))
    event['alarmResult'] = operator.alarm(event['telemetry'])
    log.info('alarm in %s: %s', PYBOOT_HOME, event['alarmResult'])
    return event
";

const OPERATOR: &str = "
import numpy as np
class AlarmOperator(object):
    def __init__(self, scaler, booster):
        self.scaler = scaler
        self.booster = booster
    def alarm(self, telemetry):
        scaled = self.scaler.transform(np.array([[float(telemetry['RC_cylinder1_1P_d_dispPeak'])]]))
        score = self.booster.predict(scaled)[0]
        return {'score': score, 'scaled': scaled, 'level': 'HIGH_ALARM' if score > 0.5 else 'NORMAL'}
";

/// Trains the model of a folder.
const TRAIN: &str = "
import sys
sys.path.insert(0, sys.argv[1])
import joblib, lightgbm, numpy as np
from sklearn.preprocessing import StandardScaler
from progressive_predictor.alarm.alarm_operator import AlarmOperator
values = np.arange(200.0).reshape(-1, 1)
scaler = StandardScaler().fit(values)
booster = lightgbm.LGBMRegressor(n_estimators=20, n_jobs=1).fit(scaler.transform(values), values[:, 0] > 100)
joblib.dump(AlarmOperator(scaler, booster), sys.argv[1] + '/predictor.model')
";

/// Calls the handler of a folder, as a plain script does.
const CALL: &str = "
import json, sys
sys.path[:0] = sys.argv[1:3]
import index
print(json.dumps(index.handler(json.loads(sys.argv[3]), None), default=lambda array: array.tolist()))
";

fn run(python: &Path, script: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(python)
        // Without a locale, Python 3.6 takes arguments for ASCII.
        .env("LC_ALL", "C.UTF-8")
        .args(["-B", "-c", script])
        .args(arguments)
        .output()?;
    succeeded("python3.6", &["-c"], output)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap_or_default()
}

/// A2, A4, with the seed's configuration and message.
#[tokio::test]
#[expect(
    clippy::print_stdout,
    reason = "whoever reads a test's output should see what it did not try"
)]
async fn a4_a_model_of_pyboot_s_time_gives_what_a_plain_call_gives() -> anyhow::Result<()> {
    let python = match of_pyboot() {
        Ok(python) => python,
        Err(error) if error.is::<Absent>() => {
            println!("A4 was not tried: {error:#}");
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let models = Models::new()?;
    let files = [
        ("__init__.py", ""),
        ("progressive_predictor/__init__.py", ""),
        ("progressive_predictor/alarm/__init__.py", ""),
        ("progressive_predictor/alarm/alarm_operator.py", OPERATOR),
    ];
    let folder = models.folder("industry", INDEX, &files)?;
    run(&python, TRAIN, &[text(&folder)])?;

    // Packed by the command, which imports it with its interpreter.
    let zip = models.path().join("command.zip");
    let arguments = [
        "pack",
        text(&folder),
        "--python",
        text(&python),
        "--output",
        text(&zip),
    ];
    let output = Command::new(tests::edgemodel()?).args(arguments).output()?;
    succeeded("edgemodel", &arguments, output)?;
    let packed = models.pack_folder(&folder)?;
    assert_eq!(std::fs::read(&zip)?, std::fs::read(&packed.path)?);

    let broker = Mosquitto::start().await?;
    let config = seed(&broker.url(), &file_url(&zip)?, &packed)?;
    let fields = format!(
        "modelName: industry\n  python: {}\n  hosts: 2",
        python.display()
    );
    let config = config.replace("modelName: industry", &fields);
    let worker = Running::start(&config, &models.installed()).await?;
    worker.ready().await?;
    let results = [(OUT, Qos::AtLeastOnce)];
    let mut reader = TestClient::connected(options(broker.address(), "reader", &results)).await?;
    let mut device = TestClient::connected(options(broker.address(), "device", &[])).await?;

    let host = concat!(env!("CARGO_MANIFEST_DIR"), "/../worker/host/python");
    for (sent, level) in [(MESSAGE.to_owned(), "NORMAL"), (message(150), "HIGH_ALARM")] {
        let plain: Value =
            serde_json::from_str(&run(&python, CALL, &[text(&folder), host, &sent])?)?;
        assert_eq!(plain["alarmResult"]["level"], level, "{plain}");
        device.send(IN, sent, Qos::AtLeastOnce).await?;
        let result: Value = serde_json::from_slice(reader.take().await?.payload.as_ref())?;
        assert_eq!(result, plain);
    }
    let status = worker.status().await?;
    let host = &status["models"][0]["hosts"][0];
    assert_eq!(host["host"], "portable", "{status:#}");
    let version = host["python"].as_str().unwrap_or_default();
    assert!(version.starts_with("cpython 3.6."), "{version}");
    worker.stop().await?;
    Ok(())
}
