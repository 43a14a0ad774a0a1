//! What `edgemodel pack` and `edgemodel test` do with samples.

use crds::validated::HostChoice;
use tests::pool::TestPool;
use tests::site::Models;

use crate::cli::edgemodel;

const DOUBLE: &str = "def handler(event, context): return {'twice': event['x'] * 2}\n";

const GOOD: &str = r#"{"event": {"x": 1.5}, "result": {"twice": 3}}"#;
const BAD: &str =
    r#"[{"event": {"x": 1.5}, "result": {"twice": 4}}, {"event": {}, "result": null}]"#;

pub(super) fn run(
    arguments: &[&str],
    input: &str,
) -> anyhow::Result<(Option<i32>, String, String)> {
    let output = edgemodel(arguments, input)?;
    let text = |bytes| String::from_utf8(bytes);
    Ok((
        output.status.code(),
        text(output.stdout)?,
        text(output.stderr)?,
    ))
}

/// Scientists should see it on a laptop, not at the edge.
#[test]
fn pack_runs_the_samples_first() -> anyhow::Result<()> {
    let models = Models::new()?;
    let folder = models.folder("m", DOUBLE, &[("samples/good.json", GOOD)])?;
    let (folder, zip) = (folder.display().to_string(), models.path().join("m.zip"));
    let output = zip.display().to_string();
    let (code, out, err) = run(&["pack", &folder, "--output", &output], "")?;
    assert_eq!(code, Some(0), "{err}");
    assert!(
        out.contains(": 2 files, ") && out.contains(", 1 samples passed\n"),
        "{out}"
    );
    std::fs::remove_file(&zip)?;
    models.folder("m", DOUBLE, &[("samples/bad.json", BAD)])?;
    let (code, _, err) = run(&["pack", &folder, "--output", &output], "")?;
    assert_eq!(code, Some(1));
    let expected = "error: the model does not pass 2 of its 3 samples; use --no-import to pack without a trial run\n\
         samples/bad.json[0]: $.twice is 3.0, expected 4\n\
         samples/bad.json[1]: the model raised KeyError: 'x'\n";
    assert_eq!(err, expected);
    assert!(!zip.exists());
    let (code, out, err) = run(&["pack", &folder, "--output", &output, "--no-import"], "")?;
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains(", 3 samples not run\n"), "{out}");
    models.folder("m", DOUBLE, &[("samples/bad.json", "{}")])?;
    let (code, _, err) = run(&["pack", &folder, "--output", &output, "--no-import"], "")?;
    assert_eq!(code, Some(1));
    let expected = "error: samples/bad.json is not a sample: \"event\" is missing; ";
    assert!(err.starts_with(expected), "{err}");
    Ok(())
}

#[test]
fn test_tells_of_each_sample_whether_the_model_passes() -> anyhow::Result<()> {
    let models = Models::new()?;
    let files = [("samples/a.json", GOOD), ("samples/b.json", BAD)];
    let folder = models.folder("m", DOUBLE, &files)?;
    let zip = models.pack_folder(&folder)?.path.display().to_string();
    let folder = folder.display().to_string();
    for model in [&folder, &zip] {
        let (code, out, err) = run(&["test", model], "")?;
        assert_eq!(code, Some(1), "{err}");
        let lines: Vec<_> = out.lines().collect();
        assert!(lines[0].starts_with("host    native, cpython 3."), "{out}");
        let expected = [
            "passed  samples/a.json",
            "FAILED  samples/b.json[0]: $.twice is 3.0, expected 4",
            "FAILED  samples/b.json[1]: the model raised KeyError: 'x'",
        ];
        assert_eq!(lines[1..4], expected);
        assert!(lines[4].starts_with("        Traceback"), "{out}");
        assert_eq!(lines.last(), Some(&"1 passed, 2 failed"));
    }
    let (code, out, _) = run(&["test", &folder, "--json"], "")?;
    assert_eq!(code, Some(1));
    let document: serde_json::Value = serde_json::from_str(&out)?;
    assert_eq!(
        (&document["passed"], &document["failed"]),
        (&1.into(), &2.into())
    );
    let difference = serde_json::json!({ "path": "$.twice", "expected": "4", "actual": "3.0" });
    let failed = &document["samples"][1];
    assert_eq!(failed["reason"], "SampleFailed");
    assert_eq!(failed["differences"], serde_json::json!([difference]));
    Ok(())
}

