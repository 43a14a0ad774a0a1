//! What `edgemodel pack` puts into a zip, and that it tries what it wrote: CASES B6 and B7.

use std::path::Path;
use std::process::Command;

use tests::site::Models;
use tests::wheel::{gauge, gauge_with};

/// Runs `edgemodel` in `folder` with variables for pip; code, stdout, stderr.
fn run(
    folder: &Path,
    arguments: &[&str],
    index: Option<&Path>,
) -> anyhow::Result<(Option<i32>, String, String)> {
    let mut command = Command::new(tests::edgemodel()?);
    command.args(arguments).current_dir(folder);
    if let Some(index) = index {
        command
            .env("PIP_NO_INDEX", "1")
            .env("PIP_FIND_LINKS", index);
    }
    let output = command.output()?;
    Ok((
        output.status.code(),
        String::from_utf8(output.stdout)?,
        String::from_utf8(output.stderr)?,
    ))
}

/// The names in the zip that `pack` wrote with `--json`.
fn files(json: &str) -> anyhow::Result<Vec<String>> {
    let document: serde_json::Value = serde_json::from_str(json)?;
    Ok(serde_json::from_value(document["files"].clone())?)
}

const ECHO: &str = "def handler(event, context): return event\n";

#[test]
fn b6_a_file_that_only_the_current_folder_has_fails_the_pack() -> anyhow::Result<()> {
    let models = Models::new()?;
    let index = format!("open('weights.txt').read()\n{ECHO}");
    let folder = models.folder("m", &index, &[("weights.txt", "1")])?;
    let (code, _, err) = run(&folder, &["pack", ".", "--output", "../m.zip"], None)?;
    assert_eq!(code, Some(1), "{err}");
    assert!(
        err.contains("FileNotFoundError") && err.contains("weights.txt"),
        "{err}"
    );
    assert!(!models.path().join("m.zip").exists());
    // As the edge has it: beside the module.
    let found = index.replace(
        "'weights.txt'",
        "__file__.replace('index.py', 'weights.txt')",
    );
    std::fs::write(folder.join("index.py"), found)?;
    let (code, _, err) = run(&folder, &["pack", ".", "--output", "../m.zip"], None)?;
    assert_eq!(code, Some(0), "{err}");
    Ok(())
}

/// Counts calls in a file beside itself, as a model that keeps state does.
const COUNTER: &str = "
import os
STATE = os.path.join(os.path.dirname(__file__), 'state.db')
def handler(event, context):
    count = int(open(STATE).read()) + 1 if os.path.exists(STATE) else 1
    open(STATE, 'w').write(str(count))
    return count
";

#[test]
fn b6_files_that_a_sample_run_writes_are_not_packed() -> anyhow::Result<()> {
    let models = Models::new()?;
    let sample = ("samples/first.json", r#"{"event": 1, "result": 1}"#);
    let folder = models.folder("m", COUNTER, &[sample])?;
    for attempt in 1..=2 {
        let arguments = ["pack", "m", "--output", "m.zip", "--json"];
        let (code, out, err) = run(models.path(), &arguments, None)?;
        assert_eq!(code, Some(0), "{attempt}: {err}");
        assert_eq!(files(&out)?, ["index.py", "samples/first.json"]);
        let (code, _, err) = run(models.path(), &["test", "m"], None)?;
        assert_eq!(code, Some(0), "{attempt}: {err}");
        assert!(!folder.join("state.db").exists());
    }
    let event = models.path().join("event.json");
    std::fs::write(&event, "1")?;
    let arguments = ["test", "m", "--record", "event.json"];
    let (code, _, err) = run(models.path(), &arguments, None)?;
    assert_eq!(code, Some(0), "{err}");
    assert!(folder.join("samples/event.json").exists() && !folder.join("state.db").exists());
    Ok(())
}

#[test]
fn b6_names_that_differ_in_case_and_compiled_modules_are_as_the_worker_takes_them()
-> anyhow::Result<()> {
    let models = Models::new()?;
    let folder = models.folder("m", ECHO, &[("core.pyc", ""), ("lib/Core.py", "")])?;
    let arguments = ["pack", "m", "--output", "m.zip", "--json", "--no-import"];
    let (code, out, err) = run(models.path(), &arguments, None)?;
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(files(&out)?, ["core.pyc", "index.py", "lib/Core.py"]);
    std::fs::write(folder.join("lib/core.py"), "")?;
    let (code, _, err) = run(models.path(), &arguments, None)?;
    assert_eq!(code, Some(1));
    let expected = "error: failed to pack: \"lib/Core.py\" and \"lib/core.py\" differ only in case; rename one of them\n";
    assert_eq!(err, expected);
    Ok(())
}

#[test]
fn what_is_left_out_is_told_in_a_line() -> anyhow::Result<()> {
    let models = Models::new()?;
    let more = [
        (".env", "PASSWORD=1"),
        ("tests/test_index.py", ""),
        ("raw.csv", ""),
        (".edgemodelignore", "*.csv\n"),
    ];
    models.folder("m", ECHO, &more)?;
    let arguments = ["pack", "m", "--output", "m.zip"];
    let (code, out, err) = run(models.path(), &arguments, None)?;
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains(": 1 files, "), "{out}");
    assert!(
        out.ends_with("  left out: .env, raw.csv, tests/\n"),
        "{out}"
    );
    Ok(())
}

