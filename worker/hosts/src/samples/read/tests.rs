use crds::validated::Format;

use super::*;
use crate::samples::SampleContext;

fn model(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(FOLDER)).unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(FOLDER).join(name), text).unwrap();
    }
    folder
}

#[track_caller]
fn rejects(text: &str, fault: &str) {
    let folder = model(&[("one.json", text)]);
    let error = read(folder.path()).unwrap_err().to_string();
    let expected = format!("samples/one.json is not a sample: {fault}; write ");
    assert!(error.starts_with(&expected), "{error}");
}

#[test]
fn a_file_holds_one_sample_or_a_list() {
    let folder = model(&[
        ("b.json", r#"{"result": null, "event": {"x" : [1, NaN]}}"#),
        (
            "a.json",
            r#"[{"event": 1, "result": 2}, {"event": 3, "result": 4, "tolerance": 0.5,
                "context": {"topic": "t", "device": "d", "received_at": 1.5}}]"#,
        ),
        ("read.me", "no sample"),
    ]);
    fs::create_dir(folder.path().join("samples/folder.json")).unwrap();
    let samples = read(folder.path()).unwrap();
    let names: Vec<_> = samples.iter().map(|sample| &sample.name).collect();
    assert_eq!(
        names,
        ["samples/a.json[0]", "samples/a.json[1]", "samples/b.json"]
    );
    assert_eq!(
        samples[2].event, br#"{"x" : [1, NaN]}"#,
        "as it stands there"
    );
    assert_eq!(
        (samples[0].tolerance, samples[1].tolerance),
        (None, Some(0.5))
    );
    let context = SampleContext {
        topic: "t".to_owned(),
        device: "d".to_owned(),
        received_at: Some(1.5),
    };
    assert_eq!(samples[1].context, context);
}

