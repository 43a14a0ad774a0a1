//! Files that desktop systems, editors and Python leave behind and that don't belong to a model.

/// Files of desktop systems, in any folder.
const FILES: [&str; 5] = [
    ".DS_Store",
    "Icon\r",
    "Thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
];

/// Folders of desktop systems and of Python. Python runs the content of `__pycache__` instead of a source with the same
/// date and size.
const FOLDERS: [&str; 2] = ["__MACOSX", "__pycache__"];

/// Whether a file or folder of this name is clutter.
pub fn is_clutter(name: &str) -> bool {
    // macOS stores attributes that the file system does not support in a second file, `._name`.
    name.starts_with("._")
        || FOLDERS.contains(&name)
        || FILES.iter().any(|one| one.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::is_clutter;

    #[test]
    fn clutter_is_known_by_its_name() {
        for name in [
            "._x.json",
            "thumbs.db",
            "Desktop.ini",
            "__MACOSX",
            "__pycache__",
            ".DS_Store",
            "Icon\r",
        ] {
            assert!(is_clutter(name), "{name}");
        }
        for name in [
            "index.py",
            "_.py",
            ".hidden",
            "MACOSX",
            "pycache",
            "thumbs.db.csv",
        ] {
            assert!(!is_clutter(name), "{name}");
        }
    }
}
