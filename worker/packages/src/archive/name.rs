//! Names of entries.

/// Longest name of a file in most file systems.
const MAX_COMPONENT: usize = 255;

/// The entry's path below the target, or why it could lead elsewhere.
pub(super) fn check(raw: &[u8]) -> Result<String, &'static str> {
    let Ok(name) = std::str::from_utf8(raw) else {
        return Err("has a name that is not UTF-8");
    };
    if name.chars().any(char::is_control) {
        return Err("has a control character in its name");
    }
    if name.contains('\\') {
        return Err("has a backslash in its name");
    }
    let path = name.strip_suffix('/').unwrap_or(name);
    if path.is_empty() {
        return Err("has no name, or the root's");
    }
    let mut components = path.split('/');
    if components
        .clone()
        .next()
        .is_some_and(|first| first.contains(':'))
    {
        return Err("has a drive in its name");
    }
    if components.any(|one| one.is_empty() || one == "." || one == "..") {
        return Err("leads out of the model's folder, or has an empty folder name");
    }
    if path.split('/').any(|one| one.len() > MAX_COMPONENT) {
        return Err("has a name longer than 255 bytes");
    }
    Ok(path.to_owned())
}

/// What desktop systems add by themselves.
pub(super) fn is_clutter(path: &str) -> bool {
    path == "__MACOSX" || path.starts_with("__MACOSX/") || path.ends_with(".DS_Store")
}
