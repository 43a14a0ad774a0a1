//! The command line, as a process.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use anyhow::Context as _;

const SEED: &str = include_str!("../fixtures/seed/config.yaml");

/// Runs `edgemodel` with `input` on stdin.
pub(crate) fn edgemodel(arguments: &[&str], input: &str) -> anyhow::Result<Output> {
    let mut child = Command::new(tests::edgemodel()?)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    child
        .stdin
        .take()
        .context("stdin is piped")?
        .write_all(input.as_bytes())?;
    Ok(child.wait_with_output()?)
}

#[test]
fn check_accepts_the_seed_and_names_the_model_that_it_would_refuse() -> anyhow::Result<()> {
    let output = edgemodel(&["check", "--config", "-"], SEED)?;
    let text = String::from_utf8(output.stdout)?;
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(
        text.contains("model \"test\" would be refused: funcs[1].modelMd5"),
        "{text}"
    );
    assert!(
        text.ends_with("valid; 1 of 2 models would be served, over 1 rules and 1 brokers\n"),
        "{text}"
    );
    Ok(())
}

#[test]
fn check_exits_with_2_and_shows_every_problem() -> anyhow::Result<()> {
    let broken = SEED
        .replace("retain:", "retian:")
        .replace("outPort: 38080", "outPort: 1");
    let output = edgemodel(&["check", "--config", "-", "--json"], &broken)?;
    assert_eq!(output.status.code(), Some(2));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let paths: Vec<_> = report["problems"]
        .as_array()
        .context("a list")?
        .iter()
        .map(|p| &p["path"])
        .collect();
    assert_eq!(paths, ["expose[0].outPort", "mqtts[0].retian"]);
    Ok(())
}

#[test]
fn a_missing_file_is_one_clear_error() -> anyhow::Result<()> {
    let output = edgemodel(&["check", "--config", "no/such.yaml"], "")?;
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr)?;
    assert!(
        text.starts_with("error: failed to read no/such.yaml: "),
        "{text}"
    );
    Ok(())
}

#[test]
fn schema_prints_json() -> anyhow::Result<()> {
    for arguments in [vec!["schema"], vec!["schema", "--panel"]] {
        let output = edgemodel(&arguments, "")?;
        assert!(output.status.success());
        serde_json::from_slice::<serde_json::Value>(&output.stdout)?;
    }
    Ok(())
}

#[test]
fn explain_tells_why_a_message_does_not_match() -> anyhow::Result<()> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/seed");
    let message = std::fs::read_to_string(format!("{directory}/sample-message.json"))?;
    let config = format!("{directory}/config.yaml");
    let arguments = ["explain", "--config", &config, "--message", "-"];
    let output = edgemodel(&arguments, &message)?;
    let text = String::from_utf8(output.stdout)?;
    assert!(
        text.contains("model \"industry\": gets the message for device \"设备2\"\n"),
        "{text}"
    );
    let output = edgemodel(&arguments, &message.replace("设备2", "设备3"))?;
    let text = String::from_utf8(output.stdout)?;
    assert!(
        text.contains("no  \"设备2\" == data_to_dict['deviceInfo']['deviceName']\n"),
        "{text}"
    );
    assert!(
        text.contains("data_to_dict['deviceInfo']['deviceName'] is \"设备3\"\n"),
        "{text}"
    );
    let output = edgemodel(&arguments, "{")?;
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr)?;
    assert!(
        text.starts_with("error: failed to explain <stdin>: the message is not JSON"),
        "{text}"
    );
    Ok(())
}

/// A file from a Windows editor: its mark is taken, another encoding is named with the way to convert it.
#[test]
fn c1_marks_are_taken_and_other_encodings_of_a_configuration_are_named() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let utf16 = |text: &str| -> Vec<u8> {
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        [0xff, 0xfe].into_iter().chain(units).collect()
    };
    let marked = format!("\u{feff}{SEED}");
    let message = include_str!("../fixtures/seed/sample-message.json");
    let write = |name: &str, bytes: &[u8]| {
        let file = folder.path().join(name);
        std::fs::write(&file, bytes)?;
        anyhow::Ok(file.display().to_string())
    };
    let config = write("marked.yaml", marked.as_bytes())?;
    assert!(
        edgemodel(&["check", "--config", &config], "")?
            .status
            .success()
    );
    for (name, bytes) in [
        ("utf8.json", format!("\u{feff}{message}").into_bytes()),
        ("utf16.json", utf16(message)),
    ] {
        let message = write(name, &bytes)?;
        let output = edgemodel(&["explain", "-c", &config, "-m", &message], "")?;
        let text = String::from_utf8(output.stdout)?;
        assert!(
            text.contains("gets the message for device \"设备2\"\n"),
            "{name}: {text}"
        );
    }
    for (name, bytes, encoding) in [
        ("utf16.yaml", utf16(SEED), "UTF-16LE"),
        ("gbk.yaml", b"# \xc9\xe8\xb1\xb8\n".to_vec(), "GBK"),
    ] {
        let config = write(name, &bytes)?;
        for arguments in [vec!["check"], vec!["run"], vec!["explain", "-m", "-"]] {
            let output = edgemodel(&[arguments, vec!["--config", &config]].concat(), "")?;
            let text = String::from_utf8(output.stderr)?;
            let expected = format!(
                "error: failed to read {config}: it is not UTF-8 but {encoding}; \
                 convert it with: iconv -f {encoding} -t UTF-8\n"
            );
            assert_eq!(text, expected);
            assert_eq!(output.status.code(), Some(1));
        }
    }
    Ok(())
}

