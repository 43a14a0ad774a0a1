//! `edgemodel migrate` as a process, and against an oracle of pyboot's loops in Python.

mod random;
mod scalars;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context as _;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::cli::edgemodel;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/pyboot");

fn output(arguments: &[&str]) -> anyhow::Result<(i32, String, String)> {
    let output = edgemodel(arguments, "")?;
    let code = output.status.code().context("ended by a signal")?;
    Ok((
        code,
        String::from_utf8(output.stdout)?,
        String::from_utf8(output.stderr)?,
    ))
}

#[test]
fn migrate_writes_a_configuration_for_each_generation_that_check_takes() -> anyhow::Result<()> {
    for (file, generation) in [
        ("flat.yaml", "first generation"),
        ("expressions.yaml", "second generation"),
        ("attributes.yaml", "last generation"),
        ("../seed/config.yaml", "last generation"),
    ] {
        let (code, config, changes) = output(&["migrate", &format!("{FIXTURES}/{file}")])?;
        assert_eq!(code, 0, "{changes}");
        assert!(changes.contains(generation), "{file}: {changes}");
        let checked = edgemodel(&["check", "--config", "-"], &config)?;
        assert!(
            checked.status.success(),
            "{config}\n{}",
            String::from_utf8_lossy(&checked.stdout)
        );
    }
    Ok(())
}

#[test]
fn migrate_lists_what_changes_and_the_messages_concerned() -> anyhow::Result<()> {
    let file = format!("{FIXTURES}/attributes.yaml");
    let messages = format!("{FIXTURES}/messages.jsonl");
    let (code, _, listed) = output(&["migrate", &file, "--messages", &messages])?;
    assert_eq!(code, 0);
    for part in [
        &format!("{file}:4: funcs[0].devices: pyboot let the last attribute alone decide"),
        &format!("{file}:27: rules[0].sub.clientId: 007 is written as \"7\", as pyboot took it"),
        &format!(
            "{messages}:2: model \"industry\": 1 result in pyboot, 0 now: an attribute before the last"
        ),
        &format!("{messages}:3: model \"industry\": 0 results in pyboot, 1 now: "),
        "the first: line 4, model \"industry\", KeyError",
        &format!("{messages}: 5 messages; 2 differences, 0 cannot be told"),
    ] {
        assert!(listed.contains(part), "{part}\n{listed}");
    }
    let (code, document, _) = output(&["migrate", &file, "--json", "--messages", &messages])?;
    assert_eq!(code, 0);
    let document: Value = serde_json::from_str(&document)?;
    assert_eq!(document["messages"]["differences"][0]["line"], 2);
    assert_eq!(
        document["messages"]["exceptions"][0]["exception"],
        "KeyError"
    );
    assert_eq!(document["problems"], json!([]));
    Ok(())
}

#[test]
fn migrate_writes_a_runtime_for_kubernetes() -> anyhow::Result<()> {
    let file = format!("{FIXTURES}/flat.yaml");
    let (code, object, _) = output(&["migrate", &file, "--kubernetes", "--json"])?;
    assert_eq!(code, 0);
    let object = &serde_json::from_str::<Value>(&object)?["config"];
    assert_eq!(object["metadata"]["name"], "flat");
    let runtime: crds::EdgeModelRuntime = serde_json::from_value(object.clone())?;
    crds::validate::spec(&runtime.spec, "spec")?;
    let (_, yaml, _) = output(&["migrate", &file, "--kubernetes", "--name", "plant"])?;
    assert!(
        yaml.starts_with("apiVersion: edgemodel.io/v1alpha1\nkind: EdgeModelRuntime\n"),
        "{yaml}"
    );
    assert!(yaml.contains("name: plant"), "{yaml}");
    Ok(())
}

#[test]
fn what_cannot_be_migrated_is_said_and_ends_with_1_or_2() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("old.yaml");
    let old = std::fs::read_to_string(format!("{FIXTURES}/../seed/config.yaml"))?;
    std::fs::write(
        &file,
        old.replacen(
            "in data_to_dict['telemetry']",
            "in __import__('os').listdir('/')",
            1,
        ),
    )?;
    let name = file.display().to_string();
    let (code, config, listed) = output(&["migrate", &name])?;
    assert_eq!(code, 1, "{listed}");
    assert!(config.contains("__import__"), "{config}");
    assert!(
        listed.contains("is not understood: \"__import__\"; it cannot be written as a condition"),
        "{listed}"
    );
    assert!(listed.contains("not valid yet"), "{listed}");
    let (code, _, refused) = output(&["migrate", "/dev/null"])?;
    assert_eq!(code, 2);
    assert!(refused.contains("names no model"), "{refused}");
    Ok(())
}

