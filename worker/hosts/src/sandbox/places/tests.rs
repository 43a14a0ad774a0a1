//! Decisions over places on a machine that is a list of paths.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::*;

/// Files and folders, each with what it is a link to, if it is one.
struct Listed(BTreeMap<&'static str, Option<&'static str>>);

impl Machine for Listed {
    fn names(&self, folder: &Path) -> Vec<OsString> {
        let paths = self.0.keys().map(Path::new);
        let names = paths.filter_map(|path| path.strip_prefix(folder).ok()?.iter().next());
        let mut names: Vec<_> = names.map(OsStr::to_owned).collect();
        names.dedup();
        names
    }

    fn real(&self, path: &Path) -> Option<PathBuf> {
        let known = self.0.keys().any(|one| Path::new(one).starts_with(path));
        let target = self.0.get(path.to_str()?).copied().flatten();
        known.then(|| target.map_or_else(|| path.to_owned(), PathBuf::from))
    }

    fn text(&self, path: &Path) -> Option<String> {
        let text =
            "include-system-site-packages = false\nhome = /data/python/bin\nversion = 3.11.7\n";
        path.ends_with(".venv/pyvenv.cfg").then(|| text.to_owned())
    }
}

fn machine() -> Listed {
    let plain = [
        "/usr/bin/python3.11",
        "/opt/edgemodel/config.yaml",
        "/opt/edgemodel/doc/readme",
        "/opt/cuda/lib/libcuda.so",
        "/etc/passwd",
        "/etc/shadow",
        "/etc/edgemodel/secrets/broker/password",
        "/dev/null",
        "/dev/sda",
        "/dev/nvidia0",
        "/home/a/.local/lib/python3.11",
        "/home/a/.ssh/id_ed25519",
        "/home/a/line/.venv/pyvenv.cfg",
        "/home/a/models/one/index.py",
        "/home/a/models/two/index.py",
        "/tmp/own",
        "/data/python/bin/python3",
        "/data/python/lib/python3.11/os.py",
        "/data/readings",
    ];
    let mut paths: BTreeMap<_, _> = plain.into_iter().map(|path| (path, None)).collect();
    paths.insert("/home/a/line/.venv/bin/python", Some("/usr/bin/python3.11"));
    Listed(paths)
}

const HIDDEN: [&str; 2] = ["/opt/edgemodel/config.yaml", "/home/a/models"];

fn places(read: &[&str], write: &[&str], hidden: &[&str], temporary: &str) -> Places {
    let own = ["/home/a/models/one".into()];
    let paths = |texts: &[&str]| -> Vec<PathBuf> { texts.iter().map(PathBuf::from).collect() };
    let variable = |name: &OsStr| match name.to_str() {
        Some("HOME") => Some(OsString::from("/home/a")),
        Some("PATH") => Some(OsString::from("/home:/home/a:/:/usr/bin:.")),
        _ => None,
    };
    let wanted = Wanted {
        interpreter: Path::new("/home/a/line/.venv/bin/python"),
        own: &own,
        variable: &variable,
        temporary: Path::new(temporary),
        shared_temporary: Path::new("/tmp"),
        read: &paths(read),
        write: &paths(write),
        hidden: &paths(hidden),
    };
    Places::of(&wanted, &machine())
}

#[track_caller]
fn check(places: &[PathBuf], path: &str, expected: bool) {
    let found = places
        .iter()
        .any(|place| Path::new(path).starts_with(place));
    assert_eq!(found, expected, "{path} in {places:?}");
}

#[test]
fn row_1_a_model_reads_the_system_its_interpreter_and_itself() {
    let Places { read, write } = places(&[], &[], &HIDDEN, "/tmp/own");
    for (path, expected) in [
        ("/usr/bin/python3.11", true),
        ("/etc/passwd", true),
        ("/home/a/line/.venv/lib/python3.11/site-packages/x.py", true),
        ("/home/a/.local/lib/python3.11/site-packages/x.py", true),
        ("/data/python/lib/python3.11/os.py", true),
        ("/home/a/models/one/index.py", true),
        ("/opt/cuda/lib/libcuda.so", true),
        ("/opt/edgemodel/doc/readme", true),
        // What is beside it.
        ("/opt/edgemodel/config.yaml", false),
        ("/etc/shadow", false),
        ("/etc/edgemodel/secrets/broker/password", false),
        ("/home/a/models/two/index.py", false),
        ("/home/a/.ssh/id_ed25519", false),
        ("/home/a/line/config.yaml", false),
        ("/data/readings", false),
        ("/dev/sda", false),
    ] {
        check(&read, path, expected);
    }
    for (path, expected) in [
        ("/dev/null", true),
        ("/dev/nvidia0", true),
        ("/tmp/own/x", true),
        ("/tmp/other", true),
        ("/dev/sda", false),
        ("/home/a/models/one/index.py", false),
        ("/usr/bin/python3.11", false),
        ("/data/readings", false),
    ] {
        check(&write, path, expected);
    }
}

#[test]
fn what_the_configuration_adds_is_there_and_hidden_or_not() {
    let write = ["/data", "/absent"];
    let places = places(&["/home/a/models/two"], &write, &HIDDEN, "/tmp/own");
    check(&places.read, "/home/a/models/two/index.py", true);
    check(&places.write, "/data/readings", true);
    check(&places.write, "/absent", false);
}

/// Where models are installed below the folder for temporary files, that folder is not the models' to write.
#[test]
fn row_3_the_machines_temporary_folder_is_shared_unless_something_is_kept_in_it() {
    let places = places(&[], &[], &["/tmp/own"], "/data");
    check(&places.write, "/tmp/other", false);
    check(&places.write, "/data/x", true);
}
