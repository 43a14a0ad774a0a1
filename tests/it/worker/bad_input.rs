//! Bad input ends in one clear error, and nothing is partly started.

use std::process::{Command, Output};

use tests::site::{Models, SEED, file_url, seed};

fn run(config: &str) -> anyhow::Result<(Output, String)> {
    let models = Models::new()?;
    let file = models.path().join("config.yaml");
    std::fs::write(&file, config)?;
    let output = Command::new(tests::edgemodel()?)
        .args(["run", "--http", "127.0.0.1:0", "--config"])
        .arg(&file)
        .arg("--models-dir")
        .arg(models.installed())
        .output()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let text = text.replace(&file.display().to_string(), "config.yaml");
    assert!(!models.installed().exists(), "something was started");
    Ok((output, text))
}

#[test]
fn a_wrong_configuration_exits_with_2_and_all_its_problems() -> anyhow::Result<()> {
    let (output, text) = run(&SEED
        .replace("retain: false", "retain: maybe")
        .replace("38080", "1"))?;
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(
        text.contains("config.yaml:4:12: expose[0].outPort: 1 "),
        "{text}"
    );
    assert!(text.contains("mqtts[0].retain: "), "{text}");
    Ok(())
}

#[test]
fn files_that_a_configuration_names_are_read_before_anything_starts() -> anyhow::Result<()> {
    let password =
        "broker: tcp://127.0.0.1:1\n  auth: {username: edge, passwordFile: no/such}\n  x:";
    let (output, text) = run(&SEED
        .replace("broker: tcp://192.168.241.1:1883", password)
        .replace("\n  x:", ""))?;
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(
        text.starts_with("error: mqtts[0].auth.passwordFile: failed to read \"no/such\""),
        "{text}"
    );
    let tls = "broker: ssl://127.0.0.1:1\n  tls: {caFile: no/ca.pem}";
    let (output, text) = run(&SEED.replace("broker: tcp://192.168.241.1:1883", tls))?;
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(
        text.starts_with("error: mqtts[0].tls: caFile: failed to read \"no/ca.pem\""),
        "{text}"
    );
    Ok(())
}

/// Only a cluster has Secrets; the operator gives a worker files instead.
#[test]
fn secrets_are_refused_with_what_to_give_instead() -> anyhow::Result<()> {
    let secret = "broker: tcp://127.0.0.1:1\n  credentialsSecretRef: {name: login}";
    let (output, text) = run(&SEED.replace("broker: tcp://192.168.241.1:1883", secret))?;
    assert_eq!(output.status.code(), Some(2), "{text}");
    let expected = "error: mqtts[0].credentialsSecretRef: there are no Secrets on this machine; \
                    give auth instead\n";
    assert_eq!(text, expected);
    let secret = "broker: ssl://127.0.0.1:1\n  tls: {secretRef: {name: ca}}";
    let (output, text) = run(&SEED.replace("broker: tcp://192.168.241.1:1883", secret))?;
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(
        text.contains("give caFile, certFile and keyFile instead"),
        "{text}"
    );
    Ok(())
}

#[test]
fn a_port_that_is_taken_is_named_with_its_field() -> anyhow::Result<()> {
    let taken = std::net::TcpListener::bind("127.0.0.1:0")?;
    let port = taken.local_addr()?.port();
    let (output, text) = run(&SEED.replace("http://:8080", &format!("http://:{port}")))?;
    assert_eq!(output.status.code(), Some(1), "{text}");
    let expected = format!(
        "error: expose[0].protocolPort: failed to listen on 127.0.0.1:{port}: Address already in use \
         (os error 98); choose another port, or stop the program that uses it\n"
    );
    assert_eq!(text, expected);
    Ok(())
}

/// A model that cannot be loaded, in each of the ways that only show when it is.
#[tokio::test]
async fn a_model_that_cannot_be_served_says_why_and_the_worker_lives() -> anyhow::Result<()> {
    let models = Models::new()?;
    let good = models.pack("good", "def handler(event, context): pass\n")?;
    let broken = models.pack("broken", "import no_such_module\n")?;
    let no_index = models.path().join("no.zip");
    std::fs::write(&no_index, b"PK\x05\x06 and nothing else")?;
    let broker = "tcp://127.0.0.1:1";
    let cases = [
        (
            seed(broker, &file_url(&broken.path)?, &broken)?,
            "ImportFailed",
            "No module named",
        ),
        (
            seed(broker, &file_url(&broken.path)?, &good)?,
            "ChecksumMismatch",
            "modelMd5",
        ),
        (
            seed(broker, "file:///no/such.zip", &good)?,
            "FileUnreadable",
            "/no/such.zip",
        ),
        (
            seed(broker, "http://127.0.0.1:1/m.zip", &good)?,
            "DownloadFailed",
            "127.0.0.1:1/m.zip",
        ),
    ];
    for (config, reason, part) in cases {
        let worker = tests::running::Running::start(&config, &models.installed()).await?;
        let status = worker
            .until(|status| status["models"][0]["state"]["state"] == "refused")
            .await?;
        let state = &status["models"][0]["state"];
        assert_eq!(state["reason"], reason, "{state:#}");
        assert!(
            state["message"]
                .as_str()
                .is_some_and(|text| text.contains(part)),
            "{state:#}"
        );
        assert_eq!(worker.get("/readyz").await?.0, 503);
        assert_eq!(worker.get("/healthz").await?.0, 200);
        let (status, _) = worker.stop().await?;
        assert!(status.success());
    }
    Ok(())
}
