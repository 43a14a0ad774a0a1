use std::os::unix::fs::symlink;

use super::*;
use crate::pack;

const INDEX: &str = "def handler(event, context): return 1\n";

/// A copy as the store makes it, and the digests of its zip.
fn installed() -> (tempfile::TempDir, PathBuf, Digests) {
    let models = tempfile::tempdir().unwrap();
    let source = models.path().join("source");
    fs::create_dir_all(source.join("lib")).unwrap();
    fs::write(source.join("index.py"), INDEX).unwrap();
    fs::write(source.join("lib/core.py"), "A = 1\n").unwrap();
    let folder = models.path().join("sha256-0");
    fs::create_dir_all(folder.join(MODEL)).unwrap();
    let packed = pack(&source, &folder.join(ZIP)).unwrap();
    let file = File::open(folder.join(ZIP)).unwrap();
    unpack(file, &folder.join(MODEL), &Limits::default()).unwrap();
    let digests = Digests {
        md5: None,
        sha256: Some(packed.sha256),
    };
    (models, folder, digests)
}

#[test]
fn row_3_a_copy_is_restored_whatever_was_done_to_it() {
    let (_models, folder, digests) = installed();
    let verified = Verified::open(&folder, &digests).unwrap();
    let model = folder.join(MODEL);
    assert_eq!(verified.directory(), model);
    let changes: [fn(&Path); 6] = [
        |model| fs::write(model.join("index.py"), "evil").unwrap(),
        |model| fs::write(model.join("json.py"), "evil").unwrap(),
        |model| {
            fs::remove_file(model.join("index.py")).unwrap();
            fs::create_dir_all(model.join("index.py/x")).unwrap();
        },
        |model| {
            fs::remove_dir_all(model.join("lib")).unwrap();
            symlink("/", model.join("lib")).unwrap();
        },
        |model| {
            let elsewhere = model.with_file_name("elsewhere");
            fs::create_dir_all(&elsewhere).unwrap();
            fs::write(elsewhere.join("index.py"), "evil").unwrap();
            fs::remove_dir_all(model).unwrap();
            symlink("elsewhere", model).unwrap();
        },
        |model| fs::remove_dir_all(model).unwrap(),
    ];
    for (index, change) in changes.iter().enumerate() {
        change(&model);
        verified.ensure().unwrap();
        assert!(!model.is_symlink(), "{index}");
        let text = fs::read_to_string(model.join("index.py")).unwrap();
        assert_eq!(text, INDEX, "{index}");
        let mut names: Vec<_> = fs::read_dir(&model)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["index.py", "lib"], "{index}");
        assert!(model.join("lib/core.py").is_file(), "{index}");
    }
    // What a link led to is left alone.
    assert!(folder.join("elsewhere/index.py").is_file());
}

#[test]
fn row_3_nothing_is_restored_from_a_zip_that_was_changed() {
    let (_models, folder, digests) = installed();
    let verified = Verified::open(&folder, &digests).unwrap();
    let mut bytes = fs::read(folder.join(ZIP)).unwrap();
    bytes.push(0);
    fs::write(folder.join(ZIP), bytes).unwrap();
    verified.ensure().unwrap();
    fs::write(folder.join(MODEL).join("index.py"), "evil").unwrap();
    assert!(matches!(verified.ensure(), Err(Error::Changed(path)) if path == folder.join(ZIP)));
    let again = Verified::open(&folder, &digests);
    assert!(matches!(again, Err(Error::Changed(_))), "{again:?}");
    fs::remove_file(folder.join(ZIP)).unwrap();
    let again = Verified::open(&folder, &digests);
    assert!(matches!(again, Err(Error::Changed(_))), "{again:?}");
}
