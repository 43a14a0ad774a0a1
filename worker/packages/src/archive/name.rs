//! Names of entries: decoded in the encoding of the tool that wrote them, and checked before anything is created.

use std::borrow::Cow;

/// Longest file name in most file systems.
const MAX_COMPONENT: usize = 255;

/// The text of a name. Tools on localized Windows write a local encoding without saying which. A name that isn't
/// UTF-8 is read as GB18030 (a superset of GBK), and otherwise as the zip format's own code page 437.
pub(super) fn decode<'a>(raw: &'a [u8], code_page_437: &'a str) -> Cow<'a, str> {
    if let Ok(name) = std::str::from_utf8(raw) {
        return name.into();
    }
    encoding_rs::GB18030
        .decode_without_bom_handling_and_without_replacement(raw)
        .unwrap_or(code_page_437.into())
}

/// The entry's path below the target (empty for the target itself), or why it is unsafe.
///
/// Old Windows tools separate folders by backslashes, and some tools begin each name with `./`.
pub(super) fn check(name: &str) -> Result<String, &'static str> {
    if name.chars().any(char::is_control) {
        return Err("has a control character in its name");
    }
    if name.is_empty() {
        return Err("has no name");
    }
    let path = name.replace('\\', "/");
    if path.starts_with('/') {
        return Err("has an absolute path");
    }
    let path = path.strip_suffix('/').unwrap_or(&path);
    // As in paths of Unix, `a//b` and `a/./b` are `a/b`.
    let components = path.split('/').filter(|one| !matches!(*one, "" | "."));
    let components: Vec<_> = components.collect();
    if components.first().is_some_and(|first| first.contains(':')) {
        return Err("has a drive in its name");
    }
    if components.contains(&"..") {
        return Err("leads out of the model's folder");
    }
    if components.iter().any(|one| one.len() > MAX_COMPONENT) {
        return Err("has a name longer than 255 bytes");
    }
    Ok(components.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(raw: &[u8], code_page_437: &str, expected: &str) {
        assert_eq!(decode(raw, code_page_437), expected);
    }

    #[test]
    fn names_are_read_in_the_encoding_that_fits() {
        reads("说明.txt".as_bytes(), "?", "说明.txt");
        // "模型" in GBK.
        reads(b"\xc4\xa3\xd0\xcd/index.py", "?", "模型/index.py");
        // The second byte of this character is a backslash.
        reads(b"\x81\x5c.txt", "?", "乗.txt");
        // Not GB18030: no second byte begins with 0x20.
        reads(
            b"r\x82 sum\x82 ",
            "r\u{e9} sum\u{e9} ",
            "r\u{e9} sum\u{e9} ",
        );
    }

    #[track_caller]
    fn is(name: &str, expected: Result<&str, &str>) {
        let path = check(name);
        assert_eq!(
            path.as_deref().map_err(|error| *error),
            expected,
            "{name:?}"
        );
    }

    #[test]
    fn separators_of_other_tools_are_separators() {
        is("./index.py", Ok("index.py"));
        is("././a/./b.py", Ok("a/b.py"));
        is("./", Ok(""));
        is(".//a//b.py", Ok("a/b.py"));
        is("data\\weights\\w.bin", Ok("data/weights/w.bin"));
        is("data\\", Ok("data"));
        is(".\\index.py", Ok("index.py"));
        is("a.b/..c", Ok("a.b/..c"));
    }

    #[test]
    fn names_that_could_lead_elsewhere_are_refused() {
        let outside = Err("leads out of the model's folder");
        for name in [
            "..",
            "../a",
            "a/..",
            "./../a",
            "a\\..\\b",
            "a/./../..",
            "a//../..",
        ] {
            is(name, outside);
        }
        for name in [
            "/etc/passwd",
            "\\\\server\\share",
            "//server/share",
            "\\a",
            "/",
        ] {
            is(name, Err("has an absolute path"));
        }
        for name in ["C:/a", "c:a", "./C:/a", ".//C:/a", "c:\\a"] {
            is(name, Err("has a drive in its name"));
        }
        is("", Err("has no name"));
        is("a\nb", Err("has a control character in its name"));
        is(&"n".repeat(256), Err("has a name longer than 255 bytes"));
    }
}
