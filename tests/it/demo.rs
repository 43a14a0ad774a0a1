//! `edgemodel demo` and `edgemodel simulate`: what people try first.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyhow::Context as _;
use crds::validated::Qos;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tests::client::{TestClient, options};
use tests::mosquitto::Mosquitto;
use tests::site::IN;

#[test]
fn the_demo_shows_results_says_where_to_look_and_ends() -> anyhow::Result<()> {
    let output = Command::new(tests::edgemodel()?)
        .args(tests::SHORT_DEMO)
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    let log = String::from_utf8(output.stderr)?;
    assert!(output.status.success(), "{text}\n{log}");
    assert!(
        text.lines()
            .filter(|line| line.starts_with("result  {\"device\":\"设备2\""))
            .count()
            >= 3,
        "{text}"
    );
    assert!(text.contains("device  device-"), "{text}");
    assert!(text.contains("mosquitto_sub -p "), "{text}");
    assert!(
        text.ends_with("The demo has ended; nothing is left behind.\n"),
        "{text}"
    );
    assert!(log.contains("InvalidDigest"), "{log}");
    assert_eq!(log.lines().count(), 1, "{log}");
    Ok(())
}

#[test]
fn ctrl_c_ends_the_demo_in_order() -> anyhow::Result<()> {
    let mut demo = Command::new(tests::edgemodel()?)
        .args(["demo", "--http", "127.0.0.1:0", "--rate", "50"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut lines = BufReader::new(demo.stdout.take().context("stdout is piped")?).lines();
    for line in &mut lines {
        if line?.starts_with("result") {
            break;
        }
    }
    let pid = Pid::from_raw(demo.id().try_into()?).context("no process id")?;
    kill_process(pid, Signal::INT)?;
    let rest: Vec<_> = lines.collect::<Result<_, _>>()?;
    assert!(demo.wait()?.success(), "{rest:?}");
    assert_eq!(
        rest.last().map(String::as_str),
        Some("The demo has ended; nothing is left behind.")
    );
    Ok(())
}

fn simulate(arguments: &[&str], config: &str) -> anyhow::Result<(Option<i32>, String, String)> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), config)?;
    let mut command = Command::new(tests::edgemodel()?);
    command.arg("simulate");
    if !config.is_empty() {
        command.arg("--config").arg(file.path());
    }
    let output = command.args(arguments).output()?;
    let text = String::from_utf8(output.stdout)?;
    Ok((
        output.status.code(),
        text,
        String::from_utf8(output.stderr)?,
    ))
}

#[tokio::test]
async fn simulate_publishes_what_the_models_wait_for() -> anyhow::Result<()> {
    let broker = Mosquitto::start().await?;
    let mut reader =
        TestClient::connected(options(broker.address(), "r", &[("#", Qos::AtLeastOnce)])).await?;
    let config = tests::site::SEED.replace("tcp://192.168.241.1:1883", &broker.url());
    let arguments = [
        "--count", "20", "--rate", "1000", "--device", "设备2", "--json",
    ];
    let (code, text, log) = simulate(&arguments, &config)?;
    assert_eq!(code, Some(0), "{log}");
    let summary: Value = serde_json::from_str(&text)?;
    assert_eq!(
        summary,
        json!({ "sent": 20, "acknowledged": 20, "refused": 0 })
    );
    for _ in 0..20 {
        let message = reader.take().await?;
        assert_eq!(&*message.topic, IN);
        let value: Value = serde_json::from_slice(&message.payload)?;
        assert_eq!(value["deviceInfo"]["deviceName"], "设备2");
        assert!(value["telemetry"]["RC_cylinder1_1P_d_dispPeak"].is_number());
    }
    let broker = broker.url();
    let arguments = [
        "--broker", &broker, "--topic", "t", "--count", "1", "--device", "turbine",
    ];
    let (code, text, log) = simulate(&arguments, "")?;
    assert_eq!(
        (code, text.as_str()),
        (Some(0), "sent 1, acknowledged 1, refused 0\n"),
        "{log}"
    );
    let message = reader.take().await?;
    assert!(String::from_utf8_lossy(&message.payload).contains("\"deviceName\":\"turbine\""));
    Ok(())
}

#[test]
fn simulate_tells_what_is_wrong_with_its_arguments() -> anyhow::Result<()> {
    let seed = tests::site::SEED;
    let (code, _, log) = simulate(&["--device", "设备"], seed)?;
    assert_eq!(code, Some(1));
    assert_eq!(
        log,
        "error: --device \"设备\": the configuration has no such device; did you mean \"设备2\"?\n"
    );
    let (code, _, log) = simulate(&["--rule", "3"], seed)?;
    assert_eq!(
        (code, log.as_str()),
        (Some(1), "error: --rule 3: the last rule is 0\n")
    );
    let (code, _, log) = simulate(&["--broker", "http://x", "--topic", "t"], "")?;
    assert_eq!(code, Some(2));
    assert!(log.contains("mqtts[0].broker: "), "{log}");
    let (code, _, log) = simulate(&[], "")?;
    assert_eq!(code, Some(2));
    assert!(log.contains("--config"), "{log}");
    Ok(())
}