/// The way of a data scientist: what `pack` prints goes into the configuration as it is.
#[test]
fn what_pack_prints_is_what_a_configuration_takes() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let model = folder.path().join("model");
    std::fs::create_dir(&model)?;
    std::fs::write(
        model.join("index.py"),
        "def handler(event, context):\n    return event\n",
    )?;
    let zip = folder.path().join("model.zip");
    let (model, zip) = (model.display().to_string(), zip.display().to_string());
    let output = edgemodel(&["pack", &model, "--output", &zip, "--json"], "")?;
    assert_eq!(output.status.code(), Some(0));
    let packed: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!(
        packed["size"].as_u64(),
        Some(std::fs::metadata(&zip)?.len())
    );
    let md5 = packed["modelMd5"].as_str().context("a digest")?;
    let config = SEED.replace("pZ4DJ+YhYM9ppHD+VhLi+A=1", md5);
    let output = edgemodel(&["check", "--config", "-"], &config)?;
    let text = String::from_utf8(output.stdout)?;
    assert!(
        text.contains("valid; 2 of 2 models would be served"),
        "{text}"
    );

    let output = edgemodel(
        &["pack", &model, "--output", &format!("{model}/model.zip")],
        "",
    )?;
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr)?;
    assert!(text.contains("write it elsewhere with --output"), "{text}");
    Ok(())
}

/// A mistake should show on the laptop, not at the edge.
#[test]
fn pack_imports_the_model_first_and_shows_what_python_says() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("index.py"), "import no_such_module\n")?;
    let zip = folder.path().with_extension("zip");
    let (model, zip_text) = (
        folder.path().display().to_string(),
        zip.display().to_string(),
    );
    let output = edgemodel(&["pack", &model, "--output", &zip_text], "")?;
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr)?;
    assert!(
        text.starts_with(
            "error: the model cannot be imported: ModuleNotFoundError: No module named \
             'no_such_module'; add its wheel to the model's folder wheels/, or choose an interpreter that has it with \
             funcs[].python; use --no-import to pack without a trial run\nTraceback"
        ),
        "{text}"
    );
    assert!(!zip.exists());
    let output = edgemodel(&["pack", &model, "--output", &zip_text, "--no-import"], "")?;
    assert_eq!(output.status.code(), Some(0));
    std::fs::remove_file(zip)?;
    Ok(())
}

/// `check` warns, and accepts.
#[test]
fn c7_check_warns_of_rules_that_do_the_same_and_of_loops_by_address() -> anyhow::Result<()> {
    let config = "
mqtts: [{name: a, broker: 'tcp://127.0.0.1'}, {name: b, broker: 'tcp://[::ffff:127.0.0.1]'}]
rules:
- {sub: {name: a, topic: in}, pub: {name: a, topic: out}}
- {sub: {name: a, topic: in}, pub: {name: a, topic: out}}
- {sub: {name: a, topic: x}, pub: {name: b, topic: x}}
funcs: [{modelName: m, modelAddress: 'file:///m.zip'}]
";
    let output = edgemodel(&["check", "--config", "-"], config)?;
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout)?;
    assert!(
        text.contains("<stdin>: warning: rules[1]: subscribes to what rules[0] subscribes to"),
        "{text}"
    );
    assert!(
        text.contains("<stdin>: warning: rules[2].pub.topic: \"x\" on "),
        "{text}"
    );
    let output = edgemodel(&["check", "--json", "--config", "-"], config)?;
    let document: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!(
        document["warnings"].as_array().map(Vec::len),
        Some(2),
        "{document:#}"
    );
    assert_eq!(document["warnings"][0]["path"], "rules[1]");
    Ok(())
}
