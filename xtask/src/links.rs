//! Checks that the relative links of all pages lead to files, and that the tests they name exist.

use std::path::{Path, PathBuf};

/// Folders that hold no pages of ours.
const SKIPPED: [&str; 3] = [".git", "target", "fixtures"];

/// Every Markdown file below a folder.
pub(crate) fn pages(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut pages = Vec::new();
    for entry in folder.read_dir()? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default();
        if SKIPPED.iter().any(|skipped| name == *skipped) {
            continue;
        }
        if path.is_dir() {
            pages.extend(self::pages(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
    Ok(pages)
}

/// The files that a page links, without anchors; links to other sites are left out.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1);
    let targets = targets.filter_map(|rest| rest.split([')', '#']).next());
    targets.filter(|target| !target.is_empty() && !target.contains("://"))
}

#[test]
fn links_are_found() {
    let text = "[a](x.md#part) ![b](y.png) [c](https://example.com) [d](#here)";
    assert_eq!(links(text).collect::<Vec<_>>(), ["x.md", "y.png"]);
}

#[test]
fn every_relative_link_leads_to_a_file() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let pages = pages(&root)?;
    assert!(pages.len() > 20, "only {} pages", pages.len());
    let mut broken = Vec::new();
    for page in pages {
        let folder = page.parent().unwrap_or(&root);
        let text = std::fs::read_to_string(&page)?;
        for link in links(&text).filter(|link| !folder.join(link).exists()) {
            broken.push(format!("{}: {link}", page.display()));
        }
    }
    assert!(broken.is_empty(), "broken links:\n{}", broken.join("\n"));
    Ok(())
}

/// The tests that a page names, each with its file: `[`name`](file.rs)`.
fn named_tests(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let named = text.split("[`").skip(1);
    let named = named.filter_map(|rest| rest.split_once("`]("));
    let named = named.filter_map(|(name, rest)| Some((name, rest.split(')').next()?)));
    let code = |file: &str| Path::new(file).extension().is_some_and(|one| one == "rs");
    named.filter(move |(name, file)| code(file) && name.contains('_') && !name.contains('.'))
}

#[test]
fn named_tests_are_found() {
    let text = "[`a_b`](../x.rs), [`y.rs`](y.rs) and [`c_d`](z.md)";
    assert_eq!(named_tests(text).collect::<Vec<_>>(), [("a_b", "../x.rs")]);
}

#[test]
fn every_test_that_a_page_names_exists() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut missing = Vec::new();
    let mut count = 0;
    for page in pages(&root)? {
        let folder = page.parent().unwrap_or(&root);
        let text = std::fs::read_to_string(&page)?;
        for (name, file) in named_tests(&text) {
            count += 1;
            let code = std::fs::read_to_string(folder.join(file))?;
            if !code.contains(&format!("fn {name}(")) {
                missing.push(format!("{}: {name} in {file}", page.display()));
            }
        }
    }
    assert!(count > 20, "only {count} tests are named");
    assert!(missing.is_empty(), "missing tests:\n{}", missing.join("\n"));
    Ok(())
}