#[test]
fn b7_requirements_without_wheels_are_told() -> anyhow::Result<()> {
    let models = Models::new()?;
    let folder = models.folder("m", ECHO, &[("requirements.txt", "gauge\n")])?;
    let arguments = ["pack", "m", "--output", "m.zip"];
    let (code, out, err) = run(models.path(), &arguments, None)?;
    assert_eq!(code, Some(0), "{err}");
    let note = "  note: workers do not install requirements.txt; add wheels with --requirements requirements.txt, or \
                install it into the interpreter of funcs[].python\n";
    assert!(out.ends_with(note), "{out}");
    std::fs::create_dir(folder.join("wheels"))?;
    gauge(&folder.join("wheels/gauge-1.0-py3-none-any.whl"))?;
    let (_, out, _) = run(models.path(), &arguments, None)?;
    assert!(!out.contains("note:"), "{out}");
    Ok(())
}

/// Under other names, and what is no wheel.
#[test]
fn b7_what_names_libraries_and_is_not_installed_is_told() -> anyhow::Result<()> {
    for (file, expected) in [
        (
            "Requirements-prod.txt",
            Some("workers do not install Requirements-prod.txt; "),
        ),
        (
            "requirements/base.in",
            Some("add wheels with --requirements requirements/base.in, "),
        ),
        (
            "pip_requirements.txt",
            Some("workers do not install pip_requirements.txt; "),
        ),
        (
            "pyproject.toml",
            Some("what pyproject.toml names; list it in requirements.txt "),
        ),
        ("environment.yml", Some("what environment.yml names; ")),
        (
            "wheels/gauge-1.0.tar.gz",
            Some("not wheels/gauge-1.0.tar.gz; make a wheel of it with `pip wheel`"),
        ),
        ("data/requirements.txt", None),
        ("notes.txt", None),
    ] {
        let models = Models::new()?;
        models.folder("m", ECHO, &[(file, "gauge\n")])?;
        let arguments = ["pack", "m", "--output", "m.zip"];
        let (code, out, err) = run(models.path(), &arguments, None)?;
        assert_eq!(code, Some(0), "{err}");
        assert_eq!(out.contains("note: "), expected.is_some(), "{file}: {out}");
        assert!(out.contains(expected.unwrap_or_default()), "{file}: {out}");
    }
    Ok(())
}

/// A model that fails unless it has the wheel of this machine.
const NEEDS_GAUGE: &str = "
import gauge, platform
assert gauge.VALUE == {'x86_64': 1, 'aarch64': 2}[platform.machine()]
def handler(event, context): return event
";

const WHEELS: [(&str, u32); 2] = [
    ("gauge-1.0-py3-none-manylinux_2_17_x86_64.whl", 1),
    ("gauge-1.0-py3-none-manylinux_2_17_aarch64.whl", 2),
];

#[test]
fn b7_of_wheels_for_several_platforms_pip_chooses() -> anyhow::Result<()> {
    let models = Models::new()?;
    let folder = models.folder("m", NEEDS_GAUGE, &[])?;
    std::fs::create_dir(folder.join("wheels"))?;
    for (name, value) in WHEELS {
        gauge_with(&folder.join("wheels").join(name), value)?;
    }
    let (code, _, err) = run(models.path(), &["pack", "m", "--output", "m.zip"], None)?;
    assert_eq!(code, Some(0), "{err}");
    Ok(())
}

#[test]
fn b7_pack_adds_wheels_for_the_platforms_of_workers() -> anyhow::Result<()> {
    let models = Models::new()?;
    let index = tempfile::tempdir()?;
    for (name, value) in WHEELS {
        gauge_with(&index.path().join(name), value)?;
    }
    models.folder("m", NEEDS_GAUGE, &[("requirements.txt", "gauge==1.0\n")])?;
    let pack = |requirements: &str, platforms: &str| {
        let arguments = [
            "pack",
            "m",
            "--output",
            "m.zip",
            "--json",
            "--requirements",
            requirements,
            "--platform",
            platforms,
        ];
        run(models.path(), &arguments, Some(index.path()))
    };
    let (code, out, err) = pack("m/requirements.txt", "linux/amd64,linux/arm64")?;
    assert_eq!(code, Some(0), "{err}");
    let mut expected = vec!["index.py".to_owned(), "requirements.txt".to_owned()];
    expected.extend(
        WHEELS
            .iter()
            .rev()
            .map(|(name, _)| format!("wheels/{name}")),
    );
    assert_eq!(files(&out)?, expected);

    std::fs::write(models.path().join("absent.txt"), "no-such-package\n")?;
    let (code, _, err) = pack("absent.txt", "linux/arm64")?;
    assert_eq!(code, Some(1));
    let last = err.lines().last().unwrap_or_default();
    assert!(
        last.starts_with("error: pip found no wheels for Python 3.")
            && last.contains(" on linux/arm64 that satisfy absent.txt; "),
        "{err}"
    );
    let (code, _, err) = pack("absent.txt", "windows/amd64")?;
    assert_eq!(code, Some(2));
    assert!(err.contains("choose linux/amd64 or linux/arm64"), "{err}");
    Ok(())
}
