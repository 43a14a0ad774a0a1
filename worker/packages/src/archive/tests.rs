use super::*;
use std::fs;
use std::io::{Cursor, Seek as _, Write as _};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

const INDEX: (&str, &str) = ("index.py", "def handler(event, context): return event\n");

const LIMITS: Limits = Limits {
    entries: 20,
    file_bytes: 5_000,
    total_bytes: 8_000,
};

fn zip(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        let options = SimpleFileOptions::default();
        if name.ends_with('/') {
            writer.add_directory(*name, options).unwrap();
        } else {
            writer.start_file(*name, options).unwrap();
            writer.write_all(content.as_bytes()).unwrap();
        }
    }
    writer.finish().unwrap().into_inner()
}

/// `zip` with every `from` in its bytes, headers included, replaced by `to` of the same length.
fn patched(mut zip: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut found = 0;
    for start in 0..zip.len().saturating_sub(from.len()) {
        if zip[start..].starts_with(from) {
            zip[start..start + to.len()].copy_from_slice(to);
            found += 1;
        }
    }
    assert!(found > 0, "there is nothing to patch");
    zip
}

fn unpacked(bytes: &[u8]) -> (tempfile::TempDir, Result<PathBuf, Error>) {
    let folder = tempfile::tempdir().unwrap();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    let target = folder.path().join("model");
    fs::create_dir(&target).unwrap();
    let result = unpack(file, &target, &LIMITS);
    (folder, result)
}

/// Refused for `reason`, and nothing came to lie outside of the target.
#[track_caller]
fn refuses(bytes: &[u8], reason: &str) {
    let (folder, result) = unpacked(bytes);
    let error = result.expect_err("it was unpacked");
    assert_eq!(error.reason(), reason, "{error}");
    let around: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(around.len(), 1, "{around:?}");
}

#[test]
fn a_model_at_the_root_or_in_one_top_folder_is_found() {
    let (folder, result) = unpacked(&zip(&[INDEX, ("data/", ""), ("data/a.txt", "a")]));
    let model = folder.path().join("model");
    assert_eq!(result.unwrap(), model);
    assert_eq!(fs::read_to_string(model.join("data/a.txt")).unwrap(), "a");
    let (folder, result) = unpacked(&zip(&[
        ("模型/index.py", ""),
        ("__MACOSX/x", ""),
        (".DS_Store", ""),
    ]));
    let model = folder.path().join("model");
    assert_eq!(result.unwrap(), model.join("模型"));
    assert_eq!(fs::read_dir(model).unwrap().count(), 1);
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    for name in [
        "../evil.py",
        "a/../../evil.py",
        "/etc/evil.py",
        "..",
        "a\\..\\b.py",
        "C:/evil.py",
        "c:evil.py",
        "a\nb.py",
        "a\0b.py",
        "\u{7f}",
        "a/..",
        "//server/share",
    ] {
        let spare = "x".repeat(name.len());
        let bytes = patched(
            zip(&[INDEX, (&spare, "")]),
            spare.as_bytes(),
            name.as_bytes(),
        );
        refuses(&bytes, "ArchiveUnsafe");
    }
    refuses(&zip(&[INDEX, (&"n".repeat(256), "")]), "ArchiveUnsafe");
}

/// The files of an archive, from the model's folder.
#[track_caller]
fn unpacks_to(bytes: &[u8], expected: &[&str]) {
    fn collect(folder: &Path, root: &Path, files: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, root, files);
            } else {
                let path = path.strip_prefix(root).unwrap();
                files.push(path.to_str().unwrap().to_owned());
            }
        }
    }
    let (_folder, result) = unpacked(bytes);
    let root = result.unwrap();
    let mut files = Vec::new();
    collect(&root, &root, &mut files);
    files.sort();
    assert_eq!(files, expected);
}

#[test]
fn b1_names_that_begin_with_a_dot_folder_are_plain_names() {
    unpacks_to(
        &zip(&[("./", ""), ("./index.py", ""), ("./a/./b.txt", "")]),
        &["a/b.txt", "index.py"],
    );
    refuses(&zip(&[INDEX, ("./index.py", "")]), "ArchiveUnsafe");
}

#[test]
fn b2_names_in_other_encodings_are_read() {
    // "说明.txt" and "模型/" as GBK, and a character whose second byte is a backslash.
    for (spare, name, expected) in [
        ("xxxx.txt", &b"\xcb\xb5\xc3\xf7.txt"[..], "说明.txt"),
        ("xx.txt", b"\x81\x5c.txt", "乗.txt"),
        // Code page 437, where GB18030 has no such character.
        ("x x.txt", b"\x82 x.txt", "\u{e9} x.txt"),
    ] {
        let bytes = patched(zip(&[INDEX, (spare, "")]), spare.as_bytes(), name);
        unpacks_to(&bytes, &["index.py", expected]);
    }
    let bytes = zip(&[("xxxx/index.py", ""), ("xxxx/a.txt", "")]);
    let bytes = patched(bytes, b"xxxx/", b"\xc4\xa3\xd0\xcd/");
    unpacks_to(&bytes, &["a.txt", "index.py"]);
}