#[test]
fn b5_files_of_desktop_systems_are_no_samples() {
    let model = model(&[
        ("._a.json", "\0\u{5}\u{16}\u{7}"),
        ("a.json", r#"{"event": 1, "result": 2}"#),
    ]);
    assert_eq!(read(model.path()).unwrap().len(), 1);
}

#[test]
fn a_model_without_samples_has_none() {
    let folder = tempfile::tempdir().unwrap();
    assert!(read(folder.path()).unwrap().is_empty());
    fs::write(folder.path().join(FOLDER), "a file").unwrap();
    assert!(read(folder.path()).unwrap().is_empty());
}

#[test]
fn what_is_no_sample_is_refused_with_its_place() {
    rejects("", "EOF while parsing a value at line 1 column 0");
    rejects("{", "EOF while parsing an object at line 1 column 1");
    rejects("5", "expected object but found int at line 1 column 1");
    rejects("[{}]", "[0]: \"event\" is missing");
    rejects(r#"{"event": 1}"#, "\"result\" is missing");
    rejects(
        r#"{"event": 1, "result": 2} x"#,
        "trailing characters at line 1 column 27",
    );
    rejects(
        r#"{"evnt": 1}"#,
        "\"evnt\" is not known; did you mean \"event\"?",
    );
    rejects(r#"{"event": 1, "event": 1}"#, "\"event\" is there twice");
    for wrong in ["-1", "\"1\"", "NaN", "null"] {
        let text = format!("{{\"tolerance\": {wrong}}}");
        rejects(&text, "tolerance is not a number from 0 on");
    }
    rejects(r#"{"context": 1}"#, "context is not an object");
    rejects(
        r#"{"context": {"topic": 1}}"#,
        "context.topic is not a string",
    );
    rejects(
        r#"{"context": {"received_at": "now"}}"#,
        "context.received_at is not a number of seconds since 1970",
    );
    rejects(
        r#"{"context": {"devise": "d"}}"#,
        "\"devise\" is not known; did you mean \"device\"?",
    );
    let deep = format!("{{\"result\": {}", "[".repeat(100_000));
    rejects(&deep, "recursion limit exceeded at line 1 column 213");
}

#[test]
fn c1_c2_a_sample_may_have_a_byte_order_mark_and_lone_surrogates() {
    let text = r#"{"event": ["\ud83d"], "result": "\ud83d"}"#;
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [format!("\u{feff}{text}").into_bytes(), utf16] {
        let folder = model(&[]);
        fs::write(folder.path().join("samples/a.json"), bytes).unwrap();
        let samples = read(folder.path()).unwrap();
        assert_eq!(samples[0].event, br#"["\ud83d"]"#);
    }
    let folder = model(&[]);
    fs::write(
        folder.path().join("samples/a.json"),
        b"{\"event\": \"\xff\"}",
    )
    .unwrap();
    let error = read(folder.path()).unwrap_err().to_string();
    assert!(
        error.contains("neither UTF-8 nor UTF-16 nor UTF-32"),
        "{error}"
    );
}

#[test]
fn there_may_not_be_too_much() {
    let many: String = vec![r#"{"event": 1, "result": 1}"#; MAX_SAMPLES + 1].join(",");
    let large = format!("\"{}\"", "x".repeat(usize::try_from(MAX_BYTES).unwrap()));
    for (files, what) in [
        (vec![("a.json".to_owned(), format!("[{many}]"))], "samples"),
        (vec![("a.json".to_owned(), large)], "bytes"),
        (
            (0..=MAX_FILES)
                .map(|index| (format!("{index}.json"), String::new()))
                .collect(),
            "files",
        ),
    ] {
        let files: Vec<_> = files
            .iter()
            .map(|(name, text)| (&**name, &**text))
            .collect();
        let folder = model(&files);
        let error = read(folder.path()).unwrap_err().to_string();
        assert!(
            error.contains(&format!(" {what}; leave some out")),
            "{error}"
        );
    }
}

#[test]
fn a_sample_holds_a_message_that_is_not_json() {
    let folder = model(&[
        (
            "a.json",
            r#"{"decode": "csv", "payload": "1,2\n3,4", "result": null}"#,
        ),
        (
            "b.json",
            r#"[{"payload": {"base64": "/wA="}, "result": 1, "decode": "bytes"},
                {"decode": "bytes", "payload": "设", "result": 2}]"#,
        ),
        ("c.json", r#"{"event": 1, "result": 2}"#),
    ]);
    let samples = read(folder.path()).unwrap();
    let found: Vec<_> = samples
        .iter()
        .map(|sample| (sample.decode, &*sample.event))
        .collect();
    assert_eq!(
        found,
        [
            (Some(Format::Csv), &b"1,2\n3,4"[..]),
            (Some(Format::Bytes), b"\xff\0"),
            (Some(Format::Bytes), "设".as_bytes()),
            (None, b"1"),
        ]
    );
}

#[test]
fn a_message_that_is_not_json_is_read_strictly() {
    let payload = "payload is neither a text nor {\"base64\": \"...\"}";
    rejects(r#"{"payload": "a", "result": 1}"#, "\"decode\" is missing");
    rejects(
        r#"{"decode": "csv", "event": "a", "result": 1}"#,
        "\"decode\" is there without \"payload\"; an \"event\" is JSON",
    );
    rejects(
        r#"{"decode": "csv", "event": 1, "payload": "a", "result": 1}"#,
        "\"event\" and \"payload\" are both there; give one of them",
    );
    rejects(r#"{"decode": "csv", "payload": 1, "result": 1}"#, payload);
    rejects(
        r#"{"decode": "text", "payload": "\ud83d", "result": 1}"#,
        payload,
    );
    rejects(
        r#"{"decode": "csv", "payload": {"base64": "AA==", "x": 1}, "result": 1}"#,
        payload,
    );
    rejects(
        r#"{"decode": "csv", "payload": {"base64": "!"}, "result": 1}"#,
        "payload.base64 is not base64: Invalid symbol 33, offset 0",
    );
    rejects(
        r#"{"decode": "xml", "payload": "a", "result": 1}"#,
        "decode is not one of json, text, bytes, cbor, msgpack, csv",
    );
    rejects(
        r#"[{"event": 1, "result": 1}, {"decode": "csv", "payload": "a", "result": 1}]"#,
        "[1]: decode is not that of the first sample; use one file for each format",
    );
}
