//! Finds translated pages that fell behind: each carries a mark of the original that it was last compared with. The mark
//! covers what a reader would miss: sections, commands, examples and rows of tables, but not their words.

use std::path::Path;

use crate::{generate, reference};

const FOLDER: &str = "docs/zh-CN";

/// Before and after a mark, on a line of its own at the end of a page.
const BEFORE: &str = "<!-- compared with the original: ";
const AFTER: &str = " -->";

/// The mark of an original.
fn mark(text: &str) -> String {
    // FNV-1a: a mark needs no more, and any program can compute it.
    let hash = skeleton(text).bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    format!("{hash:08x}")
}

/// Headings by their depth, the first cells of tables, and code.
fn skeleton(text: &str) -> String {
    let mut skeleton = String::new();
    let mut code = false;
    for line in text.lines() {
        let line = line.trim();
        let fence = line.starts_with("```");
        code ^= fence;
        let kept = if code || fence {
            line
        } else if line.starts_with('#') {
            line.split(' ').next().unwrap_or_default()
        } else if line.starts_with('|') {
            line.split('|').nth(1).unwrap_or_default().trim()
        } else {
            continue;
        };
        skeleton.push_str(kept);
        skeleton.push('\n');
    }
    skeleton
}

/// What is wrong with a translated page, if it names its original.
fn fault(page: &str, original: &str) -> Option<String> {
    let now = mark(original);
    let (_, rest) = page.rsplit_once(BEFORE).unwrap_or_default();
    let compared = rest.split(AFTER).next().unwrap_or_default();
    let line = format!("{BEFORE}{now}{AFTER}");
    (compared != now)
        .then(|| format!("compare it with its original, then let it end with this line: {line}"))
}

/// The pages that fell behind.
fn behind() -> anyhow::Result<Vec<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(FOLDER);
    let mut faults = Vec::new();
    let mut compared = 0;
    for entry in folder.read_dir()? {
        let path = entry?.path();
        if path.is_dir() {
            // Generated with their originals.
            continue;
        }
        let name = path.file_name().unwrap_or_default();
        let original = std::fs::read_to_string(folder.join("..").join(name))?;
        let page = std::fs::read_to_string(&path)?;
        compared += 1;
        let fault = fault(&page, &original).into_iter();
        faults.extend(fault.map(|fault| format!("{FOLDER}/{}: {fault}", name.display())));
    }
    anyhow::ensure!(compared > 3, "{FOLDER}: only {compared} pages");
    Ok(faults)
}

/// Fails when a field has no Chinese description, or a page fell behind.
pub(crate) fn check() -> anyhow::Result<()> {
    let mut faults = reference::untranslated(&crds::schema::config());
    faults.extend(behind()?);
    anyhow::ensure!(faults.is_empty(), "{}", faults.join("\n"));
    generate::check_translations()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_rows_and_code_count_and_words_do_not() {
        let page = "# A\n\nText.\n\n## B\n\n| a | b |\n|---|---|\n| `x` | y |\n\n```\n$ run\n```\n";
        for same in ["Other text.", "Text.\n\nMore."] {
            assert_eq!(mark(page), mark(&page.replace("Text.", same)));
        }
        for (from, to) in [
            ("## B", "### B"),
            ("`x`", "`z`"),
            ("$ run", "$ walk"),
            ("## B", ""),
        ] {
            assert_ne!(mark(page), mark(&page.replace(from, to)), "{to}");
        }
    }

    #[test]
    fn a_page_that_was_not_compared_says_how_to_mark_it() {
        let original = "# A\n";
        let line = format!("{BEFORE}{}{AFTER}", mark(original));
        assert_eq!(fault(&format!("# 甲\n\n{line}\n"), original), None);
        for page in [
            "# 甲\n",
            "# 甲\n<!-- compared with the original: 00000000 -->\n",
        ] {
            let fault = fault(page, original);
            assert!(fault.is_some_and(|fault| fault.ends_with(&line)), "{page}");
        }
    }

    #[test]
    fn every_translated_page_carries_a_mark() -> anyhow::Result<()> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(FOLDER);
        // Each is found, whether it fell behind or not.
        behind()?;
        for entry in folder.read_dir()? {
            let path = entry?.path();
            if path.is_file() {
                let page = std::fs::read_to_string(&path)?;
                assert!(page.contains(BEFORE), "{}", path.display());
            }
        }
        Ok(())
    }
}