/// One that hangs or crashes costs its process, not the samples behind it.
#[test]
fn samples_behind_one_that_costs_the_process_are_run() -> anyhow::Result<()> {
    let index = "
import os, time
def handler(event, context):
    if event == 'hang': time.sleep(3600)
    if event == 'die': os._exit(3)
    return event
";
    let models = Models::new()?;
    let sample = |event: &str| format!("{{\"event\": \"{event}\", \"result\": \"{event}\"}}");
    let all = format!("[{}, {}, {}]", sample("hang"), sample("die"), sample("on"));
    let folder = models.folder("m", index, &[("samples/all.json", &all)])?;
    let folder = folder.display().to_string();
    let (code, out, err) = run(&["test", &folder, "--timeout", "1"], "")?;
    assert_eq!(code, Some(1), "{err}");
    let expected = "FAILED  samples/all.json[0]: the call took longer than timeout, 1 s\n\
         FAILED  samples/all.json[1]: the model's process ended during the call (exit status: 3); the log has \
         what it printed\n\
         passed  samples/all.json[2]\n\
         1 passed, 2 failed\n";
    let (host, out) = out.split_once('\n').unwrap_or_default();
    assert!(host.starts_with("host    native, cpython 3."), "{host}");
    assert_eq!(out, expected);
    Ok(())
}

#[test]
fn a_recorded_sample_passes_and_is_not_overwritten() -> anyhow::Result<()> {
    let index = "def handler(event, context): return [event, context.topic, context.device, float('nan')]\n";
    let models = Models::new()?;
    let folder = models.folder("m", index, &[])?;
    let file = folder.join("samples/normal.json");
    let folder = folder.display().to_string();
    let (code, _, err) = run(&["test", &folder], "")?;
    assert_eq!(code, Some(2));
    assert!(
        err.ends_with("has no samples; record one with --record EVENT.json\n"),
        "{err}"
    );
    let event = models.path().join("normal.json");
    std::fs::write(&event, "{\"x\": 12345678901234567890,\n \"y\": NaN}\n")?;
    let event = event.display().to_string();
    let record = [
        "test", &folder, "--record", &event, "--topic", "t/1", "--device", "设备2",
    ];
    let (code, out, err) = run(&record, "")?;
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("look whether it is right"), "{out}");
    let expected = "{\n\"event\": {\"x\": 12345678901234567890,\n \"y\": NaN},\n\
         \"result\": [{\"x\":12345678901234567890,\"y\":null},\"t/1\",\"设备2\",null],\n\
         \"context\": {\"device\":\"设备2\",\"topic\":\"t/1\"}\n}\n";
    assert_eq!(std::fs::read_to_string(&file)?, expected);
    let (code, out, _) = run(&["test", &folder], "")?;
    assert_eq!(code, Some(0));
    let passed = "passed  samples/normal.json\n1 passed, 0 failed\n";
    assert!(out.ends_with(passed), "{out}");
    let (code, _, err) = run(&record, "")?;
    assert_eq!(code, Some(1));
    assert!(
        err.contains("is there already; remove it to record it again"),
        "{err}"
    );
    let (code, _, err) = run(&["test", &folder, "--record", "-"], "no json")?;
    assert_eq!(code, Some(1));
    assert!(
        err.starts_with("error: -: the event is not JSON: "),
        "{err}"
    );
    Ok(())
}

const TELLS: &str = "
import multiprocessing
def told(context): return context.sample
def handler(event, context):
    if event == 'spawn':
        with multiprocessing.get_context('spawn').Pool(1) as pool:
            return pool.apply(told, (context,))
    return context.sample
";