#[test]
fn b3_backslashes_separate_folders() {
    let bytes = zip(&[("m/index.py", ""), ("m/data/w.bin", ""), ("m/empty/", "")]);
    unpacks_to(&patched(bytes, b"/", b"\\"), &["data/w.bin", "index.py"]);
}

/// An archive of `index.py` and of `entry` as `method` writes it.
fn compressed(method: CompressionMethod, content: &[u8]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    writer.start_file(INDEX.0, options).unwrap();
    let options = options.compression_method(method);
    writer.start_file("entry", options).unwrap();
    writer.write_all(content).unwrap();
    writer.finish().unwrap().into_inner()
}

/// The method of the second entry, in both headers.
fn with_method(mut bytes: Vec<u8>, method: u16) -> Vec<u8> {
    let of = |signature: &[u8]| {
        let mut starts =
            (0..bytes.len() - 4).filter(|start| bytes[*start..].starts_with(signature));
        starts.next_back().unwrap()
    };
    let (local, central) = (of(b"PK\x03\x04"), of(b"PK\x01\x02"));
    for at in [local + 8, central + 10] {
        bytes[at..at + 2].copy_from_slice(&method.to_le_bytes());
    }
    bytes
}

#[test]
fn b4_other_compressions_are_unpacked() {
    let content = "some content ".repeat(100);
    for method in [
        CompressionMethod::Stored,
        CompressionMethod::Deflated,
        CompressionMethod::Bzip2,
        CompressionMethod::Zstd,
    ] {
        let (_folder, result) = unpacked(&compressed(method, content.as_bytes()));
        assert_eq!(
            fs::read_to_string(result.unwrap().join("entry")).unwrap(),
            content,
            "{method}"
        );
    }
    // A stored block is the same in Deflate64.
    let stored = b"\x01\x05\x00\xfa\xffhello";
    let mut bytes = compressed(CompressionMethod::Stored, stored);
    let crc = crc32(b"hello");
    for (signature, at) in [(b"PK\x03\x04", 14), (b"PK\x01\x02", 16)] {
        let mut starts =
            (0..bytes.len() - 4).filter(|start| bytes[*start..].starts_with(signature));
        let start = starts.next_back().unwrap();
        bytes[start + at..start + at + 4].copy_from_slice(&crc.to_le_bytes());
        bytes[start + at + 8..start + at + 12].copy_from_slice(&5_u32.to_le_bytes());
    }
    let (_folder, result) = unpacked(&with_method(bytes, 9));
    assert_eq!(
        fs::read_to_string(result.unwrap().join("entry")).unwrap(),
        "hello"
    );
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

/// As Python's `zipfile` writes it.
#[test]
fn b4_lzma_is_unpacked_unless_it_asks_for_too_much_memory() {
    let bytes = include_bytes!("lzma.zip");
    let (_folder, result) = unpacked(bytes);
    let content = fs::read_to_string(result.unwrap().join("entry")).unwrap();
    assert_eq!(content, "some content ".repeat(100));
    let properties = bytes
        .windows(4)
        .position(|four| four == b"\x09\x04\x05\x00")
        .unwrap();
    let mut large = bytes.to_vec();
    large[properties + 5..properties + 9].copy_from_slice(&u32::MAX.to_le_bytes());
    refuses(&large, "ArchiveTooLarge");
}

#[test]
fn b4_a_compression_that_cannot_be_read_is_named() {
    let bytes = compressed(CompressionMethod::Stored, b"content");
    for (method, name) in [
        (98, "Ppmd (method 98)"),
        (6, "Implode (method 6)"),
        (95, "Xz (method 95)"),
        (77, "Unknown (method 77)"),
    ] {
        let (_folder, result) = unpacked(&with_method(bytes.clone(), method));
        let error = result.unwrap_err();
        assert_eq!(error.reason(), "UnsupportedArchive");
        let text = error.to_string();
        assert!(
            text.contains(name) && text.contains("\"entry\"") && text.contains("edgemodel pack"),
            "{text}"
        );
    }
}

#[test]
fn b5_files_of_desktop_systems_are_left_out() {
    unpacks_to(
        &zip(&[
            INDEX,
            ("samples/._x.json", ""),
            ("samples/x.json", ""),
            ("wheels/._y.whl", ""),
            ("__MACOSX/index.py", ""),
            ("data/Thumbs.db", ""),
            ("desktop.ini", ""),
            ("data/Icon\r", ""),
        ]),
        &["index.py", "samples/x.json"],
    );
}

#[test]
fn b8_two_entries_of_one_name_are_refused() {
    let bytes = patched(zip(&[INDEX, ("index_py", "")]), b"index_py", b"index.py");
    refuses(&bytes, "ArchiveUnsafe");
}

/// Python runs what is there if its source has the recorded date and size.
#[test]
fn b8_compiled_modules_beside_their_source_are_left_out() {
    unpacks_to(
        &zip(&[
            INDEX,
            ("__pycache__/index.cpython-311.pyc", "x"),
            ("a/__pycache__/", ""),
            ("core.pyc", ""),
        ]),
        &["core.pyc", "index.py"],
    );
}

#[test]
fn entries_that_differ_in_case_alone_are_refused() {
    refuses(&zip(&[INDEX, ("Index.py", "")]), "ArchiveUnsafe");
    refuses(&zip(&[INDEX, ("A/x", ""), ("a/X", "")]), "ArchiveUnsafe");
}

#[test]
fn links_and_special_files_are_refused() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer
        .add_symlink("link", "/etc/passwd", SimpleFileOptions::default())
        .unwrap();
    refuses(&writer.finish().unwrap().into_inner(), "ArchiveUnsafe");
    // Character device, block device, pipe, socket: the type is in the upper half of the
    // external attributes, in the central directory.
    for kind in [0o020_000_u16, 0o060_000, 0o010_000, 0o140_000] {
        let mut bytes = zip(&[INDEX]);
        let start = bytes
            .windows(4)
            .position(|four| four == b"PK\x01\x02")
            .unwrap();
        bytes[start + 40..start + 42].copy_from_slice(&(kind | 0o644).to_le_bytes());
        refuses(&bytes, "ArchiveUnsafe");
    }
}

