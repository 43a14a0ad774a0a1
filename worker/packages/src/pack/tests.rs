//! What is packed, and that the same files give the same bytes.

use super::*;
use crate::archive;

fn model() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("index.py"),
        "def handler(event, context): return event\n",
    )
    .unwrap();
    fs::create_dir_all(folder.path().join("data/__pycache__")).unwrap();
    fs::write(folder.path().join("data/权重.bin"), [0, 159, 146]).unwrap();
    fs::write(folder.path().join("data/__pycache__/x.pyc"), "").unwrap();
    fs::write(folder.path().join("index.pyc"), "").unwrap();
    fs::write(folder.path().join("core.pyc"), "").unwrap();
    folder
}

#[test]
fn what_is_packed_unpacks_to_the_same_files() {
    let (folder, out) = (model(), tempfile::tempdir().unwrap());
    let packed = pack(folder.path(), &out.path().join("m.zip")).unwrap();
    // A compiled module without a source is the module itself.
    assert_eq!(packed.files, ["core.pyc", "data/权重.bin", "index.py"]);
    let target = out.path().join("target");
    fs::create_dir(&target).unwrap();
    let zip = File::open(&packed.path).unwrap();
    let root = archive::unpack(zip, &target, &Limits::default()).unwrap();
    assert_eq!(fs::read(root.join("data/权重.bin")).unwrap(), [0, 159, 146]);
}

#[test]
fn the_same_folder_gives_the_same_digests() {
    let (one, other, out) = (model(), model(), tempfile::tempdir().unwrap());
    let first = pack(one.path(), &out.path().join("1.zip")).unwrap();
    let second = pack(other.path(), &out.path().join("2.zip")).unwrap();
    assert_eq!(
        (first.md5, first.sha256, first.size),
        (second.md5, second.sha256, second.size)
    );
    fs::write(
        other.path().join("index.py"),
        "def handler(event, context): return None\n",
    )
    .unwrap();
    let third = pack(other.path(), &out.path().join("2.zip")).unwrap();
    assert_ne!(third.sha256, first.sha256);
}

/// The digests of RFC 1321 and FIPS 180-2 for the text `abc`.
#[test]
fn digests_are_those_of_the_standards() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("abc");
    fs::write(&path, "abc").unwrap();
    let (md5, sha256, size) = digest(&path).unwrap();
    assert_eq!(md5, "900150983cd24fb0d6963f7d28e17f72".parse().unwrap());
    let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(sha256.to_string(), expected);
    assert_eq!(size, 3);
}

#[test]
fn what_a_worker_would_refuse_is_refused_here() {
    let (folder, out) = (model(), tempfile::tempdir().unwrap());
    let output = out.path().join("m.zip");
    std::os::unix::fs::symlink("/etc/passwd", folder.path().join("link")).unwrap();
    let error = pack(folder.path(), &output).unwrap_err().to_string();
    assert!(
        error.contains("link is a link or a special file"),
        "{error}"
    );
    fs::remove_file(folder.path().join("link")).unwrap();
    fs::remove_file(folder.path().join("index.py")).unwrap();
    assert!(matches!(
        pack(folder.path(), &output),
        Err(Error::IndexMissing(_))
    ));
    assert!(!output.exists());
    let inside = folder.path().join("m.zip");
    assert!(matches!(
        pack(folder.path(), &inside),
        Err(Error::OutputInside { .. })
    ));
}

/// The files are listed before the model runs, and what it writes then isn't packed.
#[test]
fn b6_files_that_appear_after_the_listing_are_not_packed() {
    let (folder, out) = (model(), tempfile::tempdir().unwrap());
    let listing = Listing::read(folder.path()).unwrap();
    fs::write(folder.path().join("state.db"), "1").unwrap();
    let draft = Draft::write(&listing, &out.path().join("m.zip")).unwrap();
    assert_eq!(
        draft.publish().unwrap().files,
        ["core.pyc", "data/权重.bin", "index.py"]
    );
}

#[test]
fn b6_names_that_differ_in_case_are_refused_as_by_the_worker() {
    let (folder, out) = (model(), tempfile::tempdir().unwrap());
    fs::write(folder.path().join("Core.py"), "").unwrap();
    fs::write(folder.path().join("core.py"), "").unwrap();
    let error = pack(folder.path(), &out.path().join("m.zip")).unwrap_err();
    let expected = "\"Core.py\" and \"core.py\" differ only in case; rename one of them";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_draft_that_is_not_published_leaves_nothing() {
    let (folder, out) = (model(), tempfile::tempdir().unwrap());
    let listing = Listing::read(folder.path()).unwrap();
    drop(Draft::write(&listing, &out.path().join("m.zip")).unwrap());
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0);
}

#[test]
fn what_is_left_out_is_listed_and_the_rest_is_copied() {
    let folder = model();
    for name in [".env", "notes.md", "data/raw.csv", "data/keep.csv"] {
        fs::write(folder.path().join(name), "").unwrap();
    }
    fs::create_dir_all(folder.path().join("tests")).unwrap();
    // Links and strange files do no harm where they are left out.
    std::os::unix::fs::symlink("/", folder.path().join("tests/root")).unwrap();
    fs::write(
        folder.path().join(".edgemodelignore"),
        "*.md\n*.csv\n!keep.csv\n",
    )
    .unwrap();
    let listing = Listing::read(folder.path()).unwrap();
    assert_eq!(
        listing.left_out,
        [".env", "data/raw.csv", "notes.md", "tests/"]
    );
    let target = tempfile::tempdir().unwrap();
    listing.copy(target.path()).unwrap();
    let copied = Listing::read(target.path()).unwrap();
    assert!(copied.files.keys().eq(listing.files.keys()));
    assert!(copied.files.contains_key("data/keep.csv"));
    assert_eq!(copied.left_out, [""; 0]);
}

#[test]
fn a_rule_that_cannot_be_read_is_named() {
    let folder = model();
    fs::write(folder.path().join(".edgemodelignore"), "# a\nx[ab]\n").unwrap();
    let error = Listing::read(folder.path()).unwrap_err().to_string();
    assert!(
        error.ends_with(
            ".edgemodelignore:2: \"x[ab]\" uses `[`, `]` or `\\`, which are not supported; use `*`, `?` and `**`"
        ),
        "{error}"
    );
}