/// A model that writes to a database must not write a row for each sample.
#[tokio::test]
async fn a_model_knows_samples_from_messages() -> anyhow::Result<()> {
    let models = Models::new()?;
    let sample = r#"[{"event": 1, "result": true}, {"event": "spawn", "result": true}]"#;
    let folder = models.folder("m", TELLS, &[("samples/one.json", sample)])?;
    let folder = folder.display().to_string();
    for (host, choice) in [
        ("native", HostChoice::Native),
        ("portable", HostChoice::Portable),
    ] {
        let (code, out, err) = run(&["test", &folder, "--host", host], "")?;
        assert_eq!(code, Some(0), "{host}: {out}{err}");
        let mut pool = TestPool::with(TELLS, |options| options.host = choice).await?;
        assert_eq!(pool.call("1").await?, "false", "{host}");
    }
    Ok(())
}

const COUNTER: &str = "
count = 0
def handler(event, context):
    global count
    count += 1
    return [event, count]
";

#[test]
fn samples_of_one_file_are_a_sequence_in_a_process_of_its_own() -> anyhow::Result<()> {
    let models = Models::new()?;
    let sequence = r#"[{"event": "a", "result": ["a", 1]}, {"event": "b", "result": ["b", 2]}]"#;
    let files = [
        ("samples/one.json", sequence),
        (
            "samples/other.json",
            r#"{"event": "c", "result": ["c", 1]}"#,
        ),
    ];
    let folder = models.folder("m", COUNTER, &files)?;
    let (code, out, err) = run(&["test", &folder.display().to_string()], "")?;
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.ends_with("3 passed, 0 failed\n"), "{out}");
    Ok(())
}

#[test]
fn several_events_are_recorded_as_a_sequence_into_one_file() -> anyhow::Result<()> {
    let models = Models::new()?;
    let folder = models.folder("m", COUNTER, &[])?;
    let events = ["on", "off"].map(|name| models.path().join(name).with_extension("json"));
    for event in &events {
        std::fs::write(
            event,
            format!("{:?}", event.file_stem().unwrap_or_default()),
        )?;
    }
    let file = folder.join("samples/on.json");
    let [on, off] = events.map(|event| event.display().to_string());
    let folder = folder.display().to_string();
    let (code, _, err) = run(&["test", &folder, "--record", &on, "--record", &off], "")?;
    assert_eq!(code, Some(0), "{err}");
    let expected = "[{\n\"event\": \"on\",\n\"result\": [\"on\",1]\n},\n\
         {\n\"event\": \"off\",\n\"result\": [\"off\",2]\n}]\n";
    assert_eq!(std::fs::read_to_string(&file)?, expected);
    let (code, out, _) = run(&["test", &folder], "")?;
    assert_eq!(code, Some(0));
    let passed = "passed  samples/on.json[0]\npassed  samples/on.json[1]\n2 passed, 0 failed\n";
    assert!(out.ends_with(passed), "{out}");
    Ok(())
}

#[test]
fn what_a_model_prints_is_shown_and_its_import_has_a_timeout() -> anyhow::Result<()> {
    let models = Models::new()?;
    let prints = "
import logging
def handler(event, context):
    print('printed', event)
    logging.getLogger('m').info('logged %s', event)
    return event
";
    let sample = [("samples/one.json", r#"{"event": 7, "result": 7}"#)];
    let folder = models.folder("m", prints, &sample)?.display().to_string();
    let slow = models.folder("slow", "import time; time.sleep(3600)", &[])?;
    let slow = slow.display().to_string();
    let zip = models.path().join("m.zip").display().to_string();
    for arguments in [["test", &folder].as_slice(), &["pack", &folder, "-o", &zip]] {
        let (code, out, err) = run(arguments, "")?;
        assert_eq!(code, Some(0), "{out}{err}");
        assert!(
            err.contains("printed 7") && err.contains("logged 7"),
            "{err}"
        );
        assert!(!out.contains("printed"), "{out}");
    }
    let record = ["test", &slow, "--start-timeout", "1", "--record", "-"];
    for arguments in [
        record.as_slice(),
        &["pack", &slow, "-o", &zip, "--start-timeout", "1"],
    ] {
        let (code, _, err) = run(arguments, "1")?;
        assert_eq!(code, Some(1), "{err}");
        assert!(
            err.contains("the import took longer than startTimeout, 1s"),
            "{err}"
        );
    }
    Ok(())
}