#[test]
fn set_user_id_bits_are_not_kept() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().unix_permissions(0o755);
    writer.start_file("index.py", options).unwrap();
    let mut bytes = writer.finish().unwrap().into_inner();
    let start = bytes
        .windows(4)
        .position(|four| four == b"PK\x01\x02")
        .unwrap();
    bytes[start + 40..start + 42].copy_from_slice(&0o106_755_u16.to_le_bytes());
    let (_folder, result) = unpacked(&bytes);
    let mode = fs::metadata(result.unwrap().join("index.py"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7000, 0);
}

#[test]
fn encrypted_entries_are_refused() {
    let mut bytes = zip(&[INDEX]);
    // Bit 0 of the general purpose flags, in the local and the central header.
    let central = bytes
        .windows(4)
        .position(|four| four == b"PK\x01\x02")
        .unwrap();
    bytes[6] |= 1;
    bytes[central + 8] |= 1;
    refuses(&bytes, "ArchiveUnsafe");
}

#[test]
fn more_than_the_limits_is_refused() {
    let many: Vec<_> = (0..30).map(|n| format!("f{n}")).collect();
    let many: Vec<_> = many.iter().map(|name| (name.as_str(), "")).collect();
    refuses(&zip(&many), "ArchiveTooLarge");
    let large = "x".repeat(5_001);
    refuses(&zip(&[INDEX, ("large", &large)]), "ArchiveTooLarge");
    let part = "x".repeat(4_500);
    refuses(
        &zip(&[INDEX, ("one", &part), ("two", &part)]),
        "ArchiveTooLarge",
    );
}

/// A bomb says that it is small.
#[test]
fn sizes_in_headers_are_not_believed() {
    let zeros = "\0".repeat(1_000_000);
    let mut bytes = zip(&[("bomb", &zeros), INDEX]);
    let central = bytes
        .windows(4)
        .position(|four| four == b"PK\x01\x02")
        .unwrap();
    bytes[22..26].copy_from_slice(&10_u32.to_le_bytes());
    bytes[central + 24..central + 28].copy_from_slice(&10_u32.to_le_bytes());
    let (folder, result) = unpacked(&bytes);
    assert!(result.is_err());
    let written = fs::metadata(folder.path().join("model/bomb")).map_or(0, |file| file.len());
    assert!(
        written <= LIMITS.file_bytes + 1,
        "{written} bytes were written"
    );
}

/// One stretch of data under many names is how a small archive grows without end.
#[test]
fn entries_that_share_their_data_are_refused() {
    let mut bytes = zip(&[INDEX, ("a", "content"), ("b", "content")]);
    let central: Vec<_> = (0..bytes.len() - 4)
        .filter(|start| bytes[*start..].starts_with(b"PK\x01\x02"))
        .collect();
    // The place of the local header is at byte 42 of the central one.
    bytes.copy_within(central[1] + 42..central[1] + 46, central[2] + 42);
    refuses(&bytes, "ArchiveUnsafe");
}

#[test]
fn damaged_archives_are_refused() {
    let sound = zip(&[INDEX, ("b", "some content that deflate keeps as it is")]);
    refuses(b"", "ArchiveInvalid");
    refuses(b"<html>not found</html>", "ArchiveInvalid");
    refuses(&sound[..sound.len() - 5], "ArchiveInvalid");
    refuses(&sound[..sound.len() / 2], "ArchiveInvalid");
    let mut stored = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    stored.start_file("index.py", options).unwrap();
    stored.write_all(b"original").unwrap();
    let stored = stored.finish().unwrap().into_inner();
    refuses(&patched(stored, b"original", b"tampered"), "ArchiveInvalid");
}

#[test]
fn an_archive_without_index_is_refused() {
    refuses(&zip(&[("readme.md", "")]), "IndexMissing");
    refuses(
        &zip(&[("a/index.py", ""), ("b/other.py", "")]),
        "IndexMissing",
    );
    refuses(&zip(&[("a/b/index.py", "")]), "IndexMissing");
    refuses(&zip(&[("index.py/", "")]), "IndexMissing");
}
