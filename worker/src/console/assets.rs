//! The files of the page in `worker/console`, which are part of the program.

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// The page may load and run its own files alone, send requests to this worker alone, and be in no other page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";

const INDEX: &[u8] = include_bytes!("../../console/index.html");

macro_rules! files {
    ($($name:literal: $kind:ident,)*) => {
        /// Name, type and content of each file.
        const FILES: &[(&str, &str, &[u8])] = &[$(($name, $kind, include_bytes!(concat!("../../console/", $name))),)*];
    };
}

files! {
    "app.js": JAVASCRIPT,
    "charts.js": JAVASCRIPT,
    "config.js": JAVASCRIPT,
    "connection.js": JAVASCRIPT,
    "console.css": CSS,
    "data.js": JAVASCRIPT,
    "devices.js": JAVASCRIPT,
    "explain.js": JAVASCRIPT,
    "faults.js": JAVASCRIPT,
    "form.js": JAVASCRIPT,
    "format.js": JAVASCRIPT,
    "language.js": JAVASCRIPT,
    "messages.js": JAVASCRIPT,
    "models.js": JAVASCRIPT,
    "overview.js": JAVASCRIPT,
    "pipeline.js": JAVASCRIPT,
    "words-en.js": JAVASCRIPT,
    "words-zh.js": JAVASCRIPT,
    "vendor/preact.js": JAVASCRIPT,
    "vendor/uplot.css": CSS,
    "vendor/uplot.js": JAVASCRIPT,
}

/// Whether a path is the page or one of its files, which are the same for everyone.
pub(crate) fn is_public(path: &str) -> bool {
    path == "/"
        || path
            .strip_prefix("/console/")
            .is_some_and(|name| find(name).is_some())
}

fn find(name: &str) -> Option<&'static (&'static str, &'static str, &'static [u8])> {
    FILES.iter().find(|(known, ..)| *known == name)
}

pub(super) async fn index() -> Response {
    answer("text/html; charset=utf-8", INDEX)
}

pub(super) async fn file(Path(name): Path<String>) -> Response {
    match find(&name) {
        Some((_, kind, content)) => answer(kind, content),
        None => (StatusCode::NOT_FOUND, "the console has no such file\n").into_response(),
    }
}

fn answer(kind: &'static str, content: &'static [u8]) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        // Another version of the worker brings other files under the same names.
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, content).into_response()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn folder() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("console")
    }

    fn names(folder: &Path, prefix: &str, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let name = entry.file_name().into_string().unwrap();
            if entry.path().is_dir() {
                names(&entry.path(), &format!("{prefix}{name}/"), found);
            } else if [".js", ".css"].iter().any(|end| name.ends_with(end)) {
                found.push(format!("{prefix}{name}"));
            }
        }
    }

    #[test]
    fn every_file_of_the_page_is_served() {
        let mut found = Vec::new();
        names(&folder(), "", &mut found);
        found.sort_unstable();
        let mut served: Vec<_> = FILES.iter().map(|(name, ..)| *name).collect();
        served.sort_unstable();
        assert_eq!(served, found);
    }

    #[test]
    fn the_page_names_nothing_that_another_machine_serves_and_has_no_inline_script() {
        let page = std::str::from_utf8(INDEX).unwrap();
        assert!(!page.contains("://"), "{page}");
        assert_eq!(page.matches("<script").count(), 1, "{page}");
        assert!(page.contains("<script type=\"module\" src=\"console/app.js\"></script>"));
        assert!(!page.contains("style="), "{page}");
    }

    #[test]
    fn the_page_is_small() {
        let size: usize = FILES.iter().map(|(.., content)| content.len()).sum();
        // A third of it when it is compressed.
        assert!(size < 400_000, "{size} bytes");
    }

    #[test]
    fn the_files_are_public_and_nothing_else_is() {
        for (path, public) in [
            ("/", true),
            ("/console/app.js", true),
            ("/console/vendor/uplot.js", true),
            ("/console/state", false),
            ("/console/explain", false),
            ("/console/check", false),
            ("/console/panel", false),
            ("/console/../status", false),
            ("/console/", false),
            ("/status", false),
        ] {
            assert_eq!(is_public(path), public, "{path}");
        }
    }
}
