use std::io::{Cursor, Seek as _};
use std::os::unix::fs::symlink;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

const FILES: [(&str, &str); 3] = [
    ("index.py", "def handler(event, context): return 1\n"),
    ("lib/core.py", "A = 1\n"),
    ("lib/data/table.csv", "1,2\n"),
];

/// What a zip of these files must come to, and a folder that holds them.
fn unpacked() -> (Contents, tempfile::TempDir) {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in FILES {
        let options = SimpleFileOptions::default();
        writer.start_file(name, options).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    let mut zip = tempfile::tempfile().unwrap();
    zip.write_all(&writer.finish().unwrap().into_inner())
        .unwrap();
    zip.rewind().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in FILES {
        let place = folder.path().join(name);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, text).unwrap();
    }
    let (contents, root) = Contents::of_zip(zip).unwrap();
    assert_eq!(root, "");
    (contents, folder)
}

/// A case: what it is, what is done to the folder, which files are lost, and what was added.
type Case = (
    &'static str,
    fn(&Path),
    &'static [&'static str],
    &'static [&'static str],
);

fn cases() -> [Case; 12] {
    [
        ("nothing", |_| {}, &[], &[]),
        (
            "another text of the same length and time",
            |folder| {
                let place = folder.join("lib/core.py");
                let time = fs::metadata(&place).unwrap().modified().unwrap();
                fs::write(&place, "A = 2\n").unwrap();
                File::open(&place).unwrap().set_modified(time).unwrap();
            },
            &["lib/core.py"],
            &[],
        ),
        (
            "a file replaced by rename",
            |folder| {
                fs::write(folder.join("new"), "1,3\n").unwrap();
                fs::rename(folder.join("new"), folder.join("lib/data/table.csv")).unwrap();
            },
            &["lib/data/table.csv"],
            &[],
        ),
        (
            "a missing file",
            |folder| fs::remove_file(folder.join("index.py")).unwrap(),
            &["index.py"],
            &[],
        ),
        (
            "modules",
            |folder| {
                fs::create_dir(folder.join("__pycache__")).unwrap();
                for name in ["json.py", "__pycache__/index.pyc", "lib/x.abi3.so"] {
                    fs::write(folder.join(name), "").unwrap();
                }
            },
            &[],
            &["__pycache__/index.pyc", "json.py", "lib/x.abi3.so"],
        ),
        (
            "what no import finds",
            |folder| {
                fs::write(folder.join("state.db"), "").unwrap();
                fs::create_dir_all(folder.join("cache/empty")).unwrap();
            },
            &[],
            &[],
        ),
        (
            "a link in place of a file, to the same text",
            |folder| {
                fs::rename(folder.join("lib/core.py"), folder.join("elsewhere")).unwrap();
                symlink("../elsewhere", folder.join("lib/core.py")).unwrap();
            },
            &["lib/core.py"],
            &["lib/core.py"],
        ),
        (
            "a link in place of a folder",
            |folder| {
                fs::rename(folder.join("lib"), folder.join("other")).unwrap();
                symlink("other", folder.join("lib")).unwrap();
            },
            &["lib/core.py", "lib/data/table.csv"],
            &["lib", "other/core.py"],
        ),
        (
            "a package that is a link",
            |folder| symlink("/tmp", folder.join("package")).unwrap(),
            &[],
            &["package"],
        ),
        (
            "a file in place of a folder",
            |folder| {
                fs::remove_dir_all(folder.join("lib/data")).unwrap();
                fs::write(folder.join("lib/data"), "").unwrap();
            },
            &["lib/data/table.csv"],
            &["lib/data"],
        ),
        (
            "a folder in place of a file",
            |folder| {
                fs::remove_file(folder.join("index.py")).unwrap();
                fs::create_dir(folder.join("index.py")).unwrap();
            },
            &["index.py"],
            &["index.py"],
        ),
        (
            "all of it gone",
            |folder| fs::remove_dir_all(folder).unwrap(),
            &["index.py", "lib/core.py", "lib/data/table.csv"],
            &[""],
        ),
    ]
}

#[test]
fn row_3_every_change_that_could_be_run_is_seen() {
    for (what, change, lost, added) in cases() {
        let (contents, folder) = unpacked();
        change(folder.path());
        let mut changes = contents.compare(folder.path()).unwrap();
        changes.lost.sort();
        changes.added.sort();
        assert_eq!(changes.lost, lost, "{what}");
        let added: Vec<_> = added.iter().map(PathBuf::from).collect();
        assert_eq!(changes.added, added, "{what}");
    }
}

/// A file is remembered by what the kernel says of it; one that was only just changed is read again.
#[test]
fn row_3_what_is_remembered_of_a_file_ends_with_any_change() {
    let (contents, folder) = unpacked();
    let path = folder.path().join("index.py");
    assert!(contents.compare(folder.path()).unwrap().is_empty());
    assert!(
        contents.seen.lock().unwrap().is_empty(),
        "all of them are new"
    );
    let stamp = Stamp::of(&fs::metadata(&path).unwrap());
    contents
        .seen
        .lock()
        .unwrap()
        .insert("index.py".to_owned(), stamp);
    assert!(contents.compare(folder.path()).unwrap().is_empty());
    let text = fs::read(&path).unwrap();
    fs::write(&path, vec![b'#'; text.len()]).unwrap();
    let changes = contents.compare(folder.path()).unwrap();
    assert_eq!(changes.lost, ["index.py"]);
    assert!(contents.seen.lock().unwrap().is_empty());
}
