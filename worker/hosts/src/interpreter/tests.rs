//! What an answer makes of an interpreter; real interpreters are asked in tests/it/host/interpreters.rs.

use super::answer::read;
use super::*;

fn answer(version: [u32; 3], executable: Option<&str>) -> Answer {
    Answer {
        implementation: Some("cpython".to_owned()),
        version,
        text: "3.5.1 (default)".to_owned(),
        libc: Some("glibc 2.36".to_owned()),
        machine: "x86_64".to_owned(),
        bits: 64,
        executable: executable.map(str::to_owned),
        arguments: vec!["-X".to_owned(), "utf8".to_owned()],
        environment: HashMap::from([("ADDED".to_owned(), "1".to_owned())]),
        native_fault: None,
        missing: Vec::new(),
    }
}

#[test]
fn a_python_before_3_6_is_refused_with_what_was_found() {
    let python = Path::new("/usr/bin/python3.5");
    for version in [[2, 7, 18], [3, 5, 1]] {
        let error = interpreter(python, answer(version, None)).unwrap_err();
        assert_eq!(error.reason(), crds::Reason::PythonUnsupported);
        assert_eq!(
            error.to_string(),
            "/usr/bin/python3.5 cannot run a model: it is Python 3.5.1 (default), for x86_64, 64 bits, glibc 2.36; name \
             Python 3.6 or later for this machine with funcs[].python or EDGEMODEL_PYTHON"
        );
    }
    assert!(interpreter(python, answer([3, 6, 0], None)).is_ok());
}

/// A script is left out, with what it would have done; what it starts elsewhere cannot be started without it.
#[test]
fn the_program_itself_is_started_as_its_script_would_start_it() {
    let python = Path::new("/opt/shims/python3");
    let direct = interpreter(python, answer([3, 11, 7], Some("/bin/sh"))).unwrap();
    assert_eq!(direct.executable, Path::new("/bin/sh"));
    assert_eq!(direct.arguments, ["-X", "utf8"]);
    let added = (OsString::from("ADDED"), Some(OsString::from("1")));
    assert!(direct.environment.contains(&added));
    let home = OsString::from("PATH");
    assert!(direct.environment.contains(&(home, None)));
    for elsewhere in [None, Some("/nowhere/python3"), Some("python3")] {
        let script = interpreter(python, answer([3, 11, 7], elsewhere)).unwrap();
        assert_eq!(script.executable, python);
        assert!(script.arguments.is_empty() && script.environment.is_empty());
    }
}

#[test]
fn the_answer_is_found_among_what_else_is_printed() {
    let line = br#"{"version":[3,11,7],"text":"3.11.7","machine":"x86_64","bits":64,"implementation":"cpython"}"#;
    let printed = [b"{hello}\n".as_slice(), line, b"\n", b"bye"].concat();
    assert_eq!(read(&printed).unwrap().version, [3, 11, 7]);
    assert!(read(b"Python 3.11.7\n").is_none());
}