/// pyboot's own samples: numbers where texts are meant.
#[test]
fn run_and_check_take_numbers_for_texts_as_pyboot_did() -> anyhow::Result<()> {
    let seed = std::fs::read_to_string(format!("{FIXTURES}/../seed/config.yaml"))?;
    let changed = seed
        .replace("ae03af75-13f5-4cf9-9145-0fea4e6ff1e4", "5555")
        .replace("timeout: 100", "timeout: 10s");
    let output = edgemodel(&["check", "--config", "-"], &changed)?;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    Ok(())
}

const PER_CONFIGURATION: usize = 10;
const SEED: u64 = 20_261_130;

/// On random configurations and messages, exactly those differences are listed that Python finds between pyboot's loops and the
/// migrated configuration. `EDGEMODEL_LONG=migrate` tries 100,000 pairs.
#[test]
fn the_listed_differences_are_exactly_those_of_pyboots_loops() -> anyhow::Result<()> {
    let pairs = if tests::long::long("migrate").is_some() {
        100_000
    } else {
        6_000
    };
    let mut random = StdRng::seed_from_u64(SEED);
    let mut cases = Vec::new();
    let (mut invalid, mut unknown, mut compared, mut differ) = (0, 0, 0, 0);
    let mut made = 0;
    while made < pairs {
        made += PER_CONFIGURATION;
        let (generation, config) = random::configuration(&mut random);
        let messages: Vec<_> = (0..PER_CONFIGURATION)
            .map(|_| random::message(&mut random))
            .collect();
        let migrated = ::migrate::migrate(&config.to_string(), "old")?;
        let lines = messages.iter().map(String::as_bytes);
        let Some(listed) = ::migrate::compare(&migrated, lines) else {
            invalid += PER_CONFIGURATION;
            continue;
        };
        anyhow::ensure!(listed.messages == PER_CONFIGURATION, "{messages:?}");
        let case = json!({
            "generation": generation,
            "old": config["funcs"],
            "new": migrated.config["funcs"],
            "messages": messages,
        });
        cases.push((case, listed));
    }
    let inputs = cases.iter().map(|(case, _)| case.to_string());
    let answers = python("pyboot_loops.py", inputs.collect())?;
    for ((case, listed), answer) in cases.iter().zip(&answers) {
        for (index, answer) in answer.as_array().context("a list")?.iter().enumerate() {
            let line = index + 1;
            let told = |model: &str| {
                !listed
                    .unknown
                    .iter()
                    .any(|one| one.line == line && one.model == model)
            };
            let mut expected = BTreeMap::new();
            for (model, before) in answer["old"].as_object().context("a map")? {
                let (before, now) = (before.as_u64(), answer["new"][model].as_u64());
                if !told(model) {
                    unknown += 1;
                } else if before != now {
                    expected.insert(model.as_str(), (before, now));
                }
            }
            let found = listed.differences.iter().filter(|one| one.line == line);
            let found: BTreeMap<_, _> = found
                .map(|one| {
                    (
                        one.model.as_str(),
                        (Some(one.before as u64), Some(one.now as u64)),
                    )
                })
                .collect();
            assert_eq!(found, expected, "message {index} of {case:#}");
            differ += usize::from(!expected.is_empty());
            compared += 1;
        }
    }
    // Otherwise the random cases would try little.
    assert!(
        compared * 2 > pairs,
        "{compared} of {pairs} compared, {invalid} invalid"
    );
    assert!(differ * 20 > compared, "{differ} of {compared} differ");
    assert!(
        unknown * 5 < compared,
        "{unknown} of {compared} cannot be told"
    );
    Ok(())
}

/// What the oracle answers on lines of JSON.
fn python(script: &str, inputs: Vec<String>) -> anyhow::Result<Vec<Value>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/python");
    let mut child = Command::new("python3")
        .arg(Path::new(folder).join(script))
        .env("PYTHONUTF8", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take().context("stdin is piped")?;
    let writer = std::thread::spawn(move || -> std::io::Result<()> {
        inputs
            .iter()
            .try_for_each(|input| writeln!(stdin, "{input}"))
    });
    let stdout = BufReader::new(child.stdout.take().context("stdout is piped")?);
    let answers: Vec<_> = stdout
        .lines()
        .map(|line| Ok(serde_json::from_str(&line?)?))
        .collect::<anyhow::Result<_>>()?;
    writer
        .join()
        .map_err(|_| anyhow::anyhow!("the writer panicked"))??;
    anyhow::ensure!(child.wait()?.success(), "the oracle failed");
    Ok(answers)
}
